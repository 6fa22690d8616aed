package api

import "time"

// Summary counts operations.
type Summary struct {
	At time.Time `json:"at"`
	// Since limits the ended operations to those that were created at this time or
	// later. Operations that have not ended are all counted.
	Since time.Time `json:"since"`
	// Status holds a number for every status.
	Status map[Status]int `json:"status"`
	Flows  []FlowSummary  `json:"flows"`
	// Overdue counts operations whose next check is more than ten minutes late.
	Overdue int `json:"overdue"`
	// Parked counts operations that wait for an operator, Paused those that an
	// operator paused.
	Parked int `json:"parked"`
	Paused int `json:"paused"`
	// Unreadable counts operations whose rows cannot be read.
	Unreadable int `json:"unreadable"`
	// Incomplete reports that there are more operations than are counted. Choose a
	// later Since.
	Incomplete bool `json:"incomplete,omitempty"`
}

// FlowSummary counts the operations of one flow.
type FlowSummary struct {
	Flow string `json:"flow"`
	// Status holds the statuses that occur.
	Status map[Status]int `json:"status"`
}

// BulkStatus describes how far a bulk has come.
type BulkStatus struct {
	Key       string    `json:"key"`
	Flow      string    `json:"flow"`
	CreatedAt time.Time `json:"createdAt"`
	// StartedBy sent the bulk. Reason is their own text.
	StartedBy *Actor `json:"startedBy,omitempty"`
	Reason    string `json:"reason,omitempty"`
	// Targets counts the different targets. Each of them is waiting, rejected, or
	// has an operation that Status counts.
	Targets int `json:"targets"`
	// Waiting counts targets whose operations do not exist yet.
	Waiting int `json:"waiting"`
	// Rejected counts targets that were rejected and have not started since.
	Rejected int `json:"rejected"`
	// Status holds a number for every status.
	Status map[Status]int `json:"status"`
	// Done reports that no target waits and that every operation has ended.
	Done bool `json:"done"`
	// Problems holds operations that failed, timed out or are parked, newest first.
	// GET /api/operations?bulk=KEY lists all operations.
	Problems []BulkProblem `json:"problems"`
	// Truncated reports that there are more targets than are recorded, so that
	// Targets and Waiting are too small.
	Truncated bool `json:"truncated,omitempty"`
}

// MaxBulkProblems is the maximum number of entries in BulkStatus.Problems.
const MaxBulkProblems = 50

// BulkProblem is an operation of a bulk that did not succeed.
type BulkProblem struct {
	ID     string `json:"id"`
	Key    string `json:"key"`
	Status Status `json:"status"`
	Error  *Error `json:"error,omitempty"`
}

// Schedule is a schedule, how far it has run, and its next runs.
type Schedule struct {
	Name     string `json:"name"`
	Cron     string `json:"cron"`
	TimeZone string `json:"timeZone"`
	Flow     string `json:"flow"`
	// Enabled is the setting of the file. PausedBy and the others are set while an
	// operator pauses the schedule.
	Enabled     bool      `json:"enabled"`
	Paused      bool      `json:"paused"`
	PausedAt    time.Time `json:"pausedAt,omitzero"`
	PausedBy    *Actor    `json:"pausedBy,omitempty"`
	PauseReason string    `json:"pauseReason,omitempty"`
	// Missed and Overlap are the policies for missed and overlapping runs.
	Missed  string `json:"missed"`
	Overlap string `json:"overlap"`
	// Next holds the next ten runs, fewer if eight years hold fewer, and none if the
	// schedule is disabled.
	Next []ScheduledRun `json:"next"`
	// Last is the last run that was started.
	Last *ScheduledRun `json:"last,omitempty"`
	// Requested is the requested run that is being started, LastRequested the last
	// one that was.
	Requested     string `json:"requested,omitempty"`
	LastRequested string `json:"lastRequested,omitempty"`
	// Waiting counts items whose run waits for their previous run.
	Waiting int `json:"waiting"`
	// Skipped counts runs that were missed, overlapped, or came due during a pause.
	// Rejected counts runs that could never start.
	Skipped  int `json:"skipped"`
	Rejected int `json:"rejected"`
	// FailingSince is set while the run that is due cannot be started.
	FailingSince time.Time `json:"failingSince,omitzero"`
}

// ScheduledRun is one run of a schedule.
type ScheduledRun struct {
	// Slot is the local date and time. The operations of the run have it in the
	// label slot.
	Slot string    `json:"slot"`
	At   time.Time `json:"at"`
}

// ScheduleList lists the schedules in the order of the file.
type ScheduleList struct {
	Schedules []Schedule `json:"schedules"`
	// Incomplete reports that the file has errors, so that schedules may be missing.
	Incomplete bool `json:"incomplete,omitempty"`
}

// RequestedRun is the response to a request to run a schedule now.
type RequestedRun struct {
	Schedule string `json:"schedule"`
	// Slot is the name of the run. The operations have it in the label slot.
	Slot string `json:"slot"`
}

// Limit describes one limit of Azure, as far as it is known.
type Limit struct {
	// Kind is quota for a limit of one provider's action, which resets, and bucket
	// for a limit of Azure Resource Manager, which refills.
	Kind string `json:"kind"`
	// Name is a display name, such as "backupJobs read quota".
	Name         string `json:"name"`
	Subscription string `json:"subscription"`
	// Provider is set for buckets, Scope and Action for quotas. Scope is the lower-
	// case resource id of the vault, account or location.
	Provider string `json:"provider,omitempty"`
	Scope    string `json:"scope,omitempty"`
	Action   string `json:"action,omitempty"`
	// Limit is the number of calls that Azure allows; zero means unknown. Used and
	// Remaining are estimates between two answers of Azure.
	Limit     int `json:"limit"`
	Used      int `json:"used"`
	Remaining int `json:"remaining"`
	// WindowSeconds is the interval of a quota; zero means unknown.
	WindowSeconds int       `json:"windowSeconds,omitempty"`
	ResetAt       time.Time `json:"resetAt,omitzero"`
	ThrottledAt   time.Time `json:"throttledAt,omitzero"`
	BlockedUntil  time.Time `json:"blockedUntil,omitzero"`
	// WaitingCount counts operations that wait for the limit. Waiting holds the
	// first of them by the time of their call.
	WaitingCount int           `json:"waitingCount"`
	Waiting      []LimitWaiter `json:"waiting"`
}

// MaxLimitWaiters is the maximum number of entries in Limit.Waiting.
const MaxLimitWaiters = 20

// LimitWaiter is an operation that waits for a limit.
type LimitWaiter struct {
	Operation string    `json:"operation"`
	Flow      string    `json:"flow"`
	Until     time.Time `json:"until"`
}

// LimitList lists limits. Limits that are far from used up are missing if
// another instance of the app makes the calls.
type LimitList struct {
	At     time.Time `json:"at"`
	Limits []Limit   `json:"limits"`
}

// Version describes the app.
type Version struct {
	Version string `json:"version"`
	// Go is the version of Go that compiled the program.
	Go string `json:"go"`
	// API is the version of the API, as in the OpenAPI document.
	API string `json:"api"`
}

// Health reports that the app responds and reaches its tables.
type Health struct {
	Status string    `json:"status"`
	At     time.Time `json:"at"`
}
