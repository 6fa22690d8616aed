package api

import (
	"encoding/json"
	"fmt"
	"time"
)

// Status is the state of an operation. It uses Azure's word where Azure has
// one.
type Status string

// Statuses of an operation. Parked waits for an operator. The statuses for which
// Terminal returns true are final.
const (
	Pending               Status = "Pending"
	Running               Status = "Running"
	Parked                Status = "Parked"
	Succeeded             Status = "Succeeded"
	SucceededWithWarnings Status = "SucceededWithWarnings"
	Failed                Status = "Failed"
	Canceled              Status = "Canceled"
	TimedOut              Status = "TimedOut"
)

// Statuses returns every status, live ones first.
func Statuses() []Status {
	return []Status{Pending, Running, Parked, Succeeded, SucceededWithWarnings, Failed, Canceled, TimedOut}
}

// Terminal reports whether the operation has ended. Only a retry changes an
// ended operation.
func (s Status) Terminal() bool {
	switch s {
	case Succeeded, SucceededWithWarnings, Failed, Canceled, TimedOut:
		return true
	case Pending, Running, Parked:
	}
	return false
}

// Successful reports whether the operation did its work.
func (s Status) Successful() bool { return s == Succeeded || s == SucceededWithWarnings }

// Operation is the public view of an operation. It leaves out Azure's status
// URLs, because such a URL grants access without a token.
type Operation struct {
	ID      string            `json:"id"`
	Flow    string            `json:"flow"`
	Version int               `json:"version"`
	Key     string            `json:"key"`
	Status  Status            `json:"status"`
	Step    string            `json:"step"`
	Seq     int64             `json:"seq"`
	Labels  map[string]string `json:"labels,omitempty"`
	// JobID is the GUID of the Azure Backup job that the operation waits for, or
	// waited for.
	JobID string `json:"jobId,omitempty"`
	// Learned holds names that the steps read from Azure.
	Learned  map[string]string `json:"learned,omitempty"`
	Warnings []string          `json:"warnings,omitempty"`
	Error    *Error            `json:"error,omitempty"`

	WaitingFor      string    `json:"waitingFor,omitempty"`
	DueAt           time.Time `json:"dueAt,omitzero"`
	Deadline        time.Time `json:"deadline"`
	Attempts        int       `json:"attempts,omitempty"`
	CancelRequested bool      `json:"cancelRequested,omitempty"`
	Paused          bool      `json:"paused,omitempty"`

	// Vault is the resource id of the vault. Item is the resource id of the
	// protected item, as far as it is known.
	Vault string `json:"vault,omitempty"`
	Item  string `json:"item,omitempty"`
	// Bulk is the key of the bulk that started the operation.
	Bulk string `json:"bulk,omitempty"`
	// Round counts the restarts: retries by an operator, and corrected requests.
	Round int `json:"round,omitempty"`
	// StartedBy is the caller that started the operation, Reason their own text.
	StartedBy *Actor `json:"startedBy,omitempty"`
	Reason    string `json:"reason,omitempty"`

	CreatedAt time.Time `json:"createdAt"`
	UpdatedAt time.Time `json:"updatedAt"`
	EndedAt   time.Time `json:"endedAt,omitzero"`

	// Validation is the validation that the operation waits for, or waited for.
	Validation *DrillValidation `json:"validation,omitempty"`

	Parameters json.RawMessage `json:"parameters,omitempty"`
	// Steps are the steps that the operation can take by its parameters, in order.
	// Azure's answers decide which of them it takes. Lists do not have them.
	Steps []string `json:"steps,omitempty"`
}

// DrillValidation is a question that a restore drill asks a validator.
type DrillValidation struct {
	// Target is the resource id of what is to be validated.
	Target string `json:"target"`
	// Answers are accepted before Closes.
	Opened time.Time `json:"opened"`
	Closes time.Time `json:"closes"`
	// Answer is nil until a validator has answered.
	Answer *ValidationAnswer `json:"answer,omitempty"`
}

// ValidationAnswer is the answer of a validator.
type ValidationAnswer struct {
	// Result is Successful or Failed.
	Result string `json:"result"`
	// Text is the validator's comment.
	Text string    `json:"text,omitempty"`
	By   *Actor    `json:"by,omitempty"`
	At   time.Time `json:"at"`
}

// DrillAnswer is the body of an answer to a validation.
type DrillAnswer struct {
	Result string `json:"result"`
	Text   string `json:"text,omitempty"`
	// Target names the place that the validator looked at; empty if it does not say.
	Target string `json:"target,omitempty"`
}

// Started is the response to a start.
type Started struct {
	Operation
	// Created reports that this request started the operation. It is false if the
	// key belongs to an operation that was started before: then nothing was
	// started.
	Created bool `json:"created"`
}

