package operation

import (
	"fmt"
	"time"
)

// Class is the meaning of an error for its operation.
type Class string

// The error classes, from the mildest to the most severe.
const (
	// Throttled: Azure asks to slow down. Waiting is not failing, so it is
	// never counted.
	Throttled Class = "Throttled"
	// Transient: the fault ends without action. Retries are limited.
	Transient Class = "Transient"
	// NotYet: the resource is not visible yet, such as a new file share before
	// its storage account was inquired. Retries are limited.
	NotYet Class = "NotYet"
	// Conflict: another operation is changing the same item. Wait for it and
	// check again.
	Conflict Class = "Conflict"
	// UserAction: an operator must act, for example assign a role. The call is
	// retried slowly for a while, because such changes take time to spread.
	UserAction Class = "UserAction"
	// Fatal: a retry cannot succeed.
	Fatal Class = "Fatal"
)

// Classes lists every class.
func Classes() []Class {
	return []Class{Throttled, Transient, NotYet, Conflict, UserAction, Fatal}
}

// RetryPolicy holds the rules by which errors of a class are retried.
type RetryPolicy struct {
	// InitialWait is the wait after the first failure. It doubles up to
	// MaxWait.
	InitialWait, MaxWait time.Duration
	// MaxAttempts is the number of consecutive failures after which the
	// operation fails. Zero leaves the operation's deadline as the only limit.
	MaxAttempts int
	// MaxSetbacks is how often an error of this class may send the flow back to
	// an earlier step after Azure had accepted the request. Throttling is not
	// counted.
	MaxSetbacks int
}

// RetryPolicy returns the class's retry rules in Azure's time. ok is false for
// Fatal, which is not retried.
func (c Class) RetryPolicy() (p RetryPolicy, ok bool) {
	switch c {
	case Throttled:
		return RetryPolicy{InitialWait: time.Minute, MaxWait: 10 * time.Minute}, true
	case Transient:
		return RetryPolicy{InitialWait: 30 * time.Second, MaxWait: 10 * time.Minute, MaxAttempts: 12, MaxSetbacks: 3}, true
	case NotYet:
		return RetryPolicy{InitialWait: time.Minute, MaxWait: 5 * time.Minute, MaxAttempts: 12, MaxSetbacks: 12}, true
	case Conflict:
		return RetryPolicy{InitialWait: time.Minute, MaxWait: 10 * time.Minute, MaxAttempts: 48, MaxSetbacks: 48}, true
	case UserAction:
		return RetryPolicy{InitialWait: 5 * time.Minute, MaxWait: 10 * time.Minute, MaxAttempts: 5, MaxSetbacks: 5}, true
	case Fatal:
	}
	return RetryPolicy{}, false
}

// Backoff returns the wait after the given number of consecutive failures,
// counted from 1.
func (p RetryPolicy) Backoff(failures int) time.Duration {
	wait := p.InitialWait
	for i := 1; i < failures && wait < p.MaxWait; i++ {
		wait *= 2
	}
	return min(wait, p.MaxWait)
}

// Error is an error as an operator needs it: what Azure reported, what it means
// and what to do. It is stored on the operation and in its history.
type Error struct {
	// Code is Azure's own, such as BMSUserErrorInvalidInput, or one of ours.
	Code    string `json:"code"`
	Message string `json:"message"`
	Class   Class  `json:"class"`
	// RecommendedAction is Azure's recommendation, or ours if Azure sends none.
	RecommendedAction []string `json:"recommendedAction,omitempty"`
	// Detail is a long or technical text of Azure, such as the dump of an HTTP
	// exchange. Only the history shows it.
	Detail     string `json:"detail,omitempty"`
	HTTPStatus int    `json:"httpStatus,omitempty"`
	// Target names the resource or field that Azure blames. InfoType is the type
	// of the error's additionalInfo, such as UserFacingError or PolicyViolation.
	Target   string `json:"target,omitempty"`
	InfoType string `json:"infoType,omitempty"`
	// ActivityID is Azure Backup's ID of the failed activity, which Azure support
	// can look up.
	ActivityID string `json:"activityId,omitempty"`
	// CorrelationID is x-ms-correlation-request-id, which Azure support needs.
	CorrelationID string `json:"correlationId,omitempty"`
	// RetryAfter is the wait that Azure requested. Zero means none.
	RetryAfter time.Duration `json:"retryAfter,omitempty"`
	// Ambiguous means that the request may have taken effect although no usable
	// answer arrived: a timeout, a reset, a 5xx.
	Ambiguous bool `json:"ambiguous,omitempty"`
}

// Error returns code, HTTP status and message in one line.
func (e *Error) Error() string {
	if e.HTTPStatus != 0 {
		return fmt.Sprintf("%s (HTTP %d): %s", e.Code, e.HTTPStatus, e.Message)
	}
	return fmt.Sprintf("%s: %s", e.Code, e.Message)
}
