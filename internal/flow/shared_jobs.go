package flow

import (
	"context"
	"errors"
	"net/http"
	"time"

	"azbackupflow/internal/arm/backupjob"
	"azbackupflow/internal/arm/dataprotection"
	"azbackupflow/internal/arm/recoveryservices"
	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/jobcache"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/ratelimit"
	"azbackupflow/internal/step"
)

// vaultJobs reads the jobs of one vault: all of them with one list, or one job
// alone.
type vaultJobs struct {
	vault string
	list  func(ctx context.Context, since time.Time) (jobs []jobcache.Job, calls int, err error)
	alone func(context.Context) (job, error)
}

// statusNotListed is the status of a job that the shared list does not contain.
const statusNotListed = "not listed yet"

// readShared reads a job from the list that the waiting operations of a vault
// share. A list does not contain the error and the warnings of a job, nor whether
// an unlisted job exists; for these the job is read alone.
func (a azure) readShared(ctx context.Context, c step.Call, id string, v vaultJobs) (job, error) {
	if a.Jobs == nil {
		return v.alone(ctx)
	}
	found, err := a.Jobs.Find(ctx, jobcache.Query{
		Vault: v.vault, Job: id, RequestedAt: c.Operation.Tracking.SubmittedAt, Own: c.Operation.Flow != trackJobFlow, List: v.list,
	})
	var known *operation.Error
	switch {
	case err != nil && errors.As(err, &known) && known.Class == operation.Throttled:
		return job{}, err
	case err != nil, found.ReadDirectly:
		return a.readAlone(ctx, id, v)
	case !found.Listed:
		name := resourceid.LastName(id)
		return job{name: name, what: "job " + name, status: statusNotListed, state: backupjob.Running, next: found.Next, progress: -1}, nil
	}
	switch found.Job.State() {
	case backupjob.Failed, backupjob.Cancelled, backupjob.CompletedWithWarnings:
		return a.readAlone(ctx, id, v)
	case backupjob.Completed:
		a.Jobs.Forget(v.vault, id)
	case backupjob.Running:
	}
	name := resourceid.LastName(id)
	return job{
		name: name, status: found.Job.Status, state: found.Job.State(), next: found.Next,
		what: found.Job.Operation + " job " + name + " of " + found.Job.Of, progress: -1, // lists name none
	}, nil
}

// JobPace returns the minimum gap between two lists of a vault's jobs, as far as
// the rate limiter knows the quota.
func JobPace(l *ratelimit.Limiter) func(vault string, calls int) time.Duration {
	return func(vault string, calls int) time.Duration {
		return l.Spacing(http.MethodGet, vault+"/backupJobs", float64(calls))
	}
}

// readAlone reads the job itself and removes an ended job from the shared list.
func (a azure) readAlone(ctx context.Context, id string, v vaultJobs) (job, error) {
	j, err := v.alone(ctx)
	if err == nil && j.state != backupjob.Running {
		a.Jobs.Forget(v.vault, id)
	}
	return j, err
}

// listServiceJobs lists the jobs of a Recovery Services vault by their start
// time.
func (a azure) listServiceJobs(c step.Call, vault resourceid.VaultID) func(context.Context, time.Time) ([]jobcache.Job, int, error) {
	return func(ctx context.Context, since time.Time) (jobs []jobcache.Job, calls int, err error) {
		client := a.recordingClient(c, counting(&calls, c.Recorder))
		listed, err := recoveryservices.New(client).ListJobs(ctx, vault, recoveryservices.JobFilter{StartTime: since, EndTime: a.jobTime(a.Now()).Add(jobWindowMargin)})
		for _, j := range listed {
			jobs = append(jobs, jobcache.Job{Name: j.Name, Operation: j.Operation, Of: j.EntityFriendlyName, Status: j.Status, Start: j.StartTime})
		}
		return jobs, calls, err
	}
}

// listInstanceJobs lists the jobs of a Backup vault by their start time.
func (a azure) listInstanceJobs(c step.Call, vault resourceid.VaultID) func(context.Context, time.Time) ([]jobcache.Job, int, error) {
	return func(ctx context.Context, since time.Time) (jobs []jobcache.Job, calls int, err error) {
		client := a.recordingClient(c, counting(&calls, c.Recorder))
		listed, err := dataprotection.New(client).ListJobs(ctx, vault, dataprotection.JobFilter{StartedSince: since})
		for _, j := range listed {
			jobs = append(jobs, jobcache.Job{Name: j.Name, Operation: j.OperationCategory, Of: j.DatasourceName, Status: j.Status, Start: j.StartTime})
		}
		return jobs, calls, err
	}
}

// counting returns a recorder that counts the exchanges that it passes on.
func counting(calls *int, next *step.Recorder) func(operation.Exchange) {
	return func(x operation.Exchange) {
		*calls++
		next.Record(x)
	}
}
