package flow

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/arm/dataprotection/kinds"
	"azbackupflow/internal/arm/drillplace"
	"azbackupflow/internal/drill/evidence"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

// learnedChecks holds the built-in checks as JSON.
const learnedChecks = "checks"

// checkData reads what arrived. A check that fails does not end the drill: the
// validator may look at the data too, and the result follows from both.
func (a azure) checkData(ctx context.Context, c step.Call, p DrillRestore) (operation.Outcome, error) {
	id := placeID(c.Operation.ID, p)
	checks, err := a.checksOf(ctx, c, p, id)
	if err != nil {
		return operation.Outcome{}, err
	}
	raw, err := json.Marshal(checks)
	if err != nil {
		return operation.Outcome{}, unreadable(err)
	}
	phases := newPhases(c).begin(phaseCheckData).end(phaseCheckData, nil)
	var out operation.Outcome
	if p.Validation.By == drillCallback {
		window := periodOf(p.Validation.Window)
		out = next("the built-in checks are done; waiting for the validator")
		out.Validation = &operation.Validation{Target: id, Opened: c.Now, Closes: c.Now.Add(window)}
		out.Within = window + drillCleanUpTime
		phases.begin(phaseValidate)
	} else {
		out = skipTo(drillCleanUp, "the built-in checks are done")
		out.Within = drillCleanUpTime
	}
	facts := phases.facts()
	facts[learnedChecks] = string(raw)
	return learn(out, facts), nil
}

// checksOf reads the place and returns the checks of what is in it.
func (a azure) checksOf(ctx context.Context, c step.Call, p DrillRestore, id string) ([]evidence.Check, error) {
	if p.Type == drillMachines {
		return a.checkDisks(ctx, c, p)
	}
	place, err := a.places(c).Get(ctx, id)
	switch {
	case azerr.IsNotFound(err):
		return nil, fatal("PlaceGone", "the place of the drill is gone after the restore: "+id, "Find in the activity log who deleted it.")
	case err != nil:
		return nil, err
	case place.Mark != c.Operation.ID:
		return nil, notOurs(id, place)
	}
	return builtInChecks(c.Operation, p, place), nil
}

// builtInChecks returns the checks of a type of item. Each says what it cannot see.
func builtInChecks(op operation.Operation, p DrillRestore, place drillplace.Place) []evidence.Check {
	judged := func(name string, ok bool, found, not string) evidence.Check {
		result := evidence.CheckFailed
		if ok {
			result = evidence.CheckPassed
		}
		return evidence.Check{Name: name, Result: result, Found: found, NotChecked: not}
	}
	switch p.Type {
	case drillShares:
		restored, known := strconv.Atoi(op.Learned[learnedRestoredFiles])
		skipped, failed := numberOr(op.Learned[learnedSkippedFiles], "an unknown number of"), numberOr(op.Learned[learnedFailedFiles], "an unknown number of")
		ok := known == nil && restored > 0 && op.Learned[learnedSkippedFiles] == "0" && op.Learned[learnedFailedFiles] == "0"
		return []evidence.Check{judged("files", ok,
			fmt.Sprintf("Azure's job reports %s files restored, %s skipped, %s failed; the share reports about %s", numberOr(op.Learned[learnedRestoredFiles], "an unknown number of"), skipped, failed, inBytes(place.Bytes)),
			"the contents of the files, their access rights and timestamps, and the count in the share itself, which Azure Resource Manager does not report")}
	case kinds.DatasourceDisk:
		return []evidence.Check{judged("disk", place.Ready && place.Bytes > 0,
			fmt.Sprintf("the disk exists, has %s and is %s", inBytes(place.Bytes), numberOr(place.State, "in an unknown state")),
			"the file systems and files on the disk, and whether a machine starts from it")}
	case kinds.DatasourceBlob:
		return []evidence.Check{judged("container", true,
			"the container exists: Azure restored "+op.Learned[learnedDrillContainer]+" and its job completed",
			"the blobs in the container: Azure Resource Manager does not list them")}
	}
	return []evidence.Check{judged("container", true,
		"the container exists, and Azure's job completed: it wrote the files with the prefix "+drillFilePrefix,
		"the files in the container, which Azure Resource Manager does not list, and whether pg_restore can read them")}
}

func numberOr(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

func inBytes(n int64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	}
	return fmt.Sprintf("%d bytes", n)
}

// awaitAnswer waits for the answer of the validator, which wakes the operation, or
// for the end of its window.
func (a azure) awaitAnswer(_ context.Context, c step.Call, _ DrillRestore) (operation.Outcome, error) {
	v := c.Operation.Validation
	if v == nil {
		return operation.Outcome{}, fatal("ValidationLost", "the drill waits for a validation that it did not open")
	}
	facts := newPhases(c).end(phaseValidate, nil).facts()
	switch {
	case v.Answer != nil:
		out := learn(next(fmt.Sprintf("validated as %s by %s", v.Answer.Result, v.Answer.By)), facts)
		out.Within = drillCleanUpTime
		return out, nil
	case !c.Now.Before(v.Closes):
		out := learn(next("no validator answered within the window"), facts)
		out.Within = drillCleanUpTime
		return out, nil
	}
	return operation.Outcome{Kind: operation.Wait, After: v.Closes.Sub(c.Now), Note: "the answer of a validator, until " + v.Closes.UTC().Format(time.RFC3339)}, nil
}

// notValidated lists what neither a check nor the validator looked at.
func notValidated(op operation.Operation, p DrillRestore, checks []evidence.Check) []string {
	list := []string{}
	for _, one := range checks {
		list = append(list, one.NotChecked)
	}
	if op.Validation != nil && op.Validation.Answer != nil && op.Validation.Answer.Result == operation.ValidationSuccessful {
		list = []string{}
	}
	if n := op.Learned[learnedNotRestored]; n != "" && n != "0" {
		list = append(list, n+" other containers of the account: a drill restores one")
	}
	if warnings := strings.TrimSpace(op.Learned[learnedRestoreWarnings]); warnings != "" {
		list = append(list, "what Azure's job warned about: "+warnings)
	}
	return list
}
