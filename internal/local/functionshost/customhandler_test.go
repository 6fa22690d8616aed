package functionshost

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"azbackupflow/internal/customhandler"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"github.com/stretchr/testify/require"
)

// customHandlerProgram is a handler over internal/customhandler. Its function logs each
// message and fails as the message requests.
func customHandlerProgram() int {
	ctx := context.Background()
	log := slog.New(customhandler.NewLogHandler(slog.NewJSONHandler(os.Stdout, nil)))
	listener, err := customhandler.Listen(ctx, os.Getenv)
	if err != nil {
		return 1
	}
	runStep := func(ctx context.Context, inv customhandler.Invocation) (customhandler.Result, error) {
		body, err := inv.Payload("message")
		customhandler.Logger(ctx).InfoContext(ctx, "got", "body", string(body), "count", inv.DeliveryCount(), "id", inv.MessageID(), "enqueued", !inv.EnqueuedTime().IsZero())
		switch {
		case inv.DeliveryCount() > 1:
			return customhandler.Result{Logs: []string{"done " + string(body)}}, err
		case string(body) == "panic":
			panic("requested")
		}
		return customhandler.Result{}, errors.New("requested")
	}
	deadLetter := func(context.Context, customhandler.Invocation) (customhandler.Result, error) {
		return customhandler.Result{}, nil
	}
	s, err := customhandler.New(customhandler.Config{
		Functions: map[string]customhandler.Handler{"run-step": runStep, "dead-letter-steps": deadLetter}, Log: log, Now: time.Now,
	})
	if err != nil {
		return 1
	}
	if err := s.Serve(ctx, listener); err != nil {
		return 1
	}
	return 0
}

func TestCustomHandler_ServesTheStandIn(t *testing.T) {
	t.Parallel()
	lines := make(chan HandlerLine, 100)
	h, sender := startWithBroker(t, succeed, func(c *Config) {
		c.Settings[roleSetting] = roleCustomHandler
		c.Output = func(line HandlerLine) { lines <- line }
	})
	waitReady(t, h)
	for _, body := range []string{`{"operation":"op-7","messageId":"mine"}`, "panic"} {
		require.NoError(t, sender.SendMessage(t.Context(), &azservicebus.Message{Body: []byte(body), MessageID: pointer("id-1")}, nil))
	}
	wanted := []string{
		`"body":"{\"operation\":\"op-7\",\"messageId\":\"mine\"}","count":1,"id":"mine","enqueued":true`,
		`"body":"panic","count":2,"id":"id-1"`, `"function":"run-step"`, `"invocationId":"`, "panic: requested",
		`done {"operation":"op-7","messageId":"mine"}`, "done panic",
	}
	all := ""
	for slices.ContainsFunc(wanted, func(want string) bool { return !strings.Contains(all, want) }) {
		select {
		case line := <-lines:
			require.NotEqual(t, StreamStderr, line.Stream, line.Text)
			all += line.Text + "\n"
		case <-time.After(30 * time.Second):
			require.Fail(t, "the handler did not log every line", all)
		}
	}
}
