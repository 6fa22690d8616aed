package flow

import (
	"context"
	"errors"
	"fmt"

	"azbackupflow/internal/arm/lro"
	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

// operationWait describes a step that waits for a long-running operation of
// Azure.
type operationWait struct {
	// what names the operation for people.
	what string
	// retry is the step that started the operation; it runs again if the
	// operation fails with a retriable error.
	retry string
	// job is the step that follows the job, once its ID is known.
	job string
	// gone is the step that reads the result elsewhere if Azure no longer knows
	// the operation, or if it ended without naming its job; empty means the
	// following step.
	gone string
	// protected is the step that finds the instance of a datasource that Azure
	// reports as already protected; empty if that cannot happen.
	protected string
	// undiscovered is the step that discovers the datasource again if the vault
	// does not know it; empty means retry.
	undiscovered string
	// validates is set if the operation changes nothing: its answer is the only
	// result. A status that cannot be read ends the operation, and a status that
	// Azure no longer has means that retry runs again.
	validates bool
	// explain adds to the error of a failed operation what the operator must set
	// up; nil adds nothing.
	explain func(*operation.Error) *operation.Error
	// onCancel is the step that a cancel continues with; see step.Step.
	onCancel string
	// failed handles an operation that failed or was canceled; nil means retry.
	failed func(lro.Progress, operation.Tracking) operation.Outcome
}

// awaitOperation returns a step that reads once the status of the operation that
// an earlier step started.
func (a azure) awaitOperation(name string, w operationWait) step.Step {
	s := step.Step{
		Name: name, Effect: step.Read, OnCancel: w.onCancel, AwaitsResult: true, Asks: "reads the status until the operation has ended",
		Run: func(ctx context.Context, c step.Call) (operation.Outcome, error) { return a.readStatus(ctx, c, w) },
	}
	if w.gone != "" {
		s.Then = "a status that Azure no longer has continues with `" + w.gone + "`"
	}
	return s
}

// readStatus reads the status once. A status that cannot be read does not mean
// that the operation failed.
func (a azure) readStatus(ctx context.Context, c step.Call, w operationWait) (operation.Outcome, error) {
	var t operation.Tracking
	if c.Operation.Tracking != nil {
		t = *c.Operation.Tracking
	}
	untracked := t.StatusURL == "" && t.ResultURL == ""
	p, err := lro.Track(ctx, a.client(c), t)
	var unread *operation.Error
	switch {
	case err == nil:
	case !w.validates && errors.As(err, &unread) && unread.Class == operation.Fatal:
		p.State = lro.Gone
	default:
		return operation.Outcome{}, err
	}
	if p.NewTracking != nil {
		t = *p.NewTracking
	}
	if p.JobID != "" {
		t.JobID = p.JobID
	}
	switch p.State {
	case lro.Running:
		return operation.Outcome{Kind: operation.Wait, Tracking: &t, After: p.RetryAfter, Note: w.what}, nil
	case lro.Failed, lro.Canceled:
		if w.protected != "" && alreadyProtected(p.Err) {
			return learn(skipTo(w.protected, p.Err.Message), protectedFacts(p.Err)), nil
		}
		if w.failed != nil {
			return w.failed(p, t), nil
		}
		failure := operationFailure(p)
		if w.explain != nil {
			failure = w.explain(failure)
		}
		return backTo(orDiscover(failure, w.undiscovered, w.retry), failure), nil
	case lro.Succeeded, lro.Gone:
	}
	gone := p.State == lro.Gone
	if gone && w.validates && !untracked {
		return backTo(w.retry, validationLost(w.what)), nil
	}
	out := w.ended(gone, t)
	if out.Next == w.job && w.job != "" {
		return out, nil
	}
	switch {
	case unread != nil:
		out.Note = w.what + ": its status cannot be read; reading the result instead"
		out.Warnings = []string{fmt.Sprintf("the status of %s cannot be read: %s: %s", w.what, unread.Code, unread.Message)}
	case untracked:
		out.Note = w.what + ": Azure answered without a status to wait for"
	case gone:
		out.Note = w.what + ": Azure no longer has its status; reading the result instead"
	}
	return out, nil
}

// ended continues after an operation that has ended or that Azure no longer
// knows: with its job, if it has one.
func (w operationWait) ended(gone bool, t operation.Tracking) operation.Outcome {
	if w.job != "" && t.JobID != "" {
		out := skipTo(w.job, w.what+" runs as job "+resourceid.LastName(t.JobID))
		out.Tracking = &t
		return out
	}
	out := next(w.what + " is done")
	if gone || w.job != "" {
		out.Next = w.gone
	}
	out.Tracking = &operation.Tracking{}
	return out
}

// acceptedValidation is accepted for a validation: only its status has the
// result, so an answer that has neither a status URL nor a result is an error.
func acceptedValidation(s lro.Submission, err error, what, note string) (operation.Outcome, error) {
	if err == nil && !s.Done && s.Tracking.StatusURL == "" && s.Tracking.ResultURL == "" {
		return operation.Outcome{}, validationLost(what)
	}
	return accepted(s, err, note)
}

// validationLost is the error of a validation whose result cannot be read.
func validationLost(what string) *operation.Error {
	return notYet("ValidationLost", what+" has no result that can be read: Azure does not have its status", "Send the request again.")
}

func operationFailure(p lro.Progress) *operation.Error {
	if p.Err != nil {
		return p.Err
	}
	return &operation.Error{
		Code: "OperationCanceled", Class: operation.Fatal, Message: "the operation was canceled in Azure",
		RecommendedAction: []string{"Find in the vault's activity log who canceled it. Then send the request again."},
	}
}
