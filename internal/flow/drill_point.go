package flow

import (
	"context"
	"fmt"
	"hash/fnv"
	"slices"
	"time"

	"azbackupflow/internal/arm/dataprotection"
	"azbackupflow/internal/arm/dataprotection/kinds"
	"azbackupflow/internal/arm/recoveryservices"
	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

// The facts of the container of a vaulted backup that the drill restores.
const (
	learnedDrillContainer = "drillContainer"
	learnedNotRestored    = "containersNotRestored"
)

// drillPointSteps returns the steps that read the item and choose its recovery
// point.
func (a azure) drillPointSteps() []step.Step {
	return append(ofItems(
		step.Step{
			Name: "read-vault", Effect: step.Read, Run: with(a.readDrilledVault), Calls: []string{"Vaults_Get"},
			Asks: "reads the vault of a machine, whose region the request to Azure contains",
		},
		a.readDrilledItemStep(),
		step.Step{
			Name: "choose-item-point", Effect: step.Read, Run: with(a.chooseItemPoint), Calls: []string{"ItemRecoveryPoints_List"},
			Asks: "lists the recovery points and chooses one by the rule", Then: "continues with `check-place`",
		}), ofInstances(
		step.Step{
			Name: "read-instance", Effect: step.Read, Run: with(a.readDrilledInstance), Calls: []string{"BackupInstances_Get", "DeletedBackupInstances_Get"},
			Asks: "reads the backup instance", Then: "one of another type, or without a backup in the needed tier, is rejected",
		},
		step.Step{
			Name: "choose-point", Effect: step.Read, Run: with(a.chooseInstancePoint), Calls: []string{"RecoveryPoints_List"},
			Asks: "lists the recovery points and chooses one by the rule",
		})...)
}

func (a azure) readDrilledVault(ctx context.Context, c step.Call, p DrillRestore) (operation.Outcome, error) {
	return a.readRestoreVault(ctx, c, RestoreVM{ItemID: p.ItemID})
}

// readDrilledItemStep returns the step that reads the protected item of the drill.
func (a azure) readDrilledItemStep() step.Step {
	share, machine := a.readRestoredItemStep("file share", recoveryservices.ItemAzureFileShare), a.readRestoredItemStep("virtual machine", recoveryservices.ItemVirtualMachine)
	s := share
	s.Then = "an item that is soft-deleted, or not of the type of the drill, is rejected"
	s.Run = with(func(ctx context.Context, c step.Call, p DrillRestore) (operation.Outcome, error) {
		if p.Type == drillMachines {
			return machine.Run(ctx, c)
		}
		return share.Run(ctx, c)
	})
	return s
}

// drillCandidate is a recovery point that a drill may choose.
type drillCandidate struct {
	id string
	at time.Time
	// disks is the number of disks of a machine; 0 if it is unknown.
	disks int
}

func (a azure) chooseItemPoint(ctx context.Context, c step.Call, p DrillRestore) (operation.Outcome, error) {
	points, err := a.recoveryServices(c).ListRecoveryPoints(ctx, c.Operation.Learned[learnedItem])
	if err != nil {
		return operation.Outcome{}, err
	}
	var usable []drillCandidate
	for _, point := range points {
		// Without managed disks, Azure would leave files in the staging account.
		if point.Restorable(c.Now) && (p.Type != drillMachines || point.ManagedDisks) {
			usable = append(usable, drillCandidate{point.Name, point.Time, point.Disks})
		}
	}
	return p.Point.choose(c, usable, len(points), drillCheckPlace, nil)
}

func (a azure) chooseInstancePoint(ctx context.Context, c step.Call, p DrillRestore) (operation.Outcome, error) {
	id, err := foundInstance(c)
	if err != nil {
		return operation.Outcome{}, err
	}
	points, err := a.dataProtection(c).ListRecoveryPoints(ctx, id, dataprotection.RecoveryPointFilter{})
	if err != nil {
		return operation.Outcome{}, err
	}
	tier := p.tier()
	var usable []drillCandidate
	for _, point := range points {
		if point.Usable(tiers()[tier], c.Now) {
			usable = append(usable, drillCandidate{id: point.RecoveryPointID, at: point.Time})
		}
	}
	return p.Point.choose(c, usable, len(points), drillCheckPlace, map[string]string{learnedRecoveryPointTier: tier})
}

// tier returns the tier that a drill restores from.
func (p DrillRestore) tier() string {
	if p.Type == kinds.DatasourceDisk {
		return tierOperational
	}
	return tierVault
}

// choose chooses a recovery point by the rule. The random one follows from the
// drill's ID, so that a repeated step chooses it again.
func (r DrillPoint) choose(c step.Call, usable []drillCandidate, listed int, to string, facts map[string]string) (operation.Outcome, error) {
	started := newPhases(c).started()
	window := periodOf(r.Window)
	usable = slices.DeleteFunc(usable, func(one drillCandidate) bool {
		return one.at.After(started) || window > 0 && started.Sub(one.at) > window
	})
	slices.SortFunc(usable, func(a, b drillCandidate) int { return b.at.Compare(a.at) })
	if len(usable) == 0 {
		within := ""
		if window > 0 {
			within = " within " + r.Window
		}
		return operation.Outcome{}, fatal("NoRecoveryPoint", fmt.Sprintf("none of the %d recovery points of %s can be restored%s", listed, c.Operation.Learned[learnedName], within),
			"Look at the item's recovery points in the vault. Check point.window of the drill.")
	}
	chosen := usable[0]
	if r.Rule == drillRandom {
		hash := fnv.New64a()
		_, _ = hash.Write([]byte(c.Operation.ID)) // it never fails
		chosen = usable[hash.Sum64()%uint64(len(usable))]
	}
	at := chosen.at.UTC().Format(time.RFC3339Nano)
	all := map[string]string{learnedRecoveryPoint: chosen.id, learnedRecoveryPointTime: at}
	if chosen.disks > 0 {
		all[learnedDiskCount] = fmt.Sprint(chosen.disks)
	}
	for name, value := range facts {
		all[name] = value
	}
	return learn(skipTo(to, fmt.Sprintf("recovery point %s of %s, by the rule %s", chosen.id, at, r.Rule)), all), nil
}

// readDrilledInstance reads the backup instance. Of a vaulted backup of blobs it
// chooses one container: each is restored under a new name, and marked as one place.
func (a azure) readDrilledInstance(ctx context.Context, c step.Call, p DrillRestore) (operation.Outcome, error) {
	instance, err := a.readInstance(ctx, c, p.BackupInstanceID)
	if err != nil {
		return operation.Outcome{}, err
	}
	if err := rejectedInstance(instance, treatInstance(instance).restore); err != nil {
		return operation.Outcome{}, err
	}
	if _, err := a.possible(drillInstance{DrillRestore: p}.restoration(), instance); err != nil {
		return operation.Outcome{}, err
	}
	facts := factsOfInstance(instance)
	if p.Type != kinds.DatasourceBlob {
		return learn(next(instance.FriendlyName+" is a "+kinds.NameOf(instance.DatasourceType)), facts), nil
	}
	containers := slices.Sorted(slices.Values(instance.Containers))
	if len(containers) == 0 {
		return operation.Outcome{}, fatal("NoVaultedBackup", instance.FriendlyName+" has no vaulted backup: its blobs are backed up continuously, which can only be restored in place",
			"Protect containers with a policy for vaulted backup, or remove the account from the drill.")
	}
	hash := fnv.New64a()
	_, _ = hash.Write([]byte(c.Operation.ID)) // it never fails
	chosen := containers[hash.Sum64()%uint64(len(containers))]
	facts[learnedDrillContainer] = chosen
	facts[learnedNotRestored] = fmt.Sprint(len(containers) - 1)
	return learn(next("the drill restores container "+chosen+" of "+resourceid.LastName(instance.DatasourceID)), facts), nil
}
