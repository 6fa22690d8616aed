package flow

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"azbackupflow/internal/arm/lro"
	"azbackupflow/internal/arm/recoveryservices"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

// awaited says where an await step goes.
type awaited struct {
	// retry is the step that asked, to ask again when what was accepted fails
	// in a way worth it.
	retry string
	// job is the step that follows the job, once its id is known.
	job string
	// gone is the step that finds out otherwise, when Azure does not know the
	// operation any more, or it ended without naming the job that it should
	// have; empty means the following step.
	gone string
	// protected is the step that finds the instance of a datasource which
	// Azure says is protected already; empty where that does not happen.
	protected string
	// onlyAsks says that nothing was begun: the answer is all there is, so one
	// that cannot be read ends the operation.
	onlyAsks bool
	// what is awaited, for a person.
	what string
	// onCancel is the step to go to on cancel; see step.Step.
	onCancel string
}

// awaitOperation looks once at the long-running operation that an earlier step
// started. A status that cannot be read is no failure of the operation.
func (a azure) awaitOperation(name string, to awaited) step.Step {
	return step.Step{Name: name, Effect: step.Read, OnCancel: to.onCancel, AwaitsResult: true, Run: func(ctx context.Context, c step.Call) (operation.Outcome, error) {
		var t operation.Tracking
		if c.Operation.Tracking != nil {
			t = *c.Operation.Tracking
		}
		p, err := lro.Track(ctx, a.client(c), t)
		var unread *operation.Error
		switch {
		case err == nil:
		case !to.onlyAsks && errors.As(err, &unread) && unread.Class == operation.Fatal:
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
			return operation.Outcome{Kind: operation.Wait, Tracking: &t, After: p.RetryAfter, Note: to.what}, nil
		case lro.Failed, lro.Canceled:
			if to.protected != "" && alreadyProtected(p.Err) {
				return learn(skipTo(to.protected, p.Err.Message), map[string]string{learnedProtected: p.Err.Message}), nil
			}
			return backTo(to.retry, failure(p)), nil
		case lro.Succeeded, lro.Gone:
		}
		if to.job != "" && t.JobID != "" {
			out := skipTo(to.job, to.what+" is under way as job "+recoveryservices.JobName(t.JobID))
			out.Tracking = &t
			return out, nil
		}
		out := next(to.what + " is done")
		if p.State == lro.Gone {
			out.Note = to.what + ": Azure does not tell any more, looking at the result"
		}
		if unread != nil {
			out.Note = to.what + ": its status cannot be read, looking at the result"
			out.Warnings = []string{fmt.Sprintf("the status of %s cannot be read: %s: %s", to.what, unread.Code, unread.Message)}
		}
		if p.State == lro.Gone || to.job != "" {
			out.Next = to.gone
		}
		out.Tracking = &operation.Tracking{}
		return out, nil
	}}
}

func failure(p lro.Progress) *operation.Error {
	if p.Err != nil {
		return p.Err
	}
	return &operation.Error{
		Code: "OperationCanceled", Class: operation.Fatal, Message: "the operation was canceled in Azure",
		RecommendedAction: []string{"Find out in the vault's activity log who canceled it, then ask again."},
	}
}

func isNotFound(err error) bool {
	var known *operation.Error
	return errors.As(err, &known) && known.HTTPStatus == http.StatusNotFound
}

func fatal(code, message string, actions ...string) *operation.Error {
	return &operation.Error{Code: code, Class: operation.Fatal, Message: message, RecommendedAction: actions}
}

func notYet(code, message string, actions ...string) *operation.Error {
	return &operation.Error{Code: code, Class: operation.NotYet, Message: message, RecommendedAction: actions}
}
