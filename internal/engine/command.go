package engine

import (
	"time"

	"azbackupflow/internal/operation"
)

// Action is one thing that an invocation does to the world.
type Action string

// The actions.
const (
	// Load reads the operation's row.
	Load Action = "load"
	// Save writes row and event under the row's ETag.
	Save Action = "save"
	// Lock takes the lock of the protected item that a step changes.
	Lock Action = "lock"
	// Run makes the current step's ARM call.
	Run Action = "run"
	// Look reads what became of an unanswered claim.
	Reconcile Action = "look"
	// Send schedules a message.
	Send Action = "send"
	// Tell sends a notice to other systems.
	SendNotice Action = "tell"
	// Close settles what an ended operation owes.
	Finalize Action = "close"
	// Acknowledge ends the invocation: the message is completed.
	Acknowledge Action = "acknowledge"
	// Abandon ends the invocation: the message is delivered again at once.
	Abandon Action = "abandon"
)

// Command is what an invocation wants done next. Exactly one is done at a time;
// its Result decides the next.
type Command struct {
	Action Action
	// Pause comes before the action: the table may need a moment.
	Pause time.Duration
	// Row and Event are what Save writes and what Run and Look work on.
	Row   Row
	Event operation.Event
	// NotAfter is the latest time for Run to start; zero means any time.
	NotAfter time.Time
	// AttemptID goes to Azure as the client request id, with Run.
	AttemptID string
	// Message is what Send sends.
	Message Message
	// Notice is what Tell sends, about the operation of Row.
	Notice operation.Notice
	// Item is the protected item that Lock is for.
	Item string
	// Reason says in a few words why the invocation ended, for logs and
	// metrics.
	Reason string
}

// Reach says how a store or queue answered.
type StorageResult string

// The answers.
const (
	OK          StorageResult = ""
	NotFound    StorageResult = "missing" // there is no such row
	Conflict    StorageResult = "changed" // the ETag did not match
	Unavailable StorageResult = "away"    // no answer; a write may have happened
	// TooLarge: there is no room for what was to be written, nor will there be.
	TooLarge StorageResult = "too large"
)

// Result is what came of a command.
type Result struct {
	Storage StorageResult
	// Row is what Load read; its ETag is also what Save gives back.
	Row Row
	// Outcome and Err are the answer of Run: one of them. Finding and Err are
	// that of Look. With TooLarge, Err says what is too large.
	Outcome        operation.Outcome
	Reconciliation operation.Reconciliation
	Err            *operation.Error
	// Locked is the answer of Lock.
	Locked Locked
	// PutOff: a budget had no room for the call of Run or Look; Err is nil.
	Deferral *operation.Deferral
	// TooLate: Run was not started because NotAfter had passed.
	TooLate bool
	// Panicked: the step panicked; Err holds the stack.
	Panicked bool
	// Exchanges are the HTTP exchanges of Run or Look, for the history.
	Exchanges []operation.Exchange
}
