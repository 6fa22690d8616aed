package operation

import (
	"fmt"
	"time"
)

// Class says what an error means for the operation that met it.
type Class string

// The classes, from the mildest to the hardest.
const (
	// Throttled: Azure asks for patience. Waiting is not failing: it is never
	// counted.
	Throttled Class = "Throttled"
	// Transient: a fault that passes by itself; bounded.
	Transient Class = "Transient"
	// NotYet: what is looked for is not visible yet, such as a new file share
	// before its storage account was inquired; bounded.
	NotYet Class = "NotYet"
	// Conflict: something else is at work on the same item; wait for it and
	// look again.
	Conflict Class = "Conflict"
	// UserAction: a person must do something, such as assign a role; retried
	// slowly for a while because such changes spread slowly, then reported.
	UserAction Class = "UserAction"
	// Fatal: retrying cannot mend it.
	Fatal Class = "Fatal"
)

// Patience is how an error class is retried.
type RetryPolicy struct {
	// First is the wait after the first failure; it doubles up to Longest.
	InitialWait, MaxWait time.Duration
	// Attempts is how many failures in a row are borne; zero means no limit
	// but the operation's deadline.
	MaxAttempts int
	// Setbacks is how often an error of this class, met after Azure had
	// accepted the request, may send the flow back to ask again. Throttling is
	// not counted.
	MaxSetbacks int
}

// Patience gives the class's retry rules. ok is false for Fatal, which is not
// retried.
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

// Wait is the pause after the given number of failures in a row (1 is the
// first).
func (p RetryPolicy) Backoff(failures int) time.Duration {
	wait := p.InitialWait
	for i := 1; i < failures && wait < p.MaxWait; i++ {
		wait *= 2
	}
	return min(wait, p.MaxWait)
}

// Error is an error as a person needs it: what Azure said, what it means, what
// to do. It is kept on the operation and in its history.
type Error struct {
	// Code is Azure's own, such as BMSUserErrorInvalidInput, or one of ours.
	Code    string `json:"code"`
	Message string `json:"message"`
	Class   Class  `json:"class"`
	// RecommendedAction is Azure's recommendation, or ours where Azure has
	// none.
	RecommendedAction []string `json:"recommendedAction,omitempty"`
	HTTPStatus        int      `json:"httpStatus,omitempty"`
	// CorrelationID is x-ms-correlation-request-id: what Azure support asks
	// for.
	CorrelationID string `json:"correlationId,omitempty"`
	// RetryAfter is how long Azure asked to wait; zero if it did not say.
	RetryAfter time.Duration `json:"retryAfter,omitempty"`
	// Ambiguous means that the request may have taken effect although no
	// usable answer came: a time-out, a reset, a 5xx.
	Ambiguous bool `json:"ambiguous,omitempty"`
}

// Error says what went wrong in one line.
func (e *Error) Error() string {
	if e.HTTPStatus != 0 {
		return fmt.Sprintf("%s (HTTP %d): %s", e.Code, e.HTTPStatus, e.Message)
	}
	return fmt.Sprintf("%s: %s", e.Code, e.Message)
}
