// Package operation holds the record of one Azure Backup operation and its
// state machine. It is pure: no I/O, no clock, no context. What time it is,
// what Azure answered and which ids are fresh come in as arguments, so that
// every transition is a table that a test can read.
package operation

import (
	"encoding/json"
	"maps"
	"slices"
	"time"
)

// Operation is the record of one operation: all that is needed to run its next
// step, whoever runs it. It is stored as one row of Table Storage.
type Operation struct {
	// ID is derived from tenant, flow and key (see ID), so that creating the
	// same operation twice gives the same row.
	ID     string `json:"id"`
	Tenant string `json:"tenant,omitempty"`
	Key    string `json:"key"`

	// Flow and Version name the list of steps that this operation follows to
	// its end, however many newer versions are deployed meanwhile.
	Flow    string `json:"flow"`
	Version int    `json:"version"`

	Status Status `json:"status"`
	// Step is the name of the step to run next; Seq counts the saves that
	// moved the operation on, and fences every message.
	Step string `json:"step"`
	Seq  int64  `json:"seq"`

	// Parameters are the request's, checked and normalised by the flow.
	// RequestHash tells a repeated request from another one under one key.
	Parameters  json.RawMessage `json:"parameters"`
	RequestHash string          `json:"requestHash"`

	// Learned holds what steps read from Azure's answers, such as container
	// and item names, which are never composed.
	Learned  map[string]string `json:"learned,omitempty"`
	Tracking *Tracking         `json:"tracking,omitempty"`
	Claim    *Claim            `json:"claim,omitempty"`
	// WriteID is fresh in every save: whoever lost the answer to its save
	// recognises its own write by it.
	WriteID string `json:"writeId"`

	// DueAt is when to look again, Deadline when the operation ends as
	// TimedOut.
	DueAt    time.Time `json:"dueAt"`
	Deadline time.Time `json:"deadline"`
	// LockedItem is the protected item whose lock the operation has taken since
	// it was last retried; no other operation changes it until this one ends.
	LockedItem string `json:"lockedItem,omitempty"`
	// WaitingFor says, for a person, what the next look waits for.
	WaitingFor string `json:"waitingFor,omitempty"`

	// Booking names the budget account that keeps a place for the operation's
	// next call; see PutOff.
	Reservation string `json:"booking,omitempty"`

	// Attempts counts consecutive failures of the current step. Setbacks
	// counts how often a failure sent the flow back to an earlier step; both
	// are bounded by the error's class.
	Attempts int `json:"attempts,omitempty"`
	Setbacks int `json:"setbacks,omitempty"`
	// Rescues counts the sweep's wake-ups that were delivered at this Seq;
	// LastRescue is the last one that counted, and RescuedAt when.
	Rescues    int       `json:"rescues,omitempty"`
	LastRescue string    `json:"lastRescue,omitempty"`
	RescuedAt  time.Time `json:"rescuedAt,omitzero"`

	CancelRequested bool `json:"cancelRequested,omitempty"`
	Paused          bool `json:"paused,omitempty"`

	LastError *Error   `json:"lastError,omitempty"`
	Warnings  []string `json:"warnings,omitempty"`

	// Round counts how often a person retried the operation after its end:
	// the notice of each round has its own id. RetriedAt is when that was
	// last: the deadline counts from it.
	Round     int       `json:"round,omitempty"`
	RetriedAt time.Time `json:"retriedAt,omitzero"`
	// RetryStep is the step to begin with when a person retries the operation,
	// where that is not the current one: a job that failed stays failed, and
	// what cannot be told stays untold.
	RetryStep string `json:"retryStep,omitempty"`
	// Owed are the notices about this operation that were not sent yet, oldest
	// first.
	PendingNotices []Notice `json:"owed,omitempty"`
	// ReplyTo is the queue that the sender of the request wants answers on,
	// RequestID the id of the message that the request came as.
	ReplyTo   string `json:"replyTo,omitempty"`
	RequestID string `json:"requestId,omitempty"`

	Labels map[string]string `json:"labels,omitempty"`
	// TraceParent is the W3C trace context of the operation: all its
	// invocations are below it.
	TraceParent string `json:"traceParent,omitempty"`

	CreatedAt     time.Time `json:"createdAt"`
	UpdatedAt     time.Time `json:"updatedAt"`
	StepStartedAt time.Time `json:"stepStartedAt"`
	EndedAt       time.Time `json:"endedAt,omitzero"`
}

// Tracking is how an operation that Azure accepted is followed: by its status
// URL until the job id is known, by the job from then on.
type Tracking struct {
	// StatusURL is the Azure-AsyncOperation header, ResultURL the Location
	// header. Both are signed and sent back unchanged; they are capabilities,
	// so they are never logged and never shown.
	StatusURL string `json:"statusUrl,omitempty"`
	ResultURL string `json:"resultUrl,omitempty"`
	// SubmittedAt is ARM's own Date of the answer that accepted the request.
	SubmittedAt time.Time `json:"submittedAt"`
	// JobID is the backup job: a bare GUID for Recovery Services, a full
	// resource id for DataProtection. Once seen it outlives the URLs.
	JobID string `json:"jobId,omitempty"`
}

// Claim is the right to make one call that must not happen twice. Only the
// invocation that saved it may make the call, and only before NotAfter; what
// became of an unanswered claim is looked up after NotAfter plus a grace.
type Claim struct {
	AttemptID string    `json:"attemptId"`
	ClaimedAt time.Time `json:"claimedAt"`
	NotAfter  time.Time `json:"notAfter"`
}

// clone returns a copy that shares nothing that a transition changes.
func (op Operation) clone() Operation {
	op.Learned = maps.Clone(op.Learned)
	op.Labels = maps.Clone(op.Labels)
	op.Warnings = append([]string(nil), op.Warnings...)
	op.PendingNotices = slices.Clone(op.PendingNotices)
	if op.Tracking != nil {
		t := *op.Tracking
		op.Tracking = &t
	}
	if op.Claim != nil {
		c := *op.Claim
		op.Claim = &c
	}
	return op
}
