package intake_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/handlers/intake"
	"azbackupflow/internal/rejected"
)

func TestNew_RequiresItsFields(t *testing.T) {
	t.Parallel()
	_, err := intake.New(intake.Config{})
	require.ErrorContains(t, err, "empty field")
	_, err = intake.NewRejecter(intake.RejecterConfig{})
	require.ErrorContains(t, err, "needs Record, Publish, Now and Log")
}

// A rejection that cannot be published is recorded under one id, however often it
// is repeated.
func TestReject_RepeatsWithTheSameIDs(t *testing.T) {
	t.Parallel()
	records, messages := map[string]rejected.Request{}, map[string][]byte{}
	r, err := intake.NewRejecter(intake.RejecterConfig{
		Record: func(_ context.Context, r rejected.Request) error { records[r.ID] = r; return nil },
		Publish: func(_ context.Context, queue, id string, body []byte, _ map[string]any) error {
			require.Equal(t, "rejected", queue)
			messages[id] = body
			return nil
		},
		Now: func() time.Time { return time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC) }, Log: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	binary := make([]byte, 256<<10) // each byte needs six in JSON
	for range 2 {
		require.NoError(t, r.Reject(t.Context(), intake.Rejection{Source: rejected.Requests, MessageID: "m1", Body: binary, Err: context.Canceled}))
	}
	require.Len(t, records, 1)
	require.Len(t, messages, 1)
	for id, body := range messages {
		require.Regexp(t, "^rejected:[0-9a-f]{16}$", id)
		require.LessOrEqual(t, len(body), 192<<10, "the copy fits a message")
	}
}

func TestShorten_CutsBetweenCharacters(t *testing.T) {
	t.Parallel()
	require.Equal(t, "äö", intake.Shorten("äö", 4))
	require.Equal(t, "ä... (4 bytes)", intake.Shorten("äö", 3))
	require.Equal(t, "... (4 bytes)", intake.Shorten("äö", 1))
}
