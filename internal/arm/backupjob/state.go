// Package backupjob interprets the status of backup jobs, for both providers.
// It makes no calls and does not know which provider runs a job.
package backupjob

import (
	"math"
	"strconv"
	"strings"
)

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

// Percent returns the progress that Azure names, such as 63.0 or "63 %", in whole
// percent from 0 to 100. -1 means that it names none.
func Percent(text string) int {
	n, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(text), "%")), 64)
	if err != nil || math.IsNaN(n) || n < 0 || n > 100 {
		return -1
	}
	return int(n)
}
