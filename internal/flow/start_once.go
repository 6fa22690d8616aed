package flow

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"azbackupflow/internal/arm/lro"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

// onceCall describes a call that must start its work only once, such as a backup
// or a restore, and how the flow follows it to the end of its job.
type onceCall struct {
	// start, await, find and follow name the steps. again is the step at which
	// another start begins; empty means start.
	start, await, find, follow, again string
	// result names the step that follows a completed job; empty ends the operation
	// with the job.
	result string
	// what names for people what is started.
	what string
	// calls names the API operations of start, lists those that list the jobs.
	calls, lists []string
	// ambiguous is the error code if it is unclear which job was started.
	ambiguous string
	// send makes the request, with the attempt ID.
	send func(context.Context, step.Call) (lro.Submission, error)
	// candidates lists the jobs that the attempt may have started.
	candidates candidates
	// job reads the job.
	job jobReader
	// cancel names the step that cancels the job; empty if Azure has no such
	// call.
	cancel string
	// azureTime converts one of our times to Azure's clock; clockSkew is its
	// maximum error. onceSteps sets both.
	azureTime func(time.Time) time.Time
	clockSkew time.Duration
}

// candidate is a job that an attempt may have started.
type candidate struct {
	name, activityID string
	// start is zero if Azure's start time cannot be read.
	start time.Time
	// whose reports whether the job's names are those of the requested item.
	whose match
}

// candidates lists the jobs that started since one of our times, and some that
// started before it; see jobWindow.
type candidates func(ctx context.Context, c step.Call, since time.Time) ([]candidate, error)

const (
	learnedAttempt   = "attempt"
	learnedAttempted = "attemptedAt"
)

// onceSteps returns the steps that make the call once and follow its job.
func (a azure) onceSteps(o onceCall) []step.Step {
	o.azureTime, o.clockSkew = a.unbound.AzureTime, a.ClockSkew
	o.again = cmp.Or(o.again, o.start)
	wait := operationWait{retry: o.again, job: o.follow, what: "the start of the " + o.what, failed: o.startFailed}
	find := step.Step{
		Name: o.find, Effect: step.Read, AwaitsResult: true, Run: o.findJob, Calls: o.lists,
		Asks: "lists the vault's jobs", Then: "only if Azure accepted the " + o.what + " without naming its job, or no longer has its status",
	}
	if o.cancel != "" {
		// The job must be known before it can be canceled.
		wait.onCancel, find.OnCancel = o.await, o.find
	}
	await := a.awaitOperation(o.await, wait)
	await.Asks = "reads the status until it names the job"
	return []step.Step{
		{
			Name: o.start, Effect: step.Once, Run: o.run, Reconcile: o.reconcile, Calls: o.calls,
			Asks: "starts the " + o.what + ", once",
			Then: "a lost answer is reconciled with the vault's jobs before the call is sent again; see [Calls that are made once](#calls-that-are-made-once)",
		},
		await, find,
		o.followStep(),
	}
}

func (o onceCall) run(ctx context.Context, c step.Call) (operation.Outcome, error) {
	submitted, err := o.send(ctx, c)
	out, err := accepted(submitted, err, "the "+o.what+" was accepted")
	if err != nil {
		return operation.Outcome{}, err
	}
	return learn(out, map[string]string{learnedAttempt: c.AttemptID, learnedAttempted: c.Now.UTC().Format(time.RFC3339Nano)}), nil
}

// reconcile finds out whether a call without an answer started a job. The job
// that carries the attempt ID is the one. If no job carries it, the only job of
// the same item since the claim is. A job that started before the claim is never
// adopted.
func (o onceCall) reconcile(ctx context.Context, c step.Call) (operation.Reconciliation, error) {
	claim := c.Operation.Claim
	jobs, ambiguous, err := o.startedJobs(ctx, c, claim.AttemptID, claim.ClaimedAt)
	switch {
	case err != nil:
		return operation.Reconciliation{}, err
	case len(jobs) == 1 && !ambiguous:
		out := skipTo(o.follow, "found as job "+jobs[0].name)
		out.Tracking = jobs[0].tracking()
		return operation.Reconciliation{Result: operation.Found, Outcome: learn(out, map[string]string{learnedAttempt: claim.AttemptID})}, nil
	case len(jobs) == 0 && !ambiguous:
		return operation.Reconciliation{Result: operation.NotFound}, nil
	}
	return operation.Reconciliation{Result: operation.Ambiguous, Err: o.unclear(c, claim.AttemptID)}, nil
}

