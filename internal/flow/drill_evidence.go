package flow

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"azbackupflow/internal/arm/dataprotection"
	"azbackupflow/internal/arm/recoveryservices"
	"azbackupflow/internal/drill/evidence"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

// The facts about the evidence of a drill.
const (
	learnedEvidence = "evidence"
	learnedResult   = "result"
)

// cleanUpSteps are the steps after which restored data may still exist if they fail.
func cleanUpSteps() []string { return []string{drillAwaitEnd, drillMark, drillCleanUp} }

// leftBehind returns the failure of the clean-up; nil if the place is gone or kept on
// purpose.
func leftBehind(op operation.Operation) *operation.Failure {
	for i, f := range op.Failures {
		if slices.Contains(cleanUpSteps(), f.Step) {
			return &op.Failures[i]
		}
	}
	return nil
}

// writeEvidence signs and stores the evidence, once: after a retry of the clean-up
// the first document stays.
func (a azure) writeEvidence(ctx context.Context, c step.Call, p DrillRestore) (operation.Outcome, error) {
	if c.Operation.Learned[learnedEvidence] != "" {
		return next("the evidence was written before: " + c.Operation.Learned[learnedEvidence]), nil
	}
	if a.Evidence == nil {
		return operation.Outcome{}, fatal("EvidenceNotConfigured", "this app has no key or no store for evidence", "Configure both: see docs/drills.md. Then retry the operation.")
	}
	document, err := evidenceOf(c, p)
	if err != nil {
		return operation.Outcome{}, fatal("EvidenceUnusable", err.Error(), "This is a bug of azbackupflow. Report it.")
	}
	facts := map[string]string{learnedResult: string(document.Result)}
	if c.DryRun != nil {
		return learn(next("the evidence would be written"), facts), nil
	}
	keep := periodOf(p.Evidence.Retention)
	location, err := a.Evidence(ctx, document, keep)
	var classified *operation.Error
	switch {
	case errors.As(err, &classified):
		return operation.Outcome{}, err
	case err != nil:
		return operation.Outcome{}, &operation.Error{
			Code: "EvidenceNotWritten", Class: operation.Conflict, Message: "the evidence cannot be signed or stored: " + err.Error(),
			RecommendedAction: []string{"Check the key and the store of evidence: see docs/drills.md. Then retry the operation."},
		}
	}
	facts[learnedEvidence] = location
	return learn(next("the drill is "+string(document.Result)+"; evidence: "+location), facts), nil
}

// evidenceOf composes the document from the operation. It leaves out phases that no
// step reached.
func evidenceOf(c step.Call, p DrillRestore) (evidence.Evidence, error) {
	op, timeline := c.Operation, newPhases(c)
	for _, f := range op.Failures {
		timeline.now = laterOf(timeline.now, f.At)
	}
	document := evidence.Evidence{
		Version: evidence.Version, ID: op.ID,
		Drill:   evidence.Drill{Name: p.Drill.Name, Run: p.Drill.Run, ConfigurationDigest: p.Drill.ConfigurationDigest},
		Item:    drilledItem(op, p),
		Started: timeline.started(), Ended: timeline.now,
		Phases:       endedPhases(op, timeline),
		Objectives:   evidence.Objectives{RTO: objective(p.Objectives.RestoreTime), RPO: objective(p.Objectives.PointAge)},
		Checks:       []evidence.Check{},
		Validation:   validationOf(op, p),
		NotValidated: []string{},
	}
	if id := op.Learned[learnedRecoveryPoint]; id != "" {
		at, err := time.Parse(time.RFC3339Nano, op.Learned[learnedRecoveryPointTime])
		if err != nil {
			return document, err
		}
		document.Point = &evidence.Point{ID: id, Time: at, Rule: p.Point.Rule}
	}
	if id := op.Learned[learnedPlace]; id != "" {
		document.Target = &evidence.Target{ID: id}
	}
	if raw := op.Learned[learnedChecks]; raw != "" {
		if err := json.Unmarshal([]byte(raw), &document.Checks); err != nil {
			return document, err
		}
		document.NotValidated = notValidated(op, p, document.Checks)
	}
	return evidence.Assess(document)
}

func objective(maximum string) *evidence.Objective {
	if maximum == "" {
		return nil
	}
	return &evidence.Objective{Maximum: maximum}
}

func drilledItem(op operation.Operation, p DrillRestore) evidence.Item {
	item := evidence.Item{ID: p.ItemID + p.BackupInstanceID, Type: p.Type, Tags: p.Tags, Name: op.Learned[learnedName]}
	if id, err := recoveryservices.ParseItemID(p.ItemID); err == nil {
		item.VaultID = id.Vault.String()
	}
	if id, err := dataprotection.ParseInstanceID(p.BackupInstanceID); err == nil {
		item.VaultID = id.Vault.String()
	}
	if item.Name == "" {
		item.Name = item.ID[strings.LastIndexByte(item.ID, '/')+1:]
	}
	return item
}