// Actor identifies the caller that started or changed an operation. It holds no
// names or addresses of people.
type Actor struct {
	// Kind is user, app, functionKey, anonymous, schedule, rule or queue.
	Kind string `json:"kind"`
	// ID is the object id of a user, the application id of an app, the first eight
	// hexadecimal digits of the SHA-256 of a function key, or a name.
	ID string `json:"id,omitempty"`
}

// Error is the last error of an operation.
type Error struct {
	// Code is Azure's error code, such as BMSUserErrorInvalidInput, or a code of
	// azbackupflow.
	Code    string `json:"code"`
	Message string `json:"message"`
	// Class decides what happens next: Throttled, Transient, NotYet, Conflict,
	// UserAction or Fatal.
	Class             string   `json:"class"`
	RecommendedAction []string `json:"recommendedAction,omitempty"`
	// Detail is a long or technical text of Azure. It is set in a history only.
	Detail     string `json:"detail,omitempty"`
	HTTPStatus int    `json:"httpStatus,omitempty"`
	// Target names the resource or field that Azure blames. InfoType is the type
	// of the error's additionalInfo. ActivityID is Azure Backup's ID of
	// the failed activity.
	Target     string `json:"target,omitempty"`
	InfoType   string `json:"infoType,omitempty"`
	ActivityID string `json:"activityId,omitempty"`
	// CorrelationID is x-ms-correlation-request-id. Azure support needs it.
	CorrelationID string `json:"correlationId,omitempty"`
	// RetryAfter is Azure's Retry-After in seconds, zero if Azure sent none.
	RetryAfter int64 `json:"retryAfter,omitempty"`
	// Ambiguous reports that the request may have taken effect, because no
	// usable response arrived.
	Ambiguous bool `json:"ambiguous,omitempty"`
}

// Error returns the error in one line.
func (e *Error) Error() string {
	if e.HTTPStatus != 0 {
		return fmt.Sprintf("%s (HTTP %d): %s", e.Code, e.HTTPStatus, e.Message)
	}
	return fmt.Sprintf("%s: %s", e.Code, e.Message)
}

// Exchange is one call to Azure Resource Manager.
type Exchange struct {
	Method        string `json:"method"`
	Path          string `json:"path"`
	Status        int    `json:"status,omitempty"`
	CorrelationID string `json:"correlationId,omitempty"`
	RequestID     string `json:"requestId,omitempty"`
	// Failure describes the network error of a call that got no response.
	Failure string `json:"failure,omitempty"`
}

// Event is one line of an operation's history. Every save of the operation
// adds one.
type Event struct {
	Seq int64     `json:"seq"`
	At  time.Time `json:"at"`
	// Step is the step that ran, or the current one if none ran. Next is the step
	// that follows, if it is another one.
	Step      string     `json:"step"`
	Next      string     `json:"next,omitempty"`
	Status    Status     `json:"status"`
	What      string     `json:"what"`
	Exchanges []Exchange `json:"exchanges,omitempty"`
	DueAt     time.Time  `json:"dueAt,omitzero"`
	Err       *Error     `json:"error,omitempty"`
	// Actor is the caller that made the change, Reason their own text. They are
	// empty for changes that azbackupflow makes itself.
	Actor  *Actor `json:"actor,omitempty"`
	Reason string `json:"reason,omitempty"`
	// WriteID identifies the save that added the event.
	WriteID string `json:"writeId"`
}

// History holds the events of an operation, oldest first.
type History struct {
	Events []Event `json:"events"`
	// Unreadable holds the row keys of events that cannot be read.
	Unreadable []string `json:"unreadable,omitempty"`
}

// OperationPage is one page of operations, newest first.
type OperationPage struct {
	Operations []Operation `json:"operations"`
	// Unreadable holds the ids of operations, or the keys of index entries, whose
	// rows cannot be read.
	Unreadable []string `json:"unreadable,omitempty"`
	// Continue requests the next page; empty on the last page.
	Continue string `json:"continue,omitempty"`
}

// Flow is a flow that requests can start.
type Flow struct {
	Name    string   `json:"name"`
	Version int      `json:"version"`
	Summary string   `json:"summary"`
	Steps   []string `json:"steps"`
}

// FlowList lists the flows by name.
type FlowList struct {
	Flows []Flow `json:"flows"`
}

// SweepResult counts what a sweep found among the live operations.
type SweepResult struct {
	// Live counts operations that are not finalized. Parked counts those of
	// them that wait for an operator.
	Live   int `json:"live"`
	Parked int `json:"parked"`
	// Overdue counts operations whose message did not arrive. The sweep sent
	// each of them a rescue message.
	Overdue int `json:"overdue"`
	// PendingNotices counts operations with notices that are not sent.
	PendingNotices int `json:"pendingNotices"`
	// Finalized counts ended operations whose indexes the sweep updated.
	Finalized int `json:"finalized"`
	// Failed counts operations that the sweep could not check. Skipped counts
	// operations for which it had no time.
	Failed  int `json:"failed"`
	Skipped int `json:"skipped"`
	// Unreadable counts live operations whose rows cannot be read.
	Unreadable int `json:"unreadable"`
}
