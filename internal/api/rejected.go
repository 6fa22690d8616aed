package api

import "time"

// RejectedRequest is a request that can never work as it is, or that Service
// Bus dead-lettered.
type RejectedRequest struct {
	ID string    `json:"id"`
	At time.Time `json:"at"`
	// Source names the queue, file or function that the request came from.
	Source    string       `json:"source"`
	MessageID string       `json:"messageId,omitempty"`
	Key       string       `json:"key,omitempty"`
	Flow      string       `json:"flow,omitempty"`
	Reason    string       `json:"reason"`
	Fields    []FieldError `json:"fields,omitempty"`
	// Body is the request as it arrived, without secrets. Lists hold its first
	// 8 KiB.
	Body string `json:"body,omitempty"`
	// BodyType describes a body that is not bytes, such as "AMQP value (int64)".
	// BodySize is the size in bytes with which it arrived. BodyEncoding is
	// "base64" for a body that is not text.
	BodyType     string `json:"bodyType,omitempty"`
	BodySize     int    `json:"bodySize,omitempty"`
	BodyEncoding string `json:"bodyEncoding,omitempty"`
	// Redacted reports that a secret was removed from the body or the message id.
	// A replay then needs the complete request.
	Redacted bool `json:"redacted,omitempty"`
	// ReplyTo is the queue on which the sender wants a reply.
	ReplyTo string `json:"replyTo,omitempty"`
	// ReplayedAt is the time of the last replay, ReplayedAs its message id.
	ReplayedAt time.Time `json:"replayedAt,omitzero"`
	ReplayedAs string    `json:"replayedAs,omitempty"`
	// ReplayedBy is the caller that replayed it last, ReplayReason their own text.
	ReplayedBy   *Actor `json:"replayedBy,omitempty"`
	ReplayReason string `json:"replayReason,omitempty"`
}

// RejectedPage is one page of rejected requests, newest first.
type RejectedPage struct {
	Rejected []RejectedRequest `json:"rejected"`
	// Unreadable holds the ids of rejected requests whose rows cannot be read.
	Unreadable []string `json:"unreadable,omitempty"`
	// Continue requests the next page; empty on the last page.
	Continue string `json:"continue,omitempty"`
}

// Replayed is the result of a replay.
type Replayed struct {
	// MessageID is the id of the new message on the queue requests.
	MessageID string `json:"messageId"`
}

// Purged is the result of a removal of rejected requests.
type Purged struct {
	Removed int `json:"removed"`
	// More reports that other requests may match; repeat the call.
	More bool `json:"more"`
}

// Removal records that somebody removed rejected requests.
type Removal struct {
	ID string    `json:"id"`
	At time.Time `json:"at"`
	// Request is the id of the removed request. It is absent in a removal by age,
	// which has Before: older requests were removed.
	Request string    `json:"request,omitempty"`
	Before  time.Time `json:"before,omitzero"`
	// Removed is the number of removed requests.
	Removed int `json:"removed"`
	// Finished is false while the removal runs, and if it was interrupted: then
	// requests may have been removed or not.
	Finished bool `json:"finished"`
	// RemovedBy is the caller, Reason their own text.
	RemovedBy *Actor `json:"removedBy,omitempty"`
	Reason    string `json:"reason,omitempty"`
}

// RemovalPage is one page of removals, newest first.
type RemovalPage struct {
	Removals []Removal `json:"removals"`
	// Unreadable holds the ids of removals whose rows cannot be read.
	Unreadable []string `json:"unreadable,omitempty"`
	// Continue requests the next page; empty on the last page.
	Continue string `json:"continue,omitempty"`
}
