package flow

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/arm/dataprotection/kinds"
	"azbackupflow/internal/arm/drillplace"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

// placeName returns the name of a drill's place. It has the drill's ID, so no other
// drill has it.
func placeName(operationID string) string { return drillPlacePrefix + operationID }

// placeID returns the resource ID of a drill's place; for a machine, that of the
// resource group with its disks. It follows from the operation alone, so that the
// clean-up finds it whatever else was lost.
func placeID(operationID string, p DrillRestore) string {
	account := strings.TrimRight(p.Target.StorageAccountID, "/")
	switch p.Type {
	case drillMachines:
		return strings.TrimRight(p.Target.ResourceGroupID, "/")
	case drillShares:
		return account + "/fileServices/default/shares/" + placeName(operationID)
	case kinds.DatasourceDisk:
		return strings.TrimRight(p.Target.ResourceGroupID, "/") + "/providers/" + drillplace.TypeDisk + "/" + placeName(operationID)
	}
	return account + "/blobServices/default/containers/" + placeName(operationID)
}

// madeByRestore reports whether the restore itself makes the place: Azure restores a
// disk, and a container of a vaulted backup, only to a name that does not exist.
func (p DrillRestore) madeByRestore() bool {
	return p.Type == kinds.DatasourceDisk || p.Type == kinds.DatasourceBlob
}

// The facts of a place.
const (
	learnedPlace        = "place"
	learnedBlobEndpoint = "blobEndpoint"
)

func (a azure) places(c step.Call) *drillplace.Client { return drillplace.New(a.client(c)) }

// drillPlaceSteps returns the steps that make the place.
func (a azure) drillPlaceSteps() []step.Step {
	return []step.Step{
		{
			Name: drillCheckPlace, Effect: step.Read, OnFailure: drillEvidence, Run: with(a.checkPlace),
			Calls: []string{"FileShares_Get", "BlobContainers_Get", "Disks_Get"},
			Asks:  "reads the place, which must not exist; for a machine it calls nothing", Then: "a place that exists is not the drill's: it is neither used nor deleted",
		},
		{
			Name: drillMakePlace, Effect: step.Idempotent, OnFailure: drillCleanUp, Run: with(a.makePlace),
			Calls: []string{"FileShares_Get", "FileShares_Create", "BlobContainers_Get", "BlobContainers_Create", "Disks_ListByResourceGroup"},
			Asks:  "creates the file share or the container, with the mark of the drill; for a machine it lists the disks of the resource group, each of which must have a mark", Then: "the restore itself makes a disk, and a container of blobs",
		},
		{
			Name: "read-place", Effect: step.Read, OnFailure: drillCleanUp, Run: with(a.readPlace),
			Calls: []string{"FileShares_Get", "BlobContainers_Get", "StorageAccounts_GetProperties"},
			Asks:  "reads the place back: it must be empty and have the mark", Then: "a machine continues with `machine-restore`, a backup instance with `instance-validate-restore`",
		},
	}
}

func (a azure) checkPlace(ctx context.Context, c step.Call, p DrillRestore) (operation.Outcome, error) {
	id := placeID(c.Operation.ID, p)
	facts := newPhases(c).end(phaseChoosePoint, nil).begin(phaseMakeTarget).facts()
	facts[learnedPlace] = id
	if p.Type == drillMachines {
		return learn(next("the place is the resource group "+id), facts), nil
	}
	_, err := a.places(c).Get(ctx, id)
	switch {
	case azerr.IsNotFound(err):
		return learn(next("the place is free: "+id), facts), nil
	case err != nil:
		return operation.Outcome{}, err
	}
	return operation.Outcome{}, placeTaken(id)
}

func placeTaken(id string) *operation.Error {
	return fatal("PlaceTaken", "the place of the drill exists already, and the drill did not make it: "+id+"; it was neither used nor changed",
		"Find out what it is, and delete it if nothing needs it. The next run of the drill has another place.")
}

// makePlace creates the place. After an answer that was lost, it finds its own mark.
func (a azure) makePlace(ctx context.Context, c step.Call, p DrillRestore) (operation.Outcome, error) {
	if p.Type == drillMachines {
		return a.checkGroup(ctx, c, p)
	}
	if p.madeByRestore() {
		return next("the restore makes the place"), nil
	}
	id, places := placeID(c.Operation.ID, p), a.places(c)
	place, err := places.Get(ctx, id)
	switch {
	case err == nil && place.Mark == c.Operation.ID:
		return next("the place was made: " + id), nil
	case err == nil:
		return operation.Outcome{}, placeTaken(id)
	case !azerr.IsNotFound(err):
		return operation.Outcome{}, err
	}
	if err := places.Make(ctx, id, c.Operation.ID); err != nil {
		return operation.Outcome{}, err
	}
	return next("the place is made: " + id), nil
}

