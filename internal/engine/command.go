package engine

import (
	"time"

	"azbackupflow/internal/operation"
)

// Action is one thing that the engine does for a Machine.
type Action string

// The actions.
const (
	// Load reads the operation's row.
	Load Action = "load"
	// Save writes row and event under the row's ETag.
	Save Action = "save"
	// Lock acquires the lock of the protected item that a step changes.
	Lock Action = "lock"
	// Run makes the current step's ARM call.
	Run Action = "run"
	// Reconcile finds out whether an unanswered call took effect.
	Reconcile Action = "reconcile"
	// Send schedules a message.
	Send Action = "send"
	// SendNotice sends a notice to other systems.
	SendNotice Action = "send notice"
	// Finalize completes the bookkeeping of an ended operation.
	Finalize Action = "finalize"
	// Acknowledge completes the message and ends the delivery.
	Acknowledge Action = "acknowledge"
	// Abandon ends the delivery. The message is redelivered at once.
	Abandon Action = "abandon"
)

// Command is the next action of a Machine. The engine performs one at a time.
// Its Result decides the next one.
type Command struct {
	Action Action
	// Pause comes before the action, to give storage time to recover.
	Pause time.Duration
	// Row and Event are written by Save. Run and Reconcile use Row.
	Row   Row
	Event operation.Event
	// Unchanged reports that the operation waits for the same as before: Save logs
	// nothing at the level INFO.
	Unchanged bool
	// NotAfter is the latest time for Run to start. Zero means no limit.
	NotAfter time.Time
	// AttemptID is sent to Azure as the client request ID by Run.
	AttemptID string
	// Message is sent by Send.
	Message Message
	// Notice is sent by SendNotice. It is about the operation of Row.
	Notice operation.Notice
	// Item is the protected item for Lock.
	Item string
	// Reason is a short text for logs and metrics: why the delivery ended.
	Reason string
}

// StorageResult is the result of a call to the store, the queue or the notifier.
type StorageResult string

// The results.
const (
	OK       StorageResult = ""
	NotFound StorageResult = "not found"
	// Conflict: the ETag did not match.
	Conflict StorageResult = "conflict"
	// Unavailable: there was no answer. A write may have happened.
	Unavailable StorageResult = "unavailable"
	// TooLarge: the data does not fit. A retry fails, too.
	TooLarge StorageResult = "too large"
)

// Result is the result of a command.
type Result struct {
	Storage StorageResult
	// Row is the row that Load read. After Save it holds the new ETag.
	Row Row
	// Run returns either Outcome or Err. Reconcile returns either
	// Reconciliation or Err. With TooLarge, Err names the part that is too
	// large.
	Outcome        operation.Outcome
	Reconciliation operation.Reconciliation
	Err            *operation.Error
	// Locked is the result of Lock.
	Locked Locked
	// Deferral is set if a rate limit had no room for the call of Run or
	// Reconcile. Err is nil then.
	Deferral *operation.Deferral
	// TooLate: Run made no call because NotAfter had passed.
	TooLate bool
	// Panicked: the step panicked. Err holds the stack.
	Panicked bool
	// Exchanges are the HTTP exchanges of Run or Reconcile, for the history.
	Exchanges []operation.Exchange
}
