package autoprotect

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"strings"
	"time"

	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/arm/datasource"
	"azbackupflow/internal/arm/recoveryservices"
	"azbackupflow/internal/arm/resourceid"
)

// inquiryPeriod is the number of sweeps, one each hour, among which the inquiries
// are spread: a vault finds new databases of a machine only when it inquires the
// machine.
const inquiryPeriod = 4

// registered is a virtual machine that is registered with a vault, with its
// databases that the vault does not protect.
type registered struct {
	container recoveryservices.Container
	vault     resourceid.VaultID
	databases []recoveryservices.ProtectableItem
}

// sweepDatabases evaluates the databases on the virtual machines that are
// registered with the vaults of the rules. No event announces databases.
func (s *sweep) sweepDatabases(ctx context.Context, kind entry) {
	vaults, _ := vaultsAndSubscriptions(s.c.Rules, kind.kind)
	for _, id := range rotated(s.c.Now(), vaults) {
		vault, err := resourceid.ParseVaultID(id, kind.vault)
		if err != nil {
			s.collect(fmt.Errorf("parse vault ID %q: %w", id, err))
			continue
		}
		var machines []registered
		s.try(ctx, func(ctx context.Context, e *Evaluator) (err error) {
			machines, err = e.c.Vaults.registeredMachines(ctx, vault, kind)
			return err
		})
		sweepEach(ctx, s, rotated(s.c.Now(), machines), func(ctx context.Context, e *Evaluator, m registered) error {
			return e.sweepMachine(ctx, kind, m)
		})
	}
}

// registeredMachines returns the machines that are registered with the vault, with
// their databases that the vault does not protect.
func (v Vaults) registeredMachines(ctx context.Context, vault resourceid.VaultID, kind entry) ([]registered, error) {
	containers, err := v.RecoveryServices.ListRegisteredWorkloadContainers(ctx, vault)
	if err != nil {
		return nil, fmt.Errorf("list the registered virtual machines of vault %s: %w", vault.Name, err)
	}
	items, err := v.RecoveryServices.ListProtectableDatabases(ctx, vault, kind.workload)
	if err != nil {
		return nil, fmt.Errorf("list the protectable %s of vault %s: %w", kind.what, vault.Name, err)
	}
	var machines []registered
	for _, c := range containers {
		m := registered{container: c, vault: vault}
		for _, i := range items {
			if machineOf(i.ContainerName) == machineOf(c.Name) && strings.EqualFold(i.Type, string(kind.workload)) {
				m.databases = append(m.databases, i)
			}
		}
		machines = append(machines, m)
	}
	return machines, nil
}

// machineOf returns the last two parts of a container's name, the resource group and
// the machine, in lower case: the parts before them differ between answers.
func machineOf(container string) string {
	parts := strings.Split(strings.ToLower(container), ";")
	return strings.Join(parts[max(0, len(parts)-2):], ";")
}

// sweepMachine evaluates the unprotected databases of a machine, and lets the vault
// look for new ones from time to time.
func (e *Evaluator) sweepMachine(ctx context.Context, kind entry, m registered) error {
	machine, err := e.c.Datasources.Get(ctx, m.container.SourceResourceID)
	if azerr.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", m.container.SourceResourceID, err)
	}
	all := newResource(kind.kind, machine)
	all.VaultID = m.vault.String()
	if !mayProtect(e.c.Rules, all) {
		return nil
	}
	var failures []error
	for _, d := range m.databases {
		// Azure protects the databases of an instance with auto-protection by itself.
		if !d.Protectable || d.AutoProtected {
			continue
		}
		res := all.withDatabase(datasource.Database{MachineID: machine.ID, Workload: string(kind.workload), Instance: d.Parent, Name: d.FriendlyName})
		failures = append(failures, e.sweepResource(ctx, res, nil))
	}
	if inquiredNow(m.container.ID, e.c.Now()) {
		// The next sweep reads what the inquiry has found.
		if _, err := e.c.Vaults.RecoveryServices.InquireDatabases(ctx, m.vault, m.container.Name, kind.workload); err != nil {
			failures = append(failures, fmt.Errorf("inquire the databases of %s: %w", machine.Name, err))
		}
	}
	return errors.Join(failures...)
}

// inquiredNow reports whether the sweep of this hour inquires a machine.
func inquiredNow(containerID string, now time.Time) bool {
	h := fnv.New32a()
	_, _ = h.Write([]byte(strings.ToLower(containerID))) // never fails
	hours := now.Unix() / int64(time.Hour/time.Second)
	return (int64(h.Sum32())+hours)%inquiryPeriod == 0
}
