package armsim

import (
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"
)

// view returns a job as the API answers it: file shares as recorded, machines
// and databases as in the examples of the API documents.
func (j *job) view(v *vault, now time.Time, detailed bool) map[string]any {
	names := j.item.workload.names()
	ended := j.ended
	if ended.IsZero() {
		ended = now
	}
	p := map[string]any{
		"jobType":              names.jobType,
		"duration":             isoDuration(ended.Sub(j.started)),
		"entityFriendlyName":   j.item.friendly,
		"backupManagementType": names.managementType,
		"operation":            j.name(),
		"status":               j.status,
		"startTime":            j.started.UTC().Format(azureTime),
		"activityId":           j.activity,
	}
	if !j.ended.IsZero() {
		p["endTime"] = j.ended.UTC().Format(azureTime)
	} else if j.status == jobInProgress && j.cancellable() {
		p["actionsInfo"] = []string{"Cancellable"}
	}
	if j.failure != nil {
		p["errorDetails"] = []any{j.failure.view(j.item.workload)}
	}
	var extended map[string]any
	switch j.item.workload {
	case fileShare:
		p["isUserTriggered"] = false // recorded even for on-demand backups
		p["storageAccountName"] = j.item.container.friendly
		p["storageAccountVersion"] = "Storage"
		if j.operation == operationBackup && !j.ended.IsZero() {
			p["storageAccountVersion"] = "MicrosoftStorage"
		}
		extended = j.shareInfo()
	case virtualMachine:
		p["virtualMachineVersion"] = "Compute"
		p["containerName"] = strings.TrimPrefix(j.item.container.name, "IaasVMContainer;")
		p["isUserTriggered"] = j.operation == operationBackup
		extended = j.machineInfo(p["duration"])
	case sqlDatabase, hanaDatabase:
		p["workloadType"] = names.workloadType
		p["entityFriendlyName"] = j.item.friendly + " [" + j.item.server + "]"
		extended = j.databaseInfo()
	}
	if bag, ok := extended["propertyBag"].(map[string]any); ok && j.restore != nil {
		clear(bag)
		maps.Copy(bag, j.restore.details)
		if !j.ended.IsZero() {
			maps.Copy(bag, j.restore.results)
		}
	}
	if detailed {
		p["extendedInfo"] = extended
	}
	return map[string]any{
		"id": v.ID() + "/backupJobs/" + j.id, "name": j.id,
		"type": "Microsoft.RecoveryServices/vaults/backupJobs", "properties": p,
	}
}

// shareInfo returns the extendedInfo of a file share job, as recorded.
func (j *job) shareInfo() map[string]any {
	bag := map[string]any{"File Share Name": j.item.friendly}
	tasks := []any{}
	switch {
	case j.operation == operationProtect:
		bag["Storage Account Name"] = j.item.container.friendly
		bag["Policy Name"] = j.policy
	case j.operation == operationUnprotect, j.operation == operationStop, j.operation == operationUndelete:
		bag["Storage Account Name"] = j.item.container.friendly
	case !j.ended.IsZero():
		bag["Data Transferred (in MB)"] = "0"
		bag["Whether job is adhoc or scheduled."] = "True"
		status := j.status
		if status == jobWithWarnings {
			status = jobCompleted
		}
		tasks = append(tasks, map[string]any{"taskId": "Take Snapshot", "taskType": "Normal", "status": status})
	}
	return map[string]any{"tasksList": tasks, "propertyBag": bag}
}

func (j *job) machineInfo(duration any) map[string]any {
	snapshot, transfer := "InProgress", "NotStarted"
	if !j.ended.IsZero() {
		snapshot, transfer = j.status, j.status
	}
	return map[string]any{
		"tasksList": []any{
			map[string]any{"taskId": "Take Snapshot", "duration": duration, "status": snapshot},
			map[string]any{"taskId": "Transfer data to vault", "duration": "PT0S", "status": transfer},
		},
		"propertyBag": map[string]any{"VM Name": j.item.friendly},
	}
}

func (j *job) databaseInfo() map[string]any {
	status := "InProgress"
	if !j.ended.IsZero() {
		status = j.status
	}
	return map[string]any{
		"tasksList":   []any{map[string]any{"taskId": "Transfer data to vault", "status": status}},
		"propertyBag": map[string]any{"Data Source Name": j.item.friendly},
	}
}

// view returns one entry of errorDetails. All three kinds of job have an
// integer code.
func (f *jobFailure) view(w workload) map[string]any {
	v := map[string]any{"errorCode": f.code, "errorString": f.text, "recommendations": []string{}}
	if f.recommendation != "" {
		v["recommendations"] = []string{f.recommendation}
	}
	if w != fileShare {
		v["errorTitle"] = f.text
	}
	return v
}

// isoDuration formats a duration as .NET does: PT42.701185S, PT1H2M3.5S.
func isoDuration(d time.Duration) string {
	if d <= 0 {
		return "PT0S"
	}
	var b strings.Builder
	b.WriteString("PT")
	if h := d / time.Hour; h > 0 {
		fmt.Fprintf(&b, "%dH", h)
	}
	if m := d / time.Minute % 60; m > 0 {
		fmt.Fprintf(&b, "%dM", m)
	}
	if rest := (d % time.Minute).Truncate(nanosecondsPerTick); rest > 0 || b.Len() == len("PT") {
		b.WriteString(strconv.FormatFloat(rest.Seconds(), 'f', -1, 64) + "S")
	}
	return b.String()
}
