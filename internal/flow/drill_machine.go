package flow

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/arm/drillplace"
	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

// Azure chooses the names of the disks of a restored machine, so the place of the
// drill of a machine is a whole resource group. One such drill uses the group at a
// time, and before it restores, every disk there has the mark of a drill. Then a disk
// without a mark that Azure made during the restore, under a name that begins with
// that of the machine, is the drill's. See docs/adr/0030-drills-in-one-operation.md.

// The facts of the group, the disks and the container of the staging account.
const (
	// learnedGroupRead is when the drill read the disks of the group, before the
	// restore; learnedGroupDisks are their names. learnedRestoreEnded is when the
	// restore had ended. All times are Azure's.
	learnedGroupRead    = "groupReadAt"
	learnedGroupDisks   = "groupDisks"
	learnedRestoreEnded = "restoreEndedAt"
	// learnedDisks are the names of the restored disks, learnedDiskCount is how many
	// the recovery point has.
	learnedDisks     = "restoredDisks"
	learnedDiskCount = "recoveryPointDisks"
	// learnedStaging is the container of the staging account that the drill deletes.
	learnedStaging = "stagingContainer"
)

const (
	// maxGroupDisks limits the disks that earlier drills have left in the group.
	maxGroupDisks = 50
	// diskCalls limits the disks that a step marks or deletes before it saves.
	diskCalls = 8
	// azureTimeError is how early arm.Client.AzureTime may be.
	azureTimeError = 2 * time.Second
	// drillPlacePrefix begins the names of the places that drills name themselves.
	drillPlacePrefix = "azbackupflow-drill-"
)

// drillLock is the lock of a drill. One that has not read its resource group has
// nothing there, so it ends without the lock: it does not wait for another drill.
func drillLock(op operation.Operation) string {
	if op.Step != drillMakePlace && op.Learned[learnedGroupRead] == "" {
		return ""
	}
	return parameterKey(drillGroupKey)(op)
}

// drillGroupKey is the key of a drill's group: two drills of machines in one resource
// group could not tell their disks apart, so one waits until the other has ended.
func drillGroupKey(p DrillRestore) string {
	if p.Type != drillMachines {
		return ""
	}
	return resourceKey(p.Target.ResourceGroupID)
}

// diskGroup holds the disks of the resource group as a drill sees them.
type diskGroup struct {
	// mine have the mark of this drill. fresh have no mark, and were made by its
	// restore. others have no mark, and were not. lost are restored disks whose mark
	// was removed or changed.
	mine, fresh, others, lost []drillplace.Place
}

// readGroup lists the disks of the resource group. It leaves out the disks of other
// drills: those with their mark, and those with the name of a drill, which their drill
// marks as soon as Azure has made them.
func (a azure) readGroup(ctx context.Context, c step.Call, p DrillRestore) (diskGroup, error) {
	disks, err := a.places(c).ListDisks(ctx, p.Target.ResourceGroupID)
	if err != nil {
		return diskGroup{}, err
	}
	slices.SortFunc(disks, func(x, y drillplace.Place) int { return strings.Compare(diskName(x), diskName(y)) })
	var g diskGroup
	restored := splitNames(c.Operation.Learned[learnedDisks])
	for _, d := range disks {
		switch {
		case d.Mark == c.Operation.ID:
			g.mine = append(g.mine, d)
		case slices.Contains(restored, diskName(d)):
			g.lost = append(g.lost, d)
		case d.Mark != "" || strings.HasPrefix(diskName(d), drillPlacePrefix):
		case a.madeByDrill(c, d):
			g.fresh = append(g.fresh, d)
		default:
			g.others = append(g.others, d)
		}
	}
	return g, nil
}

// madeByDrill reports whether the restore of this drill made a disk without a mark.
// It needs the facts of before and after the restore.
func (a azure) madeByDrill(c step.Call, d drillplace.Place) bool {
	known := c.Operation.Learned
	since, err := time.Parse(time.RFC3339Nano, known[learnedGroupRead])
	until, err2 := time.Parse(time.RFC3339Nano, known[learnedRestoreEnded])
	if err != nil || err2 != nil || d.Attached || d.Created.IsZero() || known[learnedName] == "" {
		return false
	}
	return strings.HasPrefix(diskName(d), strings.ToLower(known[learnedName])+"-") &&
		!slices.Contains(splitNames(known[learnedGroupDisks]), diskName(d)) &&
		!d.Created.Before(since.Add(-a.ClockSkew)) && !d.Created.After(until.Add(a.ClockSkew+azureTimeError))
}

// checkGroup remembers the disks of the group before the restore. Each of them must
// have the mark of a drill.
func (a azure) checkGroup(ctx context.Context, c step.Call, p DrillRestore) (operation.Outcome, error) {
	disks, err := a.places(c).ListDisks(ctx, p.Target.ResourceGroupID)
	if err != nil {
		return operation.Outcome{}, err
	}
	var kept []string
	var foreign []drillplace.Place
	for _, d := range disks {
		switch {
		case strings.HasPrefix(diskName(d), drillPlacePrefix): // its drill knows it by its name
		case d.Mark == "":
			foreign = append(foreign, d)
		default:
			kept = append(kept, diskName(d))
		}
	}
	switch {
	case len(foreign) > 0:
		return operation.Outcome{}, fatal("PlaceNotEmpty",
			fmt.Sprintf("resource group %s has %d disks that no drill made: %s; nothing was restored", p.Target.ResourceGroupID, len(foreign), namesOf(foreign)),
			"Use a resource group for drills only: move the disks to another one, or delete them if nothing needs them. If a drill left them, give them the tag "+drillplace.TagName+" with the ID of its operation.")
	case len(kept) > maxGroupDisks:
		return operation.Outcome{}, fatal("PlaceFull",
			fmt.Sprintf("resource group %s has %d disks of earlier drills, and at most %d are allowed; nothing was restored", p.Target.ResourceGroupID, len(kept), maxGroupDisks),
			"Delete the disks that the drills kept.")
	}
	slices.Sort(kept)
	return learn(next(fmt.Sprintf("resource group %s has no disk without the mark of a drill", p.Target.ResourceGroupID)), map[string]string{
		learnedGroupRead: a.azureNow(c), learnedGroupDisks: strings.Join(kept, " "),
	}), nil
}

