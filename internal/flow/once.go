package flow

import (
	"context"
	"fmt"
	"strings"
	"time"

	"azbackupflow/internal/arm/lro"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

// started says how something that must be started once, such as a backup or a
// restore, is asked for and followed to its job's end.
type started struct {
	// start, await, find and follow name the steps.
	start, await, find, follow string
	// what is started, for a person.
	what string
	// code is the error's when it cannot be told which job was started.
	code string
	// ask makes the request, with the attempt id.
	ask func(context.Context, step.Call) (lro.Submission, error)
	// candidates lists the jobs that may be the attempt's.
	candidates candidates
	// read reads the job.
	read jobReader
	// azureTime tells Azure's time at one of ours, clockSkew how wrong that may
	// be; see Azure.
	azureTime func(time.Time) time.Time
	clockSkew time.Duration
	// cancel names the step that cancels the job; empty where Azure has no
	// such call.
	cancel string
}

// candidate is a job that may have come from an attempt.
type candidate struct {
	name, activityID string
	start            time.Time
	// whose says whether its names are those of what was asked for.
	whose match
}

// candidates lists the jobs that began since some minutes before the time given,
// so that clocks may differ by as much.
type candidates func(ctx context.Context, c step.Call, since time.Time) ([]candidate, error)

const (
	learnedAttempt   = "attempt"
	learnedTriggered = "attemptedAt"
)

// onceSteps start it once and follow it.
func (a azure) onceSteps(s started) []step.Step {
	s.azureTime, s.clockSkew = a.unbound.AzureTime, a.ClockSkew
	await := awaited{retry: s.start, job: s.follow, what: "the start of the " + s.what}
	find := step.Step{Name: s.find, Effect: step.Read, AwaitsResult: true, Run: s.findJob}
	if s.cancel != "" {
		// The job must be known before it can be canceled.
		await.onCancel, find.OnCancel = s.await, s.find
	}
	return []step.Step{
		{Name: s.start, Effect: step.Once, Reconcile: s.look, Run: func(ctx context.Context, c step.Call) (operation.Outcome, error) {
			submitted, err := s.ask(ctx, c)
			if err != nil {
				return operation.Outcome{}, err
			}
			return learn(accepted(submitted, "the "+s.what+" was accepted"), map[string]string{
				learnedAttempt: c.AttemptID, learnedTriggered: c.Now.UTC().Format(time.RFC3339Nano),
			}), nil
		}},
		a.awaitOperation(s.await, await),
		// Only where Azure did not name the job.
		find,
		awaitJob(s.follow, awaitedJob{read: s.read, retry: s.start, last: true, onCancel: s.cancel}),
	}
}

// look finds out what became of a request that was never answered. The job
// that carries the attempt id is ours. Where no job carries it, the only job of
// the same thing that began since the claim is; one that began before the
// request is never taken for ours.
func (s started) look(ctx context.Context, c step.Call) (operation.Reconciliation, error) {
	claim := c.Operation.Claim
	jobs, doubtful, err := s.jobs(ctx, c, claim.AttemptID, claim.ClaimedAt)
	switch {
	case err != nil:
		return operation.Reconciliation{}, err
	case len(jobs) == 1 && !doubtful:
		out := skipTo(s.follow, "found as job "+jobs[0].name)
		out.Tracking = jobs[0].tracking()
		return operation.Reconciliation{Result: operation.Found, Outcome: learn(out, map[string]string{learnedAttempt: claim.AttemptID})}, nil
	case len(jobs) == 0 && !doubtful:
		return operation.Reconciliation{Result: operation.NotFound}, nil
	}
	return operation.Reconciliation{Result: operation.Ambiguous, Err: s.unclear(c, claim.AttemptID)}, nil
}

// findJob finds the job of a request that Azure accepted without naming its
// job, or whose status URL has expired.
func (s started) findJob(ctx context.Context, c step.Call) (operation.Outcome, error) {
	attempt := c.Operation.Learned[learnedAttempt]
	since, err := time.Parse(time.RFC3339Nano, c.Operation.Learned[learnedTriggered])
	if err != nil {
		return operation.Outcome{}, fatal("AttemptUnknown", err.Error())
	}
	jobs, doubtful, err := s.jobs(ctx, c, attempt, since)
	switch {
	case err != nil:
		return operation.Outcome{}, err
	case len(jobs) == 0 && !doubtful:
		return operation.Outcome{}, notYet("JobNotVisible", "the "+s.what+" was accepted, but the vault does not list its job yet")
	case len(jobs) == 1 && !doubtful:
		out := next("found as job " + jobs[0].name)
		out.Tracking = jobs[0].tracking()
		return out, nil
	}
	return operation.Outcome{Kind: operation.Unclear, Next: s.start, Err: s.unclear(c, attempt)}, nil
}

// jobs sorts the candidates: the one that carries the attempt's id, else those
// of the same thing. doubtful says that another may be the attempt's: it began
// just before, or its names do not tell whose it is.
func (s started) jobs(ctx context.Context, c step.Call, attempt string, since time.Time) (found []candidate, doubtful bool, err error) {
	listed, err := s.candidates(ctx, c, since)
	if err != nil {
		return nil, false, err
	}
	since = s.azureTime(since) // by the answer that listed them
	for _, job := range listed {
		if strings.EqualFold(job.activityID, attempt) {
			return []candidate{job}, false, nil
		}
		switch {
		case job.whose == otherItem, job.start.Before(since.Add(-s.clockSkew)):
		case job.whose == doubtfulItem, job.start.Before(since):
			doubtful = true
		default:
			found = append(found, job)
		}
	}
	return found, doubtful, nil
}

func (s started) unclear(c step.Call, attempt string) *operation.Error {
	return &operation.Error{
		Code: s.code, Class: operation.UserAction,
		Message:           fmt.Sprintf("it cannot be told which job of %s belongs to attempt %s", c.Operation.Learned[learnedName], attempt),
		RecommendedAction: []string{"Look at the vault's jobs. Cancel this operation if one of them serves; retry it to ask again."},
	}
}

func (j candidate) tracking() *operation.Tracking {
	return &operation.Tracking{SubmittedAt: j.start, JobID: j.name}
}
