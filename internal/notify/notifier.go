package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"azbackupflow/internal/operation"
	"azbackupflow/internal/queue"
	"azbackupflow/internal/rejected"
)

// Config configures a Notifier. Destination and ReplyQueues are optional.
type Config struct {
	// Destination is the queue or topic that receives the notifications of all
	// operations; empty means none.
	Destination string
	// ReplyQueues are the queues that a request may name for replies.
	ReplyQueues []string
	Tenant      string
	// Send sends a message to a queue or topic of the app's namespace.
	Send func(ctx context.Context, entity string, m queue.Message) error
	Log  *slog.Logger
}

// Notifier sends notifications. It implements engine.Notifier.
type Notifier struct {
	cfg Config
}

// New returns a notifier.
func New(cfg Config) (*Notifier, error) {
	if cfg.Send == nil || cfg.Log == nil {
		return nil, errors.New("notify: Config.Send and Log are required")
	}
	return &Notifier{cfg: cfg}, nil
}

// Broadcasts reports whether the notifications of all operations are sent.
func (n *Notifier) Broadcasts() bool { return n.cfg.Destination != "" }

// MayReply reports whether a request may name the queue for replies. Queue names
// are compared without regard to case, as Service Bus does.
func (n *Notifier) MayReply(queue string) bool {
	return slices.ContainsFunc(n.cfg.ReplyQueues, func(name string) bool { return strings.EqualFold(name, queue) })
}

// Notify sends a notification about an operation. It drops the notification if
// the settings no longer name its receiver.
func (n *Notifier) Notify(ctx context.Context, op operation.Operation, notice operation.Notice) error {
	to := notice.To
	if to == "" {
		to = n.cfg.Destination
	}
	if to == "" || notice.To != "" && !n.MayReply(notice.To) {
		n.cfg.Log.WarnContext(ctx, "notification dropped, receiver not in settings", "op", op.ID, "seq", notice.Seq, "kind", string(notice.Kind), "to", notice.To)
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
	return n.send(ctx, to, ev, correlation, map[string]any{
		"flow": op.Flow, "status": string(notice.Status), "kind": string(notice.Kind),
	})
}

// NotifyRejected sends a rejected request to the reply queue that it names. It
// sends nothing if the settings do not allow that queue.
func (n *Notifier) NotifyRejected(ctx context.Context, replyTo string, r rejected.Request) error {
	if !n.MayReply(replyTo) {
		return nil
	}
	ev, err := ofRejected(n.cfg.Tenant, r)
	if err != nil {
		return err
	}
	return n.send(ctx, replyTo, ev, r.MessageID, map[string]any{"kind": "rejected"})
}

// send sends an event. Its type and source are also properties of the message,
// so that subscriptions of a topic can filter by them.
func (n *Notifier) send(ctx context.Context, to string, ev Event, correlation string, properties map[string]any) error {
	body, err := json.Marshal(ev)
	if err != nil {
		return fmt.Errorf("encode event %s: %w", ev.ID, err)
	}
	properties["type"], properties["source"] = ev.Type, ev.Source
	return n.cfg.Send(ctx, to, queue.Message{
		ID: ev.ID, ContentType: ContentType, Subject: ev.Type, CorrelationID: correlation, Body: body, Properties: properties,
	})
}