// findJob finds the job of a call that Azure accepted without naming its job, or
// whose status URL has expired.
func (o onceCall) findJob(ctx context.Context, c step.Call) (operation.Outcome, error) {
	attempt := c.Operation.Learned[learnedAttempt]
	since, err := time.Parse(time.RFC3339Nano, c.Operation.Learned[learnedAttempted])
	if err != nil {
		return operation.Outcome{}, fatal("AttemptUnknown", err.Error())
	}
	jobs, ambiguous, err := o.startedJobs(ctx, c, attempt, since)
	switch {
	case err != nil:
		return operation.Outcome{}, err
	case len(jobs) == 0 && !ambiguous:
		return operation.Outcome{}, notYet("JobNotVisible", "the "+o.what+" was accepted, but the vault does not list its job yet")
	case len(jobs) == 1 && !ambiguous:
		out := next("found as job " + jobs[0].name)
		out.Tracking = jobs[0].tracking()
		return out, nil
	}
	return operation.Outcome{Kind: operation.Unclear, Next: o.again, Err: o.unclear(c, attempt)}, nil
}

// startedJobs returns the jobs that the attempt may have started: the job with
// the attempt's ID, else the jobs of the same item. ambiguous reports whether
// another job may be the attempt's: one that started just before it or at an
// unknown time, or whose names do not prove its item.
func (o onceCall) startedJobs(ctx context.Context, c step.Call, attempt string, since time.Time) (found []candidate, ambiguous bool, err error) {
	listed, since, err := o.listCandidates(ctx, c, since)
	if err != nil {
		return nil, false, err
	}
	earlier := failedJobs(c)
	for _, job := range listed {
		if slices.Contains(earlier, job.name) {
			continue
		}
		if carries(job.activityID, attempt) {
			return []candidate{job}, false, nil
		}
		switch {
		case job.whose == otherItem:
		case job.start.IsZero():
			ambiguous = true
		case job.start.Before(since.Add(-o.clockSkew)):
		case job.whose == ambiguousItem, job.start.Before(since):
			ambiguous = true
		default:
			found = append(found, job)
		}
	}
	return found, ambiguous, nil
}

// carries reports whether a job's activity ID is the attempt's.
func carries(activityID, attempt string) bool {
	return attempt != "" && strings.EqualFold(activityID, attempt)
}

// startAttempt returns the attempt whose job is searched: the one that claimed an
// unanswered call, else the one that Azure accepted.
func startAttempt(c step.Call) string {
	if c.Operation.Claim != nil {
		return c.Operation.Claim.AttemptID
	}
	return c.Operation.Learned[learnedAttempt]
}

// listCandidates lists the jobs, and returns the time by Azure's clock. The first
// answer of a process shows the difference of the clocks. If the window of the
// list was too narrow for it, the list is read again.
func (o onceCall) listCandidates(ctx context.Context, c step.Call, ours time.Time) (jobs []candidate, azures time.Time, err error) {
	before := o.azureTime(ours)
	if jobs, err = o.candidates(ctx, c, ours); err != nil {
		return nil, before, err
	}
	azures = o.azureTime(ours)
	if azures.Sub(before).Abs() >= jobWindowMargin {
		jobs, err = o.candidates(ctx, c, ours)
	}
	return jobs, azures, err
}

func (o onceCall) unclear(c step.Call, attempt string) *operation.Error {
	return &operation.Error{
		Code: o.ambiguous, Class: operation.UserAction,
		Message:           fmt.Sprintf("it is unclear which job of %s belongs to attempt %s", c.Operation.Learned[learnedName], attempt),
		RecommendedAction: []string{"Look at the vault's jobs. If one of them is the " + o.what + " that you need, cancel this operation; else retry it, which starts another one."},
	}
}

func (j candidate) tracking() *operation.Tracking {
	return &operation.Tracking{SubmittedAt: j.start, JobID: j.name}
}
