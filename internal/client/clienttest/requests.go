package clienttest

import (
	"context"
	"encoding/json"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/customhandler"
	"azbackupflow/internal/handlers/intake"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/rejected"
	"azbackupflow/internal/settings"
)

// queued is a message on the queue requests.
type queued struct {
	due        time.Time
	id         string
	body       []byte
	properties map[string]any
}

// acceptRequests makes the app accept the messages on the queue requests, as time
// passes. Without it the app only sends them.
func (a *API) acceptRequests(t testing.TB, sealer *intake.Sealer, bulks *intake.Bulks, newID func() string) {
	t.Helper()
	rejecter, err := intake.NewRejecter(intake.RejecterConfig{
		Record:  func(ctx context.Context, r rejected.Request) error { return a.Store.SaveRejected(ctx, r) },
		Publish: a.publish, Now: a.Clock.Now, Log: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	a.intake, err = intake.New(intake.Config{
		Engine: a.Engine, Load: a.Store.Load, Send: a.send, Rejecter: rejecter, Sealer: sealer, Bulks: bulks,
		Waits: operation.AzureWaits(), Now: a.Clock.Now, NewID: newID, Log: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
}

// send stores a message until it is due.
func (a *API) send(_ context.Context, due time.Time, queue, id string, body []byte, properties map[string]any) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if queue == settings.RequestsQueue {
		a.waiting = append(a.waiting, queued{due: due, id: id, body: body, properties: properties})
	}
	return nil
}

// accept delivers the messages on the queue requests that are due.
func (a *API) accept(until time.Time) {
	for {
		m, ok := a.takeRequest(until)
		if !ok {
			return
		}
		// The operations, and the record of a rejection, hold the result.
		_ = a.intake.Accept(context.Background(), intake.Decode(invocation(m)))
	}
}

func (a *API) takeRequest(until time.Time) (queued, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for i, m := range a.waiting {
		if !m.due.After(until) {
			a.waiting = append(a.waiting[:i:i], a.waiting[i+1:]...)
			return m, true
		}
	}
	return queued{}, false
}

// invocation returns the call of the Functions host for a message.
func invocation(m queued) customhandler.Invocation {
	encode := func(v any) json.RawMessage {
		raw, _ := json.Marshal(v) // texts, and maps of texts
		return raw
	}
	return customhandler.Invocation{
		ID: m.id, Function: "start-operation",
		Data:     map[string]json.RawMessage{intake.Binding: encode(string(encode(string(m.body))))},
		Metadata: map[string]json.RawMessage{"MessageId": encode(m.id), "DeliveryCount": encode("1"), "ApplicationProperties": encode(m.properties)},
	}
}
