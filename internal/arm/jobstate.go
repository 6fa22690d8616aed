package arm

import "strings"

// JobState is what a backup job's status means, whichever provider runs it.
type JobState string

// The states of a job; all but JobRunning are ends.
const (
	JobRunning               JobState = "Running"
	JobCompleted             JobState = "Completed"
	JobCompletedWithWarnings JobState = "CompletedWithWarnings"
	JobFailed                JobState = "Failed"
	JobCancelled             JobState = "Cancelled"
)

// JobStateOf reads a job's status; a word that is not known to be an end runs.
// DataProtection's API description also speaks of Success and
// SuccessWithWarning.
func JobStateOf(status string) JobState {
	switch strings.ToLower(status) {
	case "completed", "success", "succeeded":
		return JobCompleted
	case "completedwithwarnings", "completedwithwarning", "successwithwarning", "successwithwarnings":
		return JobCompletedWithWarnings
	case "failed":
		return JobFailed
	case "cancelled", "canceled":
		return JobCancelled
	}
	return JobRunning
}
