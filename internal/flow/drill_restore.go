package flow

import (
	"context"
	"time"

	"azbackupflow/internal/arm/dataprotection/kinds"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/roles"
	"azbackupflow/internal/step"
)

// The steps of a drill that others name. A failure never ends the drill: it
// continues with one of the last four.
const (
	drillCheckPlace = "check-place"
	drillMakePlace  = "make-place"
	drillAwaitEnd   = "await-restore-end"
	drillMark       = "mark-place"
	drillCheckData  = "check-data"
	drillAnswer     = "await-answer"
	drillCleanUp    = "clean-up"
	drillEvidence   = "write-evidence"
	drillEnd        = "end"

	drillShareRestore    = "share-restore"
	drillMachineRestore  = "machine-restore"
	drillInstanceRestore = "instance-validate-restore"
)

const (
	drillDeadline = 2 * 24 * time.Hour
	// drillCleanUpTime limits each of the steps that follow a failure. Azure may need
	// hours until it releases a place.
	drillCleanUpTime = 24 * time.Hour
)

func (a azure) drillRestore() Definition {
	steps := []step.Step{
		{
			Name: "begin", Effect: step.Read, OnFailure: drillEvidence, Run: with(a.beginDrill),
			Asks: "calls nothing; checks again that the target is allowed", Then: "a file share continues with `read-item`, a backup instance with `read-instance`",
		},
	}
	for _, s := range a.drillPointSteps() {
		s.OnFailure = drillEvidence
		steps = append(steps, s)
	}
	steps = append(steps, a.drillPlaceSteps()...)
	for _, s := range a.drillRestoreSteps() {
		s.OnFailure = drillAwaitEnd
		steps = append(steps, s)
	}
	steps = append(steps, a.drillEndSteps()...)
	return Definition{
		Flow: step.Flow{
			Name: "drill-restore", Version: 1,
			Summary:     "prove that an item can be restored: restore it into a place of its own, check the data, clean up, write evidence",
			Guarded:     true,
			Deadline:    drillDeadline,
			CleanUpTime: drillCleanUpTime,
			Priority:    operation.PriorityRestore,
			Check:       check(a.checkDrillRestore),
			Lock:        drillLock,
			Steps:       steps,
		},
		Role:       roles.Drill,
		Parameters: drillRestoreParameters,
		Intro: "Restores an item into a place that the drill makes for itself, checks what arrived, waits for a validator, deletes the place, and writes " +
			"[signed evidence](drills.md). Drills are off until an operator allows targets: the setting `AZBACKUPFLOW_DRILL_TARGETS` lists the resource " +
			"IDs of storage accounts and of resource groups. It allows no other restore.\n\nOf a virtual machine it restores the disks. Azure chooses " +
			"their names, so the resource group must have no disk without the mark of a drill, and one such drill at a time uses it: the others wait.",
		Notes: "Whatever fails, and also after a cancel request, the steps from `await-restore-end` or `clean-up` on run before it ends. A drill ends as " +
			"`Succeeded` if the result is `Proven`, as `SucceededWithWarnings` if it is `NotValidated` or `ObjectivesMissed`, and as `Failed` otherwise. " +
			"If the place could not be deleted, or no longer has the drill's mark, the evidence has the reason and the drill is parked: `retry` continues with the clean-up.\n\n" +
			"The deadline of the request is for the restore. The validation and the clean-up have time of their own.",
		Examples: a.drillExamples(),
	}
}

