package armsim

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// Statuses of jobs.
const (
	jobInProgress   = "InProgress"
	jobCompleted    = "Completed"
	jobWithWarnings = "CompletedWithWarnings"
	jobFailed       = "Failed"
	jobCancelling   = "Cancelling"
	jobCancelled    = "Cancelled"
)

// job is one job of a vault.
type job struct {
	id, operation, status string
	activity              string
	item                  *item
	policy                string
	started, ended        time.Time
	visible               time.Time
	failure               *jobFailure
	// restore is set for a restore, kind for the backup of a database.
	restore *itemRestoreMade
	kind    string
	// onEnd, if set, runs when the job ends, whatever its result.
	onEnd func()
}

// jobFailure holds the errorDetails of a job.
type jobFailure struct {
	code                 int
	text, recommendation string
}

// startJob starts a job that ends after the given time, as the outcome says.
// finish runs if the job completes, with or without warnings.
func (s *Simulator) startJob(c *call, operation string, i *item, takes time.Duration, o *Outcome, finish func(at time.Time)) *job {
	j := &job{
		id: s.random.guid(), operation: operation, status: jobInProgress, activity: c.clientID,
		item: i, policy: i.policy, started: c.now, visible: c.now.Add(s.scaled(s.config.Durations.JobVisible)),
	}
	if j.activity == "" {
		j.activity = s.random.guid()
	}
	c.vault.jobs = append(c.vault.jobs, j)
	if o != nil && o.KeepsRunning {
		return j
	}
	s.world.events.at(c.now.Add(s.scaled(takes)), func(at time.Time) {
		if j.status != jobInProgress {
			return
		}
		j.end(jobCompleted, at)
		j.apply(o)
		if j.status == jobCompleted || j.status == jobWithWarnings {
			finish(at)
		}
	})
	return j
}

// end ends the job.
func (j *job) end(status string, at time.Time) {
	j.status, j.ended = status, at
	if j.onEnd != nil {
		j.onEnd()
	}
}

// apply sets the end of the job that an outcome demands.
func (j *job) apply(o *Outcome) {
	if o == nil {
		return
	}
	if o.JobStatus != "" {
		j.status = o.JobStatus
	}
	if o.ErrorCode != 0 || o.ErrorText != "" {
		j.failure = &jobFailure{o.ErrorCode, o.ErrorText, o.Recommendation}
	}
}

// outcome returns and consumes the outcome for the next work of this kind, nil
// if there is none.
func (s *Simulator) outcome(operation string, names ...string) *Outcome {
	for n, o := range s.outcomes {
		fits := o.Item == "" || slices.ContainsFunc(names, func(name string) bool { return strings.EqualFold(name, o.Item) })
		if o.Operation != operation || !fits {
			continue
		}
		o.Times--
		if o.Times <= 0 {
			s.outcomes = slices.Delete(s.outcomes, n, n+1)
		}
		copied := *o
		return &copied
	}
	return nil
}

// operationError returns the failure of the operation itself, if the outcome
// sets one.
func (o *Outcome) operationError() *armError {
	if o == nil || o.OperationCode == "" {
		return nil
	}
	return &armError{status: http.StatusBadRequest, code: o.OperationCode, message: o.OperationMessage}
}

// job returns the job with the ID if reads show it.
func (v *vault) job(id string, now time.Time) *job {
	for _, j := range v.jobs {
		if strings.EqualFold(j.id, id) && !j.visible.After(now) {
			return j
		}
	}
	return nil
}

// listJobs answers GET backupJobs, newest first, without extendedInfo.
func (s *Simulator) listJobs(c *call) (answer, *armError) {
	f, err := parseFilter(c, "status", "operation", "backupManagementType", "jobId", "startTime", "endTime")
	if err != nil {
		return answer{}, err
	}
	from, hasFrom, err := f.time("startTime")
	if err != nil {
		return answer{}, err
	}
	to, hasTo, err := f.time("endTime")
	if err != nil {
		return answer{}, err
	}
	var found []*job
	for _, j := range slices.Backward(c.vault.jobs) {
		switch {
		case j.visible.After(c.now),
			!f.is("status", j.status), !f.is("operation", j.name()), !f.is("jobId", j.id),
			!f.is("backupManagementType", j.item.workload.names().managementType),
			// The filter has whole seconds; jobs have fractions.
			hasFrom && j.started.Truncate(time.Second).Before(from),
			hasTo && j.started.Truncate(time.Second).After(to):
			continue
		}
		found = append(found, j)
	}
	return page(s, c, found, func(j *job) map[string]any { return j.view(c.vault, c.now, false) })
}

// readJob answers GET backupJobs/{id}.
func (s *Simulator) readJob(c *call) (answer, *armError) {
	j := c.vault.job(c.path.names[1], c.now)
	if j == nil {
		return answer{}, jobNotFound(c.path.names[1])
	}
	return jsonAnswer(http.StatusOK, j.view(c.vault, c.now, true)), nil
}

// cancelJob answers POST backupJobs/{id}/cancel. The rejection for an ended job
// is documented; its code is a choice. If an Outcome fails the operation of the
// cancel, the job continues.
func (s *Simulator) cancelJob(c *call) (answer, *armError) {
	j := c.vault.job(c.path.names[1], c.now)
	if j == nil {
		return answer{}, jobNotFound(c.path.names[1])
	}
	if j.status != jobInProgress || !j.cancellable() {
		return answer{}, &armError{
			status: http.StatusBadRequest, code: "BMSUserErrorJobNotCancellable", target: "jobName",
			message: "The job '" + j.id + "' cannot be cancelled: its status is " + j.status + ".",
		}
	}
	out := s.outcome(operationCancel, j.item.friendly, j.item.name)
	o := s.start(c, 2, s.config.Durations.Cancel, out, func(*operation) *armError { return nil })
	if out.operationError() == nil {
		j.status = jobCancelling
		s.world.events.at(c.now.Add(s.scaled(s.config.Durations.Cancel)), func(at time.Time) { j.end(jobCancelled, at) })
	}
	// The path of the result is documented; the path of the status is a choice.
	o.statusPath = c.path.parentID() + "/backupOperations"
	return s.accepted(c, o), nil
}

// cancellable reports whether Azure can cancel the job: backups and restores.
func (j *job) cancellable() bool {
	return j.operation == operationBackup || j.operation == operationRestore || j.operation == operationRehydrate
}

// name returns the operation as the job shows it. Recorded: the job of a database
// has the type of backup once it has ended.
func (j *job) name() string {
	kind := j.kind
	if j.restore != nil {
		kind = j.restore.kind
	}
	switch {
	case kind == "" || j.ended.IsZero():
		return j.operation
	case j.restore != nil && j.status == jobFailed:
		return j.operation + " (Invalid)"
	}
	return j.operation + " (" + kind + ")"
}
