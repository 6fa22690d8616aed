package flow

import (
	"context"

	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/arm/lro"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

// run is the function of a step: it makes the step's call and interprets the
// answer.
type run = func(context.Context, step.Call) (operation.Outcome, error)

// next continues with the following step at once.
func next(note string) operation.Outcome {
	return operation.Outcome{Kind: operation.Advance, Pace: operation.PaceNow, Note: note}
}

// skipTo continues with the named step at once.
func skipTo(name, note string) operation.Outcome {
	return operation.Outcome{Kind: operation.Advance, Next: name, Pace: operation.PaceNow, Note: note}
}

// finish ends the operation successfully.
func finish(note string) operation.Outcome {
	return operation.Outcome{Kind: operation.Finish, Note: note}
}

// waitAtJobPace runs the step again after the delay for jobs.
func waitAtJobPace(note string) operation.Outcome {
	return operation.Outcome{Kind: operation.Wait, Pace: operation.PaceJob, Note: note}
}

// accepted continues with the following step, which waits for what Azure has
// accepted. It runs after Azure's Retry-After.
func accepted(s lro.Submission, err error, note string) (operation.Outcome, error) {
	if err != nil {
		return operation.Outcome{}, err
	}
	out := operation.Outcome{Kind: operation.Advance, Tracking: &s.Tracking, After: s.RetryAfter, Note: note}
	if s.Done {
		out.Pace = operation.PaceNow
	}
	return out, nil
}

// backTo runs an earlier step again, within the limits of the error's class.
func backTo(name string, err *operation.Error) operation.Outcome {
	return operation.Outcome{Kind: operation.Back, Next: name, Err: err, Note: err.Message}
}

// orDiscover returns the step that runs after the error: discover if the vault
// does not know the datasource, else retry.
func orDiscover(err *operation.Error, discover, retry string) string {
	if discover != "" && err.Code == azerr.CodeDataSourceNotFound {
		return discover
	}
	return retry
}

// learn adds facts to an outcome.
func learn(out operation.Outcome, facts map[string]string) operation.Outcome {
	out.Learned = facts
	return out
}

func fatal(code, message string, actions ...string) *operation.Error {
	return &operation.Error{Code: code, Class: operation.Fatal, Message: message, RecommendedAction: actions}
}

func notYet(code, message string, actions ...string) *operation.Error {
	return &operation.Error{Code: code, Class: operation.NotYet, Message: message, RecommendedAction: actions}
}

// final returns the error as Fatal, whatever its class: nothing can be retried.
func final(err *operation.Error) *operation.Error {
	last := *err
	last.Class = operation.Fatal
	return &last
}