// drillEndSteps returns the steps that every drill that made a place goes through.
func (a azure) drillEndSteps() []step.Step {
	return []step.Step{
		{
			Name: drillAwaitEnd, Effect: step.Read, OnCancel: drillAwaitEnd, OnFailure: drillEvidence, AwaitsResult: true, Run: with(a.awaitRestoreEnd),
			Calls: append(serviceJobCalls(), instanceJobCalls()...),
			Asks:  "reads the job until it has ended, if the restore did not end", Then: "a place is never deleted while Azure writes to it",
		},
		{
			Name: drillMark, Effect: step.Idempotent, OnCancel: drillMark, OnFailure: drillEvidence, Run: with(a.markPlace),
			Calls: []string{"Disks_Get", "Disks_ListByResourceGroup", "Disks_Update", "BlobContainers_Get", "BlobContainers_Update"},
			Asks:  "marks the disks or the container that the restore made", Then: "after a failure, the drill continues with `clean-up`",
		},
		{
			Name: drillCheckData, Effect: step.Read, OnFailure: drillCleanUp, Run: with(a.checkData),
			Calls: []string{"FileShares_Get", "BlobContainers_Get", "Disks_Get", "Disks_ListByResourceGroup"},
			Asks:  "reads what arrived", Then: "without a validator, the drill continues with `clean-up`",
		},
		{
			Name: drillAnswer, Effect: step.Read, OnFailure: drillCleanUp, AwaitsResult: true, Run: with(a.awaitAnswer),
			Asks: "calls nothing; waits for the answer of the validator", Then: "no answer within the window counts as `TimedOut`",
		},
		{
			Name: drillCleanUp, Effect: step.Idempotent, OnCancel: drillCleanUp, OnFailure: drillEvidence, Run: with(a.cleanUp),
			Calls: []string{"FileShares_Get", "FileShares_Delete", "BlobContainers_Get", "BlobContainers_Delete", "Disks_Get", "Disks_ListByResourceGroup", "Disks_Delete"},
			Asks:  "reads the place, and deletes it if it has the mark of this drill", Then: "repeated until the place is gone",
		},
		{
			Name: drillEvidence, Effect: step.Idempotent, OnCancel: drillEvidence, OnFailure: drillEnd, Run: with(a.writeEvidence),
			Asks: "calls nothing in Azure Backup; signs and stores the evidence",
		},
		{
			Name: drillEnd, Effect: step.Read, OnCancel: drillEnd, Run: with(a.endDrill),
			Asks: "calls nothing", Then: "the drill ends by its result",
		},
	}
}

// beginDrill checks that the drill may start, and chooses its steps.
func (a azure) beginDrill(_ context.Context, c step.Call, p DrillRestore) (operation.Outcome, error) {
	switch {
	case !a.Guardrails.allowsDrill(p.Target):
		return operation.Outcome{}, notAllowed("a drill in this target", settingDrillTargets)
	case a.Evidence == nil:
		return operation.Outcome{}, fatal("EvidenceNotConfigured", "this app has no key or no store for evidence; nothing was sent to Azure",
			"Configure both: see docs/drills.md.")
	}
	facts := newPhases(c).begin(phaseChoosePoint).facts()
	if p.ofServicesVault() {
		facts[learnedItem] = p.ItemID
	}
	switch p.Type {
	case drillMachines:
		return learn(next("the drill restores the disks of a virtual machine"), facts), nil
	case drillShares:
		return learn(skipTo("read-item", "the drill restores a file share"), facts), nil
	}
	return learn(skipTo("read-instance", "the drill restores a "+kinds.NameOf(p.Type)), facts), nil
}

func (a azure) drillExamples() []Example {
	run := func(name string) DrillRun {
		return DrillRun{Name: name, Run: "2026-11-01T04:00", ConfigurationDigest: "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}
	}
	return []Example{{
		File: "drill-restore-file-share", About: "a drill with testshare", Key: "drill-testshare", Deadline: "P1D", Labels: team("files"), Cost: "a drill with a file share",
		Parameters: DrillRestore{
			Drill: run("monthly-files"), Type: drillShares,
			ItemID: exampleContainers + "/StorageContainer;Storage;AzureFiles;testvault2/protectedItems/AzureFileShare;testshare",
			Point:  DrillPoint{Rule: drillLatest}, Target: DrillTarget{StorageAccountID: exampleDrillAccount},
			Objectives: DrillObjectives{RestoreTime: "PT4H", PointAge: "P1D"}, Validation: DrillValidation{By: drillNone}, CleanUp: drillDelete,
		},
		After: []string{"protect-file-share"},
	}, {
		File: "drill-restore-vm", About: "a drill with vm1", Key: "drill-vm1", Deadline: "P1D", Labels: team("machines"), Cost: "a drill with a virtual machine",
		Parameters: DrillRestore{
			Drill: run("monthly-machines"), Type: drillMachines, ItemID: exampleMachine,
			Point: DrillPoint{Rule: drillLatest}, Target: DrillTarget{StorageAccountID: exampleDrillAccount, ResourceGroupID: exampleDrillGroup},
			Objectives: DrillObjectives{RestoreTime: "PT4H", PointAge: "P1D"}, Validation: DrillValidation{By: drillNone}, CleanUp: drillDelete,
		},
	}}
}
