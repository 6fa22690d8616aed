// Package operation holds the record of one Azure Backup operation and its
// state machine. It is pure: no I/O, no clock, no context. The time, Azure's
// answer and fresh IDs are arguments, so that every transition is a table that
// a test can read. It may not know flows, the engine, storage, queues or ARM:
// it imports nothing of this module.
package operation

import (
	"encoding/json"
	"maps"
	"slices"
	"time"
)

// Operation is the record of one operation. It holds everything that any
// process needs to run the operation's next step. It is stored as one row of
// Table Storage.
type Operation struct {
	Identity
	Progress
	AzureState
	Retry
	Outbox
	Rescue
}

// Identity holds the keys of the operation and its request. It changes only when
// a corrected request replaces the first one; see Restarted.
type Identity struct {
	// ID is derived from tenant, flow and key (see ID), so that creating the
	// same operation twice yields the same row.
	ID     string `json:"id"`
	Tenant string `json:"tenant,omitempty"`
	Key    string `json:"key"`
	// Flow and Version name the list of steps that this operation follows to
	// its end, even after newer versions are deployed.
	Flow    string `json:"flow"`
	Version int    `json:"version"`
	// Parameters are the request's, validated and normalized by the flow.
	// RequestHash distinguishes a repeated request from a different one under
	// the same key.
	Parameters  json.RawMessage `json:"parameters"`
	RequestHash string          `json:"requestHash"`
	// EarlierRequests are the hashes of the requests that a corrected one replaced;
	// see Restarted. None of them starts anything again, however late it arrives.
	EarlierRequests []string          `json:"earlierRequests,omitempty"`
	Labels          map[string]string `json:"labels,omitempty"`
	// Bulk is the key of the bulk that the request was a target of.
	Bulk string `json:"bulk,omitempty"`
	// RequestID is the ID of the message that carried the request.
	RequestID string `json:"requestId,omitempty"`
	// Cause holds who started the operation, and why.
	Cause Cause `json:"cause,omitzero"`
	// TraceParent is the W3C trace context of the operation. The spans of all
	// its deliveries are below it.
	TraceParent string    `json:"traceParent,omitempty"`
	CreatedAt   time.Time `json:"createdAt"`
}

// Progress holds how far the operation has come and when it continues.
type Progress struct {
	Status Status `json:"status"`
	// Step is the name of the step to run next.
	Step string `json:"step"`
	// Seq counts the saves that moved the operation on. It fences every
	// message.
	Seq int64 `json:"seq"`
	// WriteID is fresh in every save. A writer that lost the answer to its save
	// recognizes its own write by it.
	WriteID string `json:"writeId"`
	// DueAt is when to check again. Deadline is when the operation ends as
	// TimedOut.
	DueAt    time.Time `json:"dueAt"`
	Deadline time.Time `json:"deadline"`
	// WaitingFor names, for an operator, the thing that the next check waits for.
	WaitingFor string   `json:"waitingFor,omitempty"`
	Warnings   []string `json:"warnings,omitempty"`
	// CancelRequested and Paused are flags. Other writers set them at the
	// current Seq.
	CancelRequested bool `json:"cancelRequested,omitempty"`
	Paused          bool `json:"paused,omitempty"`
	// CancelCause holds who requested the cancellation, and why.
	CancelCause Cause `json:"cancelCause,omitzero"`
	// Failures are why the operation will not succeed, while it cleans up; see
	// Failure.
	Failures []Failure `json:"failures,omitempty"`
	// Validation is the question that the operation asked outside; nil if none.
	Validation    *Validation `json:"validation,omitempty"`
	UpdatedAt     time.Time   `json:"updatedAt"`
	StepStartedAt time.Time   `json:"stepStartedAt"`
	EndedAt       time.Time   `json:"endedAt,omitzero"`
}

// AzureState holds what the operation knows of Azure and what it claims there.
type AzureState struct {
	// Learned holds what steps read from Azure's answers, such as container
	// and item names, which are never composed.
	Learned  map[string]string `json:"learned,omitempty"`
	Tracking *Tracking         `json:"tracking,omitempty"`
	Claim    *Claim            `json:"claim,omitempty"`
	// OnlyRead is true until the operation makes its first call that may change
	// something in Azure.
	OnlyRead bool `json:"onlyRead,omitempty"`
	// LockedItem is the protected item whose lock the operation has taken since
	// its last retry. No other operation changes the item until this one ends.
	LockedItem string `json:"lockedItem,omitempty"`
	// Reservation names the rate limit that keeps a place for the operation's
	// next call; see Deferral.
	Reservation string `json:"reservation,omitempty"`
}

// Retry counts failures and holds what an operator's retry needs.
type Retry struct {
	// Attempts counts consecutive failures of the current step. Setbacks counts
	// how often a failure sent the flow back to an earlier step. The class of
	// the error limits both.
	Attempts  int    `json:"attempts,omitempty"`
	Setbacks  int    `json:"setbacks,omitempty"`
	LastError *Error `json:"lastError,omitempty"`
	// Round counts how often the operation began again after its end, by a retry or
	// by a corrected request under its key, so that the notices of each round have
	// their own IDs. RetriedAt is when it last did. The deadline counts from it.
	Round     int       `json:"round,omitempty"`
	RetriedAt time.Time `json:"retriedAt,omitzero"`
	// RetryStep is the step at which an operator's retry begins. Empty means the
	// current step. A failed job stays failed, so a retry must start a new one.
	RetryStep string `json:"retryStep,omitempty"`
	// RetryCause holds who retried the operation last, and why.
	RetryCause Cause `json:"retryCause,omitzero"`
}

// Outbox holds the notices that are saved with the row and sent afterwards.
type Outbox struct {
	// PendingNotices are the notices that were not sent yet, oldest first.
	PendingNotices []Notice `json:"pendingNotices,omitempty"`
	// ReplyTo is the queue on which the sender of the request wants answers.
	ReplyTo string `json:"replyTo,omitempty"`
}

// Rescue counts the sweep's wake-ups that were delivered at the current Seq.
type Rescue struct {
	Rescues int `json:"rescues,omitempty"`
	// LastRescue is the name of the last rescue that was counted, RescuedAt its
	// time.
	LastRescue string    `json:"lastRescue,omitempty"`
	RescuedAt  time.Time `json:"rescuedAt,omitzero"`
}

// Tracking holds the means to follow work that Azure accepted: the status URL
// until the job ID is known, the job from then on.
type Tracking struct {
	// StatusURL is the Azure-AsyncOperation header, ResultURL the Location
	// header. Both are signed and sent back unchanged. They are capabilities,
	// so they are never logged or shown.
	StatusURL string `json:"statusUrl,omitempty"`
	ResultURL string `json:"resultUrl,omitempty"`
	// SubmittedAt is the Date header of the answer in which ARM accepted the
	// request.
	SubmittedAt time.Time `json:"submittedAt"`
	// JobID is the backup job's GUID. It outlives the URLs.
	JobID string `json:"jobId,omitempty"`
}

// Claim is the right to make one call that must not happen twice. Only the
// delivery that saved the claim may make the call, and only before NotAfter.
// If the call is not answered, it is reconciled after NotAfter plus a grace
// period.
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
	op.Failures = slices.Clone(op.Failures)
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
