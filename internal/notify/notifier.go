package notify

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"azbackupflow/internal/operation"
	"azbackupflow/internal/queue"
	"azbackupflow/internal/rejected"
)

// Notifier sends notices. It implements engine.Notifier.
type Notifier struct {
	// To is the queue or topic that gets the notices of all operations; empty
	// means none does.
	To string
	// Replies are the queues that a request may ask answers on.
	Replies []string
	Tenant  string
	// Post sends a message to a queue or topic of the app's namespace.
	Post func(ctx context.Context, entity string, l queue.Letter) error
	Log  *slog.Logger
}

// Everybody reports whether all operations owe notices.
func (n Notifier) Broadcasts() bool { return n.To != "" }

// MayReply reports whether a request may ask for answers on the queue. Names of
// queues are compared as Service Bus does, without regard to casing.
func (n Notifier) MayReply(queue string) bool {
	return slices.ContainsFunc(n.Replies, func(name string) bool { return strings.EqualFold(name, queue) })
}

// Notify sends a notice about an operation. One whose receiver is not wanted
// any more is dropped.
func (n Notifier) Notify(ctx context.Context, op operation.Operation, notice operation.Notice) error {
	to := notice.To
	if to == "" {
		to = n.To
	}
	if to == "" || notice.To != "" && !n.MayReply(notice.To) {
		n.Log.WarnContext(ctx, "a notice is dropped: nobody may receive it any more", "op", op.ID, "seq", notice.Seq, "kind", string(notice.Kind), "to", notice.To)
		return nil
	}
	ev, err := ofOperation(op, notice)
	if err != nil {
		return err
	}
	correlation := op.RequestID
	if correlation == "" {
		correlation = op.Key
	}
	return n.post(ctx, to, ev, correlation, map[string]any{
		"flow": op.Flow, "status": string(notice.Status), "kind": string(notice.Kind),
	})
}

// Refused answers a refused request on the queue that it asked answers on,
// where it may.
func (n Notifier) Refused(ctx context.Context, replyTo string, r rejected.Request) error {
	if !n.MayReply(replyTo) {
		return nil
	}
	ev, err := ofRefusal(n.Tenant, r)
	if err != nil {
		return err
	}
	return n.post(ctx, replyTo, ev, r.MessageID, map[string]any{"kind": "refused"})
}

// post sends an event. Its type and source are properties, too, so that a
// topic's subscriptions can filter by them.
func (n Notifier) post(ctx context.Context, to string, ev Event, correlation string, properties map[string]any) error {
	body, err := json.Marshal(ev)
	if err != nil {
		return fmt.Errorf("encode event %s: %w", ev.ID, err)
	}
	properties["type"], properties["source"] = ev.Type, ev.Source
	return n.Post(ctx, to, queue.Letter{
		ID: ev.ID, ContentType: ContentType, Subject: ev.Type, CorrelationID: correlation, Body: body, Properties: properties,
	})
}
