package flow

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/arm/drillplace"
	"azbackupflow/internal/arm/recoveryservices"
	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/drill/evidence"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

// drilledMachine holds the parameters of the steps that restore a virtual machine.
type drilledMachine struct {
	RestoreVM
	Target DrillTarget `json:"target"`
}

func drillMachineParameters(c step.Call) (json.RawMessage, error) {
	p, err := parametersOf[DrillRestore](c)
	if err != nil {
		return nil, err
	}
	raw, err := json.Marshal(drilledMachine{
		RestoreVM: RestoreVM{ItemID: p.ItemID, StagingAccountID: p.Target.StorageAccountID, AsDisks: &AsDisks{ResourceGroupID: p.Target.ResourceGroupID}},
		Target:    p.Target,
	})
	if err != nil {
		return nil, unreadable(err)
	}
	return raw, nil
}

// drillMachineRestore returns the request for the restore of a machine's disks.
func (a azure) drillMachineRestore(_ context.Context, c step.Call) (recoveryservices.Restore, error) {
	p, err := parametersOf[drilledMachine](c)
	if err != nil {
		return nil, err
	}
	if !a.Guardrails.allowsDrill(p.Target) {
		return nil, notAllowed("a drill in this target", settingDrillTargets)
	}
	known := c.Operation.Learned
	return recoveryservices.MachineRestore{
		SourceResourceID: known[learnedSource], Region: known[learnedLocation],
		StagingAccountID: p.Target.StorageAccountID, TargetResourceGroupID: p.Target.ResourceGroupID,
	}, nil
}

// stagingContainer returns the container of the staging account in which the job wrote
// its template; empty if the job does not prove it by its ID.
func stagingContainer(c step.Call, p DrillRestore) string {
	u, err := url.Parse(c.Operation.Learned[learnedTemplate])
	job := strings.ToLower(c.Operation.Learned[learnedJob])
	if err != nil || job == "" {
		return ""
	}
	account, _, _ := strings.Cut(u.Hostname(), ".")
	container, blob, ok := strings.Cut(strings.Trim(u.Path, "/"), "/")
	if !ok || container == "" || !strings.EqualFold(account, resourceid.LastName(strings.TrimRight(p.Target.StorageAccountID, "/"))) ||
		!strings.Contains(strings.ToLower(blob), job) {
		return ""
	}
	return strings.TrimRight(p.Target.StorageAccountID, "/") + "/blobServices/default/containers/" + container
}

// markStaging marks the container that Azure made in the staging account. It leaves a
// container alone that existed before the restore, or that the job does not name.
func (a azure) markStaging(ctx context.Context, c step.Call, p DrillRestore, facts map[string]string) (operation.Outcome, error) {
	id := stagingContainer(c, p)
	since, err := time.Parse(time.RFC3339Nano, c.Operation.Learned[learnedGroupRead])
	if id == "" || err != nil {
		return operation.Outcome{}, nil
	}
	container, err := a.places(c).Get(ctx, id)
	switch {
	case azerr.IsNotFound(err):
		return operation.Outcome{}, nil
	case err != nil:
		return operation.Outcome{}, err
	case container.Mark == c.Operation.ID:
		facts[learnedStaging] = id
		return operation.Outcome{}, nil
	case container.Mark != "" || container.Modified.Before(since.Add(-a.ClockSkew)):
		return operation.Outcome{}, nil
	}
	if err := a.places(c).Mark(ctx, id, c.Operation.ID, nil); err != nil {
		return operation.Outcome{}, err
	}
	return a.marked(c, "the container of the staging account")
}

// deleteStaging deletes the container of the staging account if it has the mark of this
// drill. It waits until the container is gone.
func (a azure) deleteStaging(ctx context.Context, c step.Call) (operation.Outcome, error) {
	id := c.Operation.Learned[learnedStaging]
	if id == "" {
		return operation.Outcome{}, nil
	}
	container, err := a.places(c).Get(ctx, id)
	switch {
	case azerr.IsNotFound(err):
		return operation.Outcome{}, nil
	case err != nil:
		return operation.Outcome{}, err
	case container.Mark != c.Operation.ID:
		return operation.Outcome{}, notOurs(id, container)
	}
	if err := a.places(c).Delete(ctx, id); err != nil && !azerr.IsNotFound(err) {
		return operation.Outcome{}, refusedCleanUp(err)
	}
	return operation.Outcome{Kind: operation.Wait, Note: "Azure deletes the container " + id}, nil
}

// checkDisks returns the built-in checks of the disks of a machine.
func (a azure) checkDisks(ctx context.Context, c step.Call, p DrillRestore) ([]evidence.Check, error) {
	group, err := a.readGroup(ctx, c, p)
	switch {
	case err != nil:
		return nil, err
	case len(group.lost) > 0:
		return nil, notOurs(group.lost[0].ID, group.lost[0])
	case len(group.mine) < len(splitNames(c.Operation.Learned[learnedDisks])):
		return nil, fatal("PlaceGone", "restored disks are gone from "+p.Target.ResourceGroupID, "Find in the activity log who deleted them.")
	}
	return append(diskChecks(group.mine, numberOf(c.Operation.Learned[learnedDiskCount])), stagingCheck(c.Operation)), nil
}

// diskChecks compares the disks with what the recovery point has; want is 0 if Azure
// does not report it.
func diskChecks(disks []drillplace.Place, want int) []evidence.Check {
	const most = 10
	ok := systemDisks(disks) == 1 && (want == 0 || len(disks) == want)
	var total int64
	var listed []string
	for _, d := range disks {
		ok = ok && d.Ready && d.Bytes > 0
		total += d.Bytes
		if len(listed) < most {
			listed = append(listed, fmt.Sprintf("%s (%s, %s)", diskName(d), inBytes(d.Bytes), numberOr(d.State, "in an unknown state")))
		}
	}
	if len(disks) > most {
		listed = append(listed, fmt.Sprintf("and %d others", len(disks)-most))
	}
	check := evidence.Check{
		Name: "disks", Result: evidence.CheckFailed, NotChecked: "the file systems and files on the disks, and whether a machine starts from them",
		Found: fmt.Sprintf("%d disks with %s, %d of them with an operating system: %s", len(disks), inBytes(total), systemDisks(disks), strings.Join(listed, ", ")),
	}
	if ok {
		check.Result = evidence.CheckPassed
	}
	if want > 0 {
		check.Found += fmt.Sprintf("; the recovery point has %d disks", want)
	} else {
		check.NotChecked += "; and the number of disks, which the recovery point does not report"
	}
	return []evidence.Check{check}
}

// stagingCheck reports what Azure wrote to the staging account.
func stagingCheck(op operation.Operation) evidence.Check {
	check := evidence.Check{Name: "staging", Result: evidence.CheckPassed, NotChecked: "other contents of the staging account"}
	switch template := op.Learned[learnedTemplate]; {
	case op.Learned[learnedStaging] != "":
		check.Found = "Azure wrote a template and the configuration of the machine to a container that belongs to the drill: " + op.Learned[learnedStaging]
	case template != "":
		check.Found = "Azure wrote a template and the configuration of the machine to a container that the drill could not tell apart, and which stays: " + template
	default:
		check.Found = "Azure's job names nothing that it wrote to the staging account"
	}
	return check
}

// numberOf returns a number of a fact; 0 if it is absent.
func numberOf(fact string) int {
	n, err := strconv.Atoi(fact)
	if err != nil {
		return 0
	}
	return n
}