// endedPhases returns the phases. One that has no end failed, with the failure of
// the drill; a clean-up that did not begin although it had to failed, too.
func endedPhases(op operation.Operation, timeline *phases) []evidence.Phase {
	left := leftBehind(op)
	if left != nil {
		timeline.begin(phaseCleanUp)
	}
	all := slices.Clone(timeline.all)
	for i := range all {
		one := &all[i]
		if one.Name == phaseRestore {
			if id := op.Learned[learnedCorrelation]; id != "" {
				one.CorrelationIDs = []string{id}
			}
			if one.JobID == "" {
				one.JobID = op.Learned[learnedJob]
			}
		}
		failed := firstFailure(op, left, one.Name)
		if !one.Ended.IsZero() && (one.Name != phaseCleanUp || left == nil) {
			continue
		}
		one.Ended, one.Result, one.Error = timeline.now, evidence.PhaseFailed, "the drill ended in this phase"
		if failed != nil {
			one.Ended = laterOf(one.Started, failed.At)
			one.Error = describeFailure(*failed)
		}
	}
	return all
}

// firstFailure returns the failure that a phase without an end belongs to.
func firstFailure(op operation.Operation, left *operation.Failure, name evidence.PhaseName) *operation.Failure {
	switch {
	case name == phaseCleanUp:
		return left
	case len(op.Failures) > 0:
		return &op.Failures[0]
	}
	return nil
}

func describeFailure(f operation.Failure) string {
	switch {
	case f.Err != nil:
		return f.Err.Error()
	case f.Cause.Actor.Kind != "":
		return "canceled by " + f.Cause.Actor.String()
	}
	return "canceled"
}

// validationOf returns the answer of the validator. The row decides: an answer that
// was accepted counts, even if the window ended before a step read it.
func validationOf(op operation.Operation, p DrillRestore) evidence.Validation {
	v := op.Validation
	switch {
	case p.Validation.By == drillNone:
		return evidence.Validation{Result: evidence.NotRequested}
	case v == nil:
		return evidence.Validation{Result: evidence.NotReached}
	case v.Answer != nil:
		result := evidence.Successful
		if v.Answer.Result != operation.ValidationSuccessful {
			result = evidence.Unsuccessful
		}
		at := v.Answer.At.UTC()
		return evidence.Validation{Result: result, By: v.Answer.By.String(), At: &at, Text: v.Answer.Text}
	case len(op.Failures) > 0 && op.Failures[0].Step == drillAnswer:
		return evidence.Validation{Result: evidence.NotReached}
	}
	return evidence.Validation{Result: evidence.TimedOut}
}

// endDrill ends the drill by its result. A place that is left behind, and evidence
// that is not written, need an operator.
func (a azure) endDrill(_ context.Context, c step.Call, p DrillRestore) (operation.Outcome, error) {
	op := c.Operation
	if left := leftBehind(op); left != nil {
		what := "the place of the drill was not deleted: " + op.Learned[learnedPlace]
		if p.Type == drillMachines {
			what = "not every disk of the drill was deleted from resource group " + op.Learned[learnedPlace]
		}
		return needsPerson(left.Step, "CleanUpFailed", what, left), nil
	}
	for i := range op.Failures {
		if op.Failures[i].Step == drillEvidence {
			return needsPerson(drillEvidence, "EvidenceNotWritten", "the evidence of the drill was not written", &op.Failures[i]), nil
		}
	}
	if len(op.Failures) > 0 {
		failed := op.Failures[0]
		if failed.Status == operation.Canceled {
			return operation.Outcome{Kind: operation.Stop, Note: "the drill was canceled and cleaned up"}, nil
		}
		return operation.Outcome{Kind: operation.Fail, Err: failed.Err}, nil
	}
	switch result := evidence.Result(op.Learned[learnedResult]); result {
	case evidence.Proven:
		return finish("the item can be restored; evidence: " + op.Learned[learnedEvidence]), nil
	case evidence.NotValidated, evidence.ObjectivesMissed:
		out := finish("the drill is " + string(result))
		out.Warnings = []string{"the drill is " + string(result) + "; its evidence says why: " + op.Learned[learnedEvidence]}
		return out, nil
	case evidence.Failed:
	}
	return operation.Outcome{Kind: operation.Fail, Err: fatal("DrillFailed", "a check or the validator found that the restored data is not usable; the evidence says why: "+op.Learned[learnedEvidence],
		"Read the evidence. Restore the item yourself and look at the data.")}, nil
}

func needsPerson(retry, code, message string, failed *operation.Failure) operation.Outcome {
	err := &operation.Error{Code: code, Class: operation.UserAction, Message: message + ": " + describeFailure(*failed)}
	if failed.Err != nil {
		err.RecommendedAction = failed.Err.RecommendedAction
	}
	err.RecommendedAction = append(slices.Clone(err.RecommendedAction), "Then retry the operation: it continues at the step "+retry+".")
	return operation.Outcome{Kind: operation.Unclear, Next: retry, Uncancel: true, Err: err}
}
