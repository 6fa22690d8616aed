package flow

import (
	"fmt"
	"strings"

	"azbackupflow/internal/arm/lro"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/schema"
	"azbackupflow/internal/step"
)

// maxRetryFailedJob is how often an operation goes back after transient errors.
const maxRetryFailedJob = 3

// retryFailedJob checks the parameter of flows that start a job.
func (c *checks) retryFailedJob(n int) {
	if n < 0 || n > maxRetryFailedJob {
		c.add("retryFailedJob", fmt.Sprintf("is %d", n), fmt.Sprintf("a number from 0 to %d", maxRetryFailedJob))
	}
}

func retryFailedJobFields() schema.Fields {
	return schema.Fields{"retryFailedJob": {
		Meaning: "how often a failed job is started again, from `0` (default) to `3`. See [Failed jobs](#failed-jobs)",
		Rule:    schema.Object{"minimum": 0, "maximum": maxRetryFailedJob},
	}}
}

// learnedFailedJobs holds the IDs of the jobs that failed, separated by commas.
const learnedFailedJobs = "failedJobs"

// failedJobs returns the IDs of the jobs of the operation that failed before.
func failedJobs(c step.Call) []string {
	known := c.Operation.Learned[learnedFailedJobs]
	if known == "" {
		return nil
	}
	return strings.Split(known, ",")
}

// followStep returns the step that follows the job. A job that failed ends the
// operation, unless the request allows another one.
func (o onceCall) followStep() step.Step {
	follow := awaitJob(o.follow, jobWait{reader: o.job, last: o.result == "", onCancel: o.cancel, failed: o.jobFailed})
	if o.result != "" {
		follow.Then = "a completed job continues with `" + o.result + "`; otherwise the operation ends as the job does"
	}
	follow.Then += ". A failed job is started again only as `retryFailedJob` allows"
	return follow
}

// startFailed handles an accepted call whose operation failed. If the operation
// names its job, the job shows the result. Otherwise nothing was started, and the
// call is made again within the limits of the error's class.
func (o onceCall) startFailed(p lro.Progress, t operation.Tracking) operation.Outcome {
	err := operationFailure(p)
	if t.JobID == "" {
		return backTo(o.again, err)
	}
	out := skipTo(o.follow, "the start of the "+o.what+" failed: "+err.Message+"; its job shows the result")
	out.Tracking = &t
	return out
}

// jobFailed handles a job that failed or was canceled. It starts the work again if
// the request allows that and the error may pass. Azure's own isRetryable is not
// used: it is false even where the text says to retry. Otherwise the operation
// fails with the job's error.
func (o onceCall) jobFailed(c step.Call, j job) operation.Outcome {
	all := append(failedJobs(c), j.name)
	facts := map[string]string{learnedFailedJobs: strings.Join(all, ",")}
	what := fmt.Sprintf("%s failed: %s: %s", j.what, j.failure.Code, j.failure.Message)
	p, unreadable := parametersOf[struct{ RetryFailedJob int }](c)
	passes := j.failure.Class != operation.Fatal && j.failure.Class != operation.UserAction
	if unreadable != nil || !passes || len(all) > p.RetryFailedJob {
		return learn(operation.Outcome{Kind: operation.Fail, Next: o.again, Err: j.failure, Note: what}, facts)
	}
	out := backTo(o.again, j.failure)
	out.Warnings = []string{fmt.Sprintf("%s; started again, %d of %d", what, len(all), p.RetryFailedJob)}
	return learn(out, facts)
}
