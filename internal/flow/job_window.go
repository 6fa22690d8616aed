package flow

import (
	"time"

	"azbackupflow/internal/step"
)

const (
	// jobWindowMargin widens the window of time for which Azure lists jobs. Azure
	// filters by its own clock, and the difference from ours is unknown until the
	// first answer. The jobs in the list are compared exactly.
	jobWindowMargin = 10 * time.Minute
	// dateError is the error of a comparison with the Date of an answer, which is
	// truncated to seconds.
	dateError = 2 * time.Second
)

// jobWindow returns the start and end, by Azure's clock, of a window that contains
// every job that started since one of our times.
func (a azure) jobWindow(c step.Call, since time.Time) (start, end time.Time) {
	return a.jobTime(since).Add(-jobWindowMargin), a.jobTime(c.Now).Add(jobWindowMargin)
}

// jobTime converts one of our times to Azure's clock, which the times of jobs
// have. Differences within the error of the comparison are ignored.
func (a azure) jobTime(ours time.Time) time.Time {
	azures := a.unbound.AzureTime(ours)
	if azures.Sub(ours).Abs() <= dateError {
		return ours
	}
	return azures
}
