package state

import (
	"time"
	"unicode/utf8"

	"azbackupflow/internal/step"
)

// longestBody is how much of a refused request is kept, in bytes.
const longestBody = 8 << 10

// Refusal is a request that was refused: it can never work as it is, so it was
// acknowledged, written down and not retried.
type Refusal struct {
	// ID tells refusals of the same instant apart. Recording the same ID and
	// At again changes nothing.
	ID string    `json:"id"`
	At time.Time `json:"at"`
	// Source is where the request came from, such as the queue's name.
	Source    string            `json:"source"`
	MessageID string            `json:"messageId,omitempty"`
	Key       string            `json:"key,omitempty"`
	Flow      string            `json:"flow,omitempty"`
	Reason    string            `json:"reason"`
	Fields    []step.FieldError `json:"fields,omitempty"`
	// Body is the request as it came; in lists its first 8 KiB.
	Body string `json:"body,omitempty"`
	// ReplyTo is the queue that its sender wants answers on.
	ReplyTo string `json:"replyTo,omitempty"`
	// ReplayedAt is when a person last sent it again, as the message
	// ReplayedAs.
	ReplayedAt time.Time `json:"replayedAt,omitzero"`
	ReplayedAs string    `json:"replayedAs,omitempty"`
}

// RefusalQuery says which refusals to list, newest first.
type RefusalQuery struct {
	// Since bounds At from below; a zero time means no bound.
	Since time.Time
	// PageSize and Continue are as in Query.
	PageSize int
	Continue string
}

// Size is the page size that the query comes to.
func (q RefusalQuery) Size() int { return pageSize(q.PageSize) }

// RefusalPage is one page of refusals. Continue is empty after the last.
type RefusalPage struct {
	Refusals []Refusal
	Continue string
}

// Shortened is the refusal with no more of its body than is kept.
func (r Refusal) Shortened() Refusal {
	if len(r.Body) <= longestBody {
		return r
	}
	cut := longestBody
	for cut > longestBody-utf8.UTFMax && !utf8.RuneStart(r.Body[cut]) {
		cut--
	}
	r.Body = r.Body[:cut]
	return r
}
