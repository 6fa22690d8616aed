package autoprotect

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"azbackupflow/internal/arm/datasource"
	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/step"
)

// addProblem records a problem at a path below the rule.
type addProblem func(problem, want string, path ...string)

// validate checks what the JSON Schema cannot express.
func (r Rule) validate(check Check, add addProblem) {
	const either = "either protect, or exclude: true"
	switch {
	case r.Protect == nil && !r.Exclude:
		add("has neither protect nor exclude", either)
		return
	case r.Protect != nil && r.Exclude:
		add("is set together with protect", either, "exclude")
		return
	case r.kind() != "" && len(r.Match.StorageAccounts) > 0 && r.kind().entry().source != datasource.TypeStorageAccount:
		add("is set in a rule for "+r.kind().entry().what, "no storageAccounts: such resources have no storage account", "match", "storageAccounts")
	case r.kind() != "" && len(r.Match.VirtualMachines) > 0 && r.kind().entry().workload == "":
		add("is set in a rule for "+r.kind().entry().what, "no virtualMachines: only databases have a virtual machine; compare names with match.names", "match", "virtualMachines")
	}
	if r.Protect == nil || !r.validateVaults(add) {
		return
	}
	e := r.kind().entry()
	switch {
	case e.vault != r.Protect.vaultType():
		add("is "+string(e.kind)+", which the vault cannot protect", "one of "+kindNames(r.Protect.vaultType())+", or another vault", "match", "type")
		return
	case len(r.Protect.Vaults) > 0 && len(r.locations()) == 0:
		add("has no location of protect.vaults", "one of "+strings.Join(r.Protect.regions(), ", "), "match", "locations")
		return
	case r.Protect.FirstBackup && !e.firstBackup:
		add("is set in a rule for "+e.what, "no firstBackup: the policy schedules the first backup", "protect", "firstBackup")
	}
	if r.validateParameters(add) && check != nil {
		for _, location := range r.exampleLocations() {
			r.validateRequest(check, location, add)
		}
	}
}

// validateVaults checks the IDs of the vaults; it reports whether they are valid.
func (r Rule) validateVaults(add addProblem) bool {
	p := r.Protect
	if (p.VaultID == "") == (len(p.Vaults) == 0) {
		add("has both or neither of vaultId and vaults", "one vault in vaultId, or one for each region in vaults", "protect")
		return false
	}
	ok := true
	seen := map[string]bool{}
	for _, location := range p.regions() {
		if seen[region(location)] {
			add("is the region of another entry", "each region once", "protect", "vaults", location)
			ok = false
		}
		seen[region(location)] = true
	}
	for _, v := range p.vaultPaths() {
		_, recoveryErr := resourceid.ParseVaultID(v.id, resourceid.RecoveryServicesVault)
		_, backupErr := resourceid.ParseVaultID(v.id, resourceid.BackupVault)
		reason := recoveryErr
		if p.vaultType() == resourceid.BackupVault {
			reason = backupErr
		}
		const want = "the resource ID of a Recovery Services vault or a Backup vault"
		switch {
		case recoveryErr != nil && backupErr != nil:
			add(fmt.Sprintf("%q is not the resource ID of a vault: %s", v.id, reason), want, v.path...)
			ok = false
		case reason != nil:
			add("is another type of vault than that of the first region", "vaults of one type", v.path...)
			ok = false
		}
	}
	return ok
}

// vaultPath is the ID of a vault, and where the rule has it.
type vaultPath struct {
	id   string
	path []string
}

func (p Protection) vaultPaths() []vaultPath {
	if p.VaultID != "" {
		return []vaultPath{{p.VaultID, []string{"protect", "vaultId"}}}
	}
	var all []vaultPath
	for _, location := range p.regions() {
		all = append(all, vaultPath{p.Vaults[location], []string{"protect", "vaults", location}})
	}
	return all
}

// validateParameters checks that the rule's parameters are not those that the
// resource decides.
func (r Rule) validateParameters(add addProblem) bool {
	own := r.ownParameters(exampleResource(r.kind(), "westeurope"))
	own["firstBackup"] = nil
	ok := true
	for _, name := range slices.Sorted(maps.Keys(r.Protect.Parameters)) {
		for taken := range own {
			if strings.EqualFold(taken, name) {
				add("is set by the rule itself", "other parameters of the flow "+r.kind().entry().flow, "protect", "parameters", name)
				ok = false
			}
		}
	}
	return ok
}

// exampleLocations returns a region for each vault.
func (r Rule) exampleLocations() []string {
	if len(r.Protect.Vaults) > 0 {
		return r.Protect.regions()
	}
	return []string{"westeurope"}
}

// validateRequest checks the request that the rule would create for an example
// resource in a region.
func (r Rule) validateRequest(check Check, location string, add addProblem) {
	req, err := r.request(exampleResource(r.kind(), location), "")
	if err == nil {
		err = check(req)
	}
	var invalid *step.Invalid
	if errors.As(err, &invalid) {
		for _, f := range invalid.Fields {
			add(f.Problem, f.Want, r.pathOf(strings.TrimPrefix(f.Field, "parameters."), location)...)
		}
	} else if err != nil {
		add(err.Error(), "", "protect")
	}
}

// index matches the index of an element in the name of a field.
var index = regexp.MustCompile(`\[(\d+)\]`)

// pathOf returns where the rule has a parameter of the request.
func (r Rule) pathOf(field, location string) []string {
	parts := strings.Split(index.ReplaceAllString(field, ".$1"), ".")
	_, own := r.ownParameters(exampleResource(r.kind(), location))[parts[0]]
	switch {
	case parts[0] == "vaultId" && len(r.Protect.Vaults) > 0:
		return []string{"protect", "vaults", location}
	case own:
		return append([]string{"protect"}, parts...)
	}
	return append([]string{"protect", "parameters"}, parts...)
}

// exampleResource returns a resource as an event could announce it.
func exampleResource(k Kind, location string) Resource {
	e := k.entry()
	id := "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/group/providers/" + e.source + "/example"
	res := newResource(k, datasource.Resource{ID: id, Name: "example", Location: location})
	switch {
	case e.shares:
		return res.withShare("share")
	case e.workload != "":
		return res.withDatabase(datasource.Database{MachineID: id, Workload: string(e.workload), Instance: "INSTANCE", Name: "database"})
	}
	return res
}
