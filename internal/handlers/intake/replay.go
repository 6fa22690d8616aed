package intake

import (
	"context"

	"azbackupflow/internal/operation"
	"azbackupflow/internal/rejected"
	"azbackupflow/internal/request"
)

// Replay is a rejected request that is to be sent again.
type Replay struct {
	Request rejected.Request
	// Edited replaces the body of the request, unless it is empty.
	Edited []byte
	// Authorize and AuthorizeBulk return an error if the caller may not start the
	// operations.
	Authorize     func(request.Request) error
	AuthorizeBulk func(request.Bulk) error
	// Prepare validates a request and starts nothing.
	Prepare func(request.Request) (operation.Operation, error)
}

// Body returns the body of the message to send. It makes the same checks as
// Accept, so that a request that would be rejected again is not sent.
func (r Replay) Body(ctx context.Context) ([]byte, error) {
	if r.Request.Source == rejected.Steps || r.Request.Source == rejected.StepsDeadLetters {
		return nil, invalid("request", "is not a request: the message came through the queue steps", "azbackupflow rescue, which wakes operations whose message was lost")
	}
	body := r.Edited
	if len(body) == 0 {
		if r.Request.BodyEncoding != "" {
			return nil, invalid("request", "is not text", "the request in the body of the call")
		}
		if r.Request.Redacted {
			return nil, invalid("request", "is recorded without its secrets", "the complete request in the body of the call")
		}
		if len(r.Request.Body) < r.Request.BodySize {
			return nil, invalid("request", "is recorded only in part", "the complete request in the body of the call")
		}
		body = []byte(r.Request.Body)
	}
	if len(body) == 0 {
		return nil, invalid("request", "has no recorded body", "the request in the body of the call")
	}
	content, err := request.Unwrap(body)
	if err != nil {
		return nil, err
	}
	if request.IsBulk(content.Body) {
		return body, r.checkBulk(ctx, len(body), content.Body)
	}
	req, err := request.Read(content.Body)
	if err != nil {
		return nil, err
	}
	if err := r.Authorize(req); err != nil {
		return nil, err
	}
	if err := request.Reserved(req.Key); err != nil && !r.internal(req.Key) {
		return nil, err
	}
	if err := checkDryRun(req); err != nil {
		return nil, err
	}
	if _, err := r.Prepare(req); err != nil {
		return nil, err
	}
	return body, nil
}

// checkBulk rejects a bulk without a valid target. Invalid targets of other
// bulks are rejected one by one again.
func (r Replay) checkBulk(ctx context.Context, size int, raw []byte) error {
	if err := request.BulkFits(size); err != nil { // size includes the event around the bulk
		return err
	}
	b, err := request.ReadBulk(raw)
	if err != nil {
		return err
	}
	if err := r.AuthorizeBulk(b); err != nil {
		return err
	}
	if err := request.Reserved(b.Key); err != nil {
		return err
	}
	return CheckBulk(ctx, b, r.Prepare, FirstValid)
}

// internal reports whether the app itself made the request under this key.
func (r Replay) internal(key string) bool {
	return r.Request.Source == rejected.Schedules && key == r.Request.Key
}

// Properties returns the properties of a message with the given id and body. The
// request keeps the message id that it had as its key, so that two replays start
// one operation. The message itself needs a new id, because duplicate detection
// would drop the old one.
func (r Replay) Properties(ctx context.Context, s *Sealer, newMessageID string, body []byte, by operation.Cause) (map[string]any, error) {
	m := Envelope{MessageID: r.Request.MessageID, replayID: newMessageID, ReplyTo: r.Request.ReplyTo, Body: body}
	if m.MessageID == "" {
		m.MessageID = newMessageID
	}
	c := claims{cause: encodeCause(by)}
	if req, err := request.Read(body); err == nil && r.internal(req.Key) {
		c.internal = "true"
	}
	seal, err := s.Sign(ctx, m.sealed(c)...)
	if err != nil {
		return nil, err
	}
	c.seal = seal
	return m.carried(c), nil
}
