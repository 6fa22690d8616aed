// Package rejected defines the record of a rejected request: a request that can
// never work as it is, or that was dead-lettered. Rejected requests are
// acknowledged, stored and listed, so that an operator can fix and replay them.
//
// The package holds plain records. It must not know how they are stored, listed
// over HTTP or replayed.
package rejected

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"regexp"
	"time"
	"unicode/utf8"

	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

// ErrNotFound reports that no rejected request has the ID.
var ErrNotFound = errors.New("rejected request not found")

// Source is the way a rejected request arrived.
type Source string

// Sources of rejected requests.
const (
	// Requests is the queue of requests: the request was rejected.
	Requests Source = "requests"
	// Steps is the queue of wake-ups: the message is not a wake-up, so it cannot
	// be replayed.
	Steps Source = "steps"
	// RequestsDeadLetters is the dead-letter queue of requests: the request was
	// delivered too often.
	RequestsDeadLetters Source = "requests/$DeadLetterQueue"
	// StepsDeadLetters is the dead-letter queue of wake-ups: the message is not
	// a wake-up, so it cannot be replayed.
	StepsDeadLetters Source = "steps/$DeadLetterQueue"
	// Events is the function that receives events of Event Grid: the event was
	// rejected.
	Events Source = "protect-new-resource"
	// Schedules is the file of schedules: a scheduled request was rejected.
	Schedules Source = "schedules.yaml"
)

// Base64 is the encoding of a body that is not text.
const Base64 = "base64"

// Request is a rejected request.
type Request struct {
	// ID identifies the rejected request; see NewID. Storing a record with the
	// same ID replaces it.
	ID string    `json:"id"`
	At time.Time `json:"at"`
	// Source is the way the request arrived.
	Source    Source            `json:"source"`
	MessageID string            `json:"messageId,omitempty"`
	Key       string            `json:"key,omitempty"`
	Flow      string            `json:"flow,omitempty"`
	Reason    string            `json:"reason"`
	Fields    []step.FieldError `json:"fields,omitempty"`
	// Body is the request as it arrived, without secrets. Lists contain its first
	// 8 KiB.
	Body string `json:"body,omitempty"`
	// BodyType describes a body that is not bytes, BodySize is the size of the
	// body as it arrived. BodyEncoding is Base64 for a body that is not text.
	BodyType     string `json:"bodyType,omitempty"`
	BodySize     int    `json:"bodySize,omitempty"`
	BodyEncoding string `json:"bodyEncoding,omitempty"`
	// Redacted reports that Body or MessageID lost a secret. Such a request cannot
	// be replayed as it is recorded.
	Redacted bool `json:"redacted,omitempty"`
	// ReplyTo is the queue on which the sender expects answers.
	ReplyTo string `json:"replyTo,omitempty"`
	// ReplayedAt is the time of the last replay, ReplayedAs its message ID.
	ReplayedAt time.Time `json:"replayedAt,omitzero"`
	ReplayedAs string    `json:"replayedAs,omitempty"`
	// ReplayedBy holds who replayed the request last, and why.
	ReplayedBy operation.Cause `json:"replayedBy,omitzero"`
}

// Query selects rejected requests to list, newest first.
type Query struct {
	// Since excludes requests that were rejected earlier; a zero time sets no
	// limit.
	Since time.Time
	// PageSize and Continue are as in operation.Query.
	PageSize int
	Continue string
}

// Page is one page of rejected requests. Continue is empty after the last page.
type Page struct {
	Requests []Request
	// Unreadable holds the IDs of requests whose rows cannot be read.
	Unreadable []string
	Continue   string
}

// Size returns the effective page size.
func (q Query) Size() int { return operation.PageSize(q.PageSize) }

// NewID returns the ID of a request that was rejected at the given time. It is
// the same for the same arguments. IDs sort newest first.
func NewID(at time.Time, source Source, messageID string, body []byte) string {
	sum := sha256.Sum256(append([]byte(string(source)+"|"+messageID+"|"), body...))
	return operation.NewestFirst(at) + "-" + hex.EncodeToString(sum[:8])
}

// ValidID reports whether NewID can return the text.
func ValidID(id string) bool { return regexp.MustCompile(`^[0-9]{19}-[0-9a-f]{16}$`).MatchString(id) }

// maxListedBody limits the body of a request in lists, in bytes.
const maxListedBody = 8 << 10

// Shortened returns the request with its body cut to the limit of lists.
func (r Request) Shortened() Request {
	r.Body = Cut(r.Body, maxListedBody)
	return r
}

// Cut returns the beginning of a text, at most limit bytes long, without half a
// character at its end.
func Cut(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	end := limit
	for end > 0 && end > limit-utf8.UTFMax && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end]
}
