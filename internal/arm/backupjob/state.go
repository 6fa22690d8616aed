// Package backupjob interprets the status of backup jobs, for both providers.
// It makes no calls and does not know which provider runs a job.
package backupjob

import "strings"

// State is the state of a job, whichever provider runs it.
type State string

// The states of a job. All but Running are final.
const (
	Running               State = "Running"
	Completed             State = "Completed"
	CompletedWithWarnings State = "CompletedWithWarnings"
	Failed                State = "Failed"
	Cancelled             State = "Cancelled"
)

// StateOf returns the state that a job's status means. Unknown statuses count
// as Running. DataProtection's API description also names Success and
// SuccessWithWarning.
func StateOf(status string) State {
	switch strings.ToLower(status) {
	case "completed", "success", "succeeded":
		return Completed
	case "completedwithwarnings", "completedwithwarning", "successwithwarning", "successwithwarnings":
		return CompletedWithWarnings
	case "failed":
		return Failed
	case "cancelled", "canceled":
		return Cancelled
	}
	return Running
}
