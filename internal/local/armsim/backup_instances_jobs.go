package armsim

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// instanceJob is a job of a Backup vault.
type instanceJob struct {
	id, operation, status string
	activity              string
	instance              *instance
	policy                string
	started, ended        time.Time
	visible               time.Time
	failure               *userError
	made                  *recoveryPoint // by a backup
	restore               *restorePlan
}

// startInstanceJob starts a job that ends after the given time, as the outcome
// says. finish runs unless the job has already failed, and may itself fail it.
// ended runs in every case.
func (s *Simulator) startInstanceJob(c *call, j *instanceJob, takes time.Duration, o *Outcome, finish func(at time.Time) *userError, ended func()) *instanceJob {
	j.id, j.status, j.activity = s.random.guid(), jobInProgress, s.activity(c)
	j.policy, j.started = j.instance.policy, c.now
	j.visible = c.now.Add(s.scaled(s.config.Durations.JobVisible))
	c.backupVault.jobs = append(c.backupVault.jobs, j)
	if o != nil && o.KeepsRunning {
		return j
	}
	s.world.events.at(c.now.Add(s.scaled(takes)), func(at time.Time) {
		j.ended, j.status = at, jobCompleted
		if o != nil && o.JobStatus != "" {
			j.status = o.JobStatus
		}
		j.failure = o.jobError(j.activity)
		if j.status == jobCompleted || j.status == jobWithWarnings {
			if failure := finish(at); failure != nil {
				j.status, j.failure = jobFailed, failure.withActivity(j.activity)
			}
		}
		ended()
	})
	return j
}

// jobError returns the error of a job or of a protection that the outcome sets.
func (o *Outcome) jobError(activity string) *userError {
	if o == nil || o.Code == "" {
		return nil
	}
	return newUserError(o.Code, o.ErrorText, o.Recommendation).withActivity(activity)
}

// longID returns the job ID as operations show it, with this casing (recorded).
func (j *instanceJob) longID() string {
	v := j.instance.vault
	return "/subscriptions/" + v.Subscription + "/resourcegroups/" + v.ResourceGroup + "/providers/" + dataProtection +
		"/BackupVaults/" + v.Name + "/backupJobs/" + j.id
}

// listInstanceJobs answers GET backupJobs of a Backup vault, newest first and
// without extendedInfo (both choices; the example of the API documents has
// none).
func (s *Simulator) listInstanceJobs(c *call) (answer, *armError) {
	var found []*instanceJob
	for _, j := range slices.Backward(c.backupVault.jobs) {
		if !j.visible.After(c.now) {
			found = append(found, j)
		}
	}
	return page(s, c, found, func(j *instanceJob) map[string]any { return j.view(false) })
}

// readInstanceJob answers GET backupJobs/{id} of a Backup vault.
func (s *Simulator) readInstanceJob(c *call) (answer, *armError) {
	for _, j := range c.backupVault.jobs {
		if strings.EqualFold(j.id, c.path.names[1]) && !j.visible.After(c.now) {
			return jsonAnswer(http.StatusOK, j.view(true)), nil
		}
	}
	return answer{}, c.notFound(2)
}

// view returns a job as recorded: the duration of a running job is PT0S.
func (j *instanceJob) view(detailed bool) map[string]any {
	v, d := j.instance.vault, j.instance.source
	p := map[string]any{
		"activityID": j.activity, "subscriptionId": v.Subscription, "backupInstanceId": j.instance.id(),
		"policyId": v.policyID(j.policy), "dataSourceId": d.id, "vaultName": v.Name,
		"backupInstanceFriendlyName": j.instance.friendly, "policyName": j.policy, "sourceResourceGroup": d.group,
		"dataSourceSetName": nil, "dataSourceName": d.name, "sourceDataStoreName": nil, "sourceDataStoreType": nil,
		"destinationDataStoreName": nil, "progressEnabled": true, "etag": j.etag(), "sourceSubscriptionID": d.subscription,
		"dataSourceLocation": d.location, "startTime": j.started.UTC().Format(azureTime), "endTime": nil,
		"dataSourceType": d.kind.Type, "operationCategory": j.operation, "operation": j.operation, "status": j.status,
		"restoreType": nil, "isUserTriggered": true, "rehydrationPriority": nil, "supportedActions": []string{""},
		"duration": "PT0S", "progressUrl": nil, "isCrossRegionRestore": nil, "errorDetails": nil,
	}
	if d.kind.Type == databaseType {
		p["dataSourceSetName"] = d.serverName
	}
	if !j.ended.IsZero() {
		p["endTime"], p["duration"] = j.ended.UTC().Format(azureTime), isoDuration(j.ended.Sub(j.started))
	}
	if j.made != nil {
		p["destinationDataStoreName"] = vaultStore
		if j.made.store == operationalStore {
			p["destinationDataStoreName"] = "OperationalTierStore" // recorded
		}
	}
	if j.failure != nil {
		p["errorDetails"] = []any{j.failure.userFacing()}
	}
	if r := j.restore; r != nil {
		p["sourceDataStoreType"] = r.body.SourceDataStoreType
		if r.body.RehydrationPriority != "" {
			p["rehydrationPriority"] = r.body.RehydrationPriority
		}
	}
	if detailed {
		p["extendedInfo"] = j.extended()
	}
	return map[string]any{
		"id": v.ID() + "/backupJobs/" + j.id, "name": j.id, "type": dataProtection + "/backupVaults/backupJobs", "properties": p,
	}
}

// etag returns an etag in the recorded form.
func (j *instanceJob) etag() string {
	at := j.ended
	if at.IsZero() {
		at = j.started
	}
	return `W/"datetime'` + url.QueryEscape(at.UTC().Format(azureTime)) + `'"`
}

// extended returns the extendedInfo of a job, as recorded.
func (j *instanceJob) extended() map[string]any {
	task := map[string]any{
		"taskId": 1, "taskName": "Trigger " + j.operation, "taskStatus": j.status, "taskProgress": nil, "additionalDetails": nil,
	}
	info := map[string]any{
		"backupInstanceState": nil, "dataTransferredInBytes": nil, "targetRecoverPoint": nil, "sourceRecoverPoint": nil,
		"recoveryDestination": nil, "subTasks": []any{task}, "additionalDetails": map[string]any{"RetentionTag": defaultRetention},
		"warningDetails": nil,
	}
	if !j.ended.IsZero() {
		details := map[string]any{"TaskId": j.activity, "DatasourceType": j.instance.source.kind.Type}
		task["additionalDetails"] = details
		if j.restore != nil {
			details["DataTransferredInBytes"] = "71152"
		} else {
			details["OriginalDatasourceSizeInBytes"] = "7844323"
		}
	}
	if j.made != nil {
		info["dataTransferredInBytes"] = 2092
		// Recorded: the job of a backup does not show the time of its recovery point.
		info["targetRecoverPoint"] = map[string]any{"recoveryPointID": j.made.id, "recoveryPointTime": noEndTime + "Z"}
	}
	if r := j.restore; r != nil {
		source := map[string]any{"recoveryPointID": nil, "recoveryPointTime": r.at.UTC().Format(azureTime)}
		if r.point != nil {
			source["recoveryPointID"], source["recoveryPointTime"] = r.point.id, r.point.time.UTC().Format(azureTime)
		}
		info["sourceRecoverPoint"] = source
		info["recoveryDestination"] = r.destination
		info["additionalDetails"] = nil
		if r.prefix != "" {
			info["additionalDetails"] = map[string]any{"Restore File Prefix": r.prefix}
		}
	}
	return info
}