// azureNow returns the time of the step by Azure's clock.
func (a azure) azureNow(c step.Call) string {
	return a.unbound.AzureTime(c.Now).UTC().Format(time.RFC3339Nano)
}

// markDisks marks the disks that the restore made, some in each delivery, and then
// the container that Azure made in the staging account.
func (a azure) markDisks(ctx context.Context, c step.Call, p DrillRestore, to string) (operation.Outcome, error) {
	if c.Operation.Learned[learnedGroupRead] == "" {
		return skipTo(to, "the drill restored nothing"), nil
	}
	group, err := a.readGroup(ctx, c, p)
	if err != nil {
		return operation.Outcome{}, err
	}
	all := slices.Concat(group.mine, group.fresh)
	want := numberOf(c.Operation.Learned[learnedDiskCount])
	switch young := c.Now.Before(c.Operation.StepStartedAt.Add(restoreVisible * a.ClockSkew)); {
	case len(group.fresh) > 0 && (systemDisks(all) > 1 || want > 0 && len(all) > want):
		return operation.Outcome{}, fatal("RestoredUnclear",
			fmt.Sprintf("it is unclear which disks in resource group %s the drill restored: %s; nothing was marked or deleted", p.Target.ResourceGroupID, namesOf(all)),
			"Delete or move the disks that the drill did not restore, then retry the operation.")
	case len(group.fresh) > 0:
		for _, d := range group.fresh[:min(diskCalls, len(group.fresh))] {
			if err := a.places(c).Mark(ctx, d.ID, c.Operation.ID, d.Tags); err != nil && !azerr.IsNotFound(err) {
				return operation.Outcome{}, err
			}
		}
		return a.marked(c, "the restored disks")
	case to == "" && len(all) == 0:
		return operation.Outcome{}, notYet("RestoredNotVisible", "the restore is done, but Azure does not show the disks that it made in "+p.Target.ResourceGroupID)
	case to == "" && len(all) < want && young:
		return operation.Outcome{Kind: operation.Wait, Note: fmt.Sprintf("Azure shows %d of %d restored disks", len(all), want)}, nil
	}
	facts := map[string]string{}
	wait, err := a.markStaging(ctx, c, p, facts)
	if err != nil || wait.Kind == operation.Wait {
		return wait, err
	}
	facts[learnedDisks] = joinNames(all)
	return learn(skipTo(to, fmt.Sprintf("%d restored disks have the mark", len(all))), facts), nil
}

// cleanUpDisks deletes the disks with the mark of this drill, and looks again until
// they are gone. It needs an operator if a disk remains that has no mark.
func (a azure) cleanUpDisks(ctx context.Context, c step.Call, p DrillRestore, phases *phases) (operation.Outcome, error) {
	if c.Operation.Learned[learnedGroupRead] == "" {
		return learn(next("the drill restored nothing"), phases.end(phaseCleanUp, nil).facts()), nil
	}
	group, err := a.readGroup(ctx, c, p)
	if err != nil {
		return operation.Outcome{}, err
	}
	calls := 0
	for _, d := range group.mine {
		if d.Deleting || calls == diskCalls {
			continue
		}
		calls++
		if err := a.places(c).Delete(ctx, d.ID); err != nil && !azerr.IsNotFound(err) {
			return operation.Outcome{}, refusedCleanUp(err)
		}
	}
	if len(group.mine) > 0 {
		return learn(operation.Outcome{Kind: operation.Wait, Note: fmt.Sprintf("Azure deletes %d restored disks", len(group.mine))}, phases.facts()), nil
	}
	if out, err := a.deleteStaging(ctx, c); err != nil || out.Kind == operation.Wait {
		return learn(out, phases.facts()), err
	}
	if left := slices.Concat(group.fresh, group.others, group.lost); len(left) > 0 {
		return operation.Outcome{}, fatal("PlaceNotMarked",
			fmt.Sprintf("resource group %s has %d disks without the mark of the drill: %s; they were not deleted", p.Target.ResourceGroupID, len(left), namesOf(left)),
			"Find out who made them, or changed their tags. Move or delete them yourself; or, if the drill restored them, give them the tag "+drillplace.TagName+" with the value "+c.Operation.ID+
				". Then retry the operation: it continues with the clean-up.")
	}
	return learn(next("the restored disks are gone"), phases.end(phaseCleanUp, nil).facts()), nil
}

func diskName(d drillplace.Place) string { return strings.ToLower(resourceid.LastName(d.ID)) }

func joinNames(disks []drillplace.Place) string {
	names := make([]string, len(disks))
	for i, d := range disks {
		names[i] = diskName(d)
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

func splitNames(names string) []string { return strings.Fields(names) }

// namesOf names some disks for people.
func namesOf(disks []drillplace.Place) string {
	const most = 10
	names := splitNames(joinNames(disks))
	if len(names) > most {
		return strings.Join(names[:most], ", ") + fmt.Sprintf(" and %d others", len(names)-most)
	}
	return strings.Join(names, ", ")
}

func systemDisks(disks []drillplace.Place) (n int) {
	for _, d := range disks {
		if d.System {
			n++
		}
	}
	return n
}