// readPlace reads the place back. Resource Manager does not list the blobs of a
// container: one that did not exist before and has the mark is empty.
func (a azure) readPlace(ctx context.Context, c step.Call, p DrillRestore) (operation.Outcome, error) {
	facts := newPhases(c).end(phaseMakeTarget, nil).begin(phaseRestore).facts()
	to := drillInstanceRestore
	switch p.Type {
	case drillShares:
		to = drillShareRestore
	case drillMachines:
		return learn(skipTo(drillMachineRestore, "the disks of the restore will be the only ones without a mark"), facts), nil
	}
	if p.madeByRestore() {
		return learn(skipTo(to, "the place has a name that nothing else has"), facts), nil
	}
	id, places := placeID(c.Operation.ID, p), a.places(c)
	place, err := places.Get(ctx, id)
	switch {
	case azerr.IsNotFound(err):
		return operation.Outcome{}, notYet("PlaceNotVisible", "the place was made, but Azure does not show it yet: "+id)
	case err != nil:
		return operation.Outcome{}, err
	case place.Mark != c.Operation.ID:
		return operation.Outcome{}, notOurs(id, place)
	case place.Bytes > 0:
		return operation.Outcome{}, fatal("PlaceNotEmpty", fmt.Sprintf("the place of the drill is not empty: %s holds %d bytes before the restore", id, place.Bytes),
			"Find out what wrote to it. The drill restores nothing into a place with other data.")
	}
	if p.Type == kinds.DatasourceFlexibleServer {
		if facts[learnedBlobEndpoint], err = places.BlobEndpoint(ctx, p.Target.StorageAccountID); err != nil {
			return operation.Outcome{}, err
		}
		if facts[learnedBlobEndpoint] == "" {
			return operation.Outcome{}, fatal("NoBlobEndpoint", "the storage account has no blob service: "+p.Target.StorageAccountID, "Use another account for drills.")
		}
	}
	return learn(skipTo(to, "the place is empty"), facts), nil
}

func notOurs(id string, place drillplace.Place) *operation.Error {
	mark := "no mark"
	if place.Mark != "" {
		mark = "the mark of " + place.Mark
	}
	return fatal("PlaceNotMarked", fmt.Sprintf("the place of the drill has %s: %s; nothing was deleted", mark, id),
		"Find out who changed its metadata or tags. If it is the drill's, delete it yourself or give the mark back, then retry the operation: it continues with the clean-up.")
}

// markPlace marks what the restore made. Only this drill restored to the name, which
// did not exist before; the mark is what the clean-up trusts.
func (a azure) markPlace(ctx context.Context, c step.Call, p DrillRestore) (operation.Outcome, error) {
	to := ""
	if len(c.Operation.Failures) > 0 {
		to = drillCleanUp
	}
	if p.Type == drillMachines {
		return a.markDisks(ctx, c, p, to)
	}
	if !p.madeByRestore() {
		return skipTo(to, "the place has its mark"), nil
	}
	id, places := placeID(c.Operation.ID, p), a.places(c)
	place, err := places.Get(ctx, id)
	switch {
	case azerr.IsNotFound(err) && to != "":
		return skipTo(to, "the restore made nothing"), nil
	case azerr.IsNotFound(err):
		return operation.Outcome{}, notYet("RestoredNotVisible", "the restore is done, but Azure does not show what it made: "+id)
	case err != nil:
		return operation.Outcome{}, err
	case place.Mark == c.Operation.ID:
		return skipTo(to, "the place has its mark"), nil
	case place.Mark != "":
		return operation.Outcome{}, notOurs(id, place)
	}
	if err := places.Mark(ctx, id, c.Operation.ID, place.Tags); err != nil {
		return operation.Outcome{}, err
	}
	return a.marked(c, "the place")
}

// marked continues after a mark was written, which the next look must find. Something
// else may remove marks, such as an Azure Policy for tags: then the drill first looks
// less often, and at last fails.
func (a azure) marked(c step.Call, what string) (operation.Outcome, error) {
	out := operation.Outcome{Kind: operation.Wait, Note: "reading the mark back of " + what}
	switch since := c.Now.Sub(c.Operation.StepStartedAt); {
	case since < a.ClockSkew:
		out.Pace = operation.PaceNow
	case since >= restoreVisible*a.ClockSkew:
		return operation.Outcome{}, notYet("MarkNotVisible", "Azure accepted the mark of the drill on "+what+", but does not show it",
			"Find in the activity log what removes the metadata or the tags of the drill, such as an Azure Policy. Then retry the operation.")
	}
	return out, nil
}

// cleanUp deletes the place if it has the mark of this drill, and looks again until
// it is gone.
func (a azure) cleanUp(ctx context.Context, c step.Call, p DrillRestore) (operation.Outcome, error) {
	if p.CleanUp == drillKeep {
		return next("the declaration keeps the place"), nil
	}
	phases := newPhases(c).begin(phaseCleanUp)
	if p.Type == drillMachines {
		return a.cleanUpDisks(ctx, c, p, phases)
	}
	id, places := placeID(c.Operation.ID, p), a.places(c)
	place, err := places.Get(ctx, id)
	switch {
	case azerr.IsNotFound(err):
		return learn(next("the place is gone: "+id), phases.end(phaseCleanUp, nil).facts()), nil
	case err != nil:
		return operation.Outcome{}, err
	case place.Mark != c.Operation.ID:
		return operation.Outcome{}, notOurs(id, place)
	}
	if err := places.Delete(ctx, id); err != nil && !azerr.IsNotFound(err) {
		return operation.Outcome{}, refusedCleanUp(err)
	}
	return learn(operation.Outcome{Kind: operation.Wait, Note: "Azure deletes the place " + id}, phases.facts()), nil
}

// refusedCleanUp adds to the error of a deletion what to do.
func refusedCleanUp(err error) error {
	var refused *operation.Error
	if !errors.As(err, &refused) {
		return err
	}
	advised := *refused
	advised.RecommendedAction = append(append([]string{}, refused.RecommendedAction...),
		"Remove what keeps Azure from deleting the place, such as a lock, a lease or a missing role, then retry the operation: it continues with the clean-up.")
	return &advised
}
