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
		for recorded := range records {
			require.Equal(t, "rejected:"+recorded, id)
		}
		require.LessOrEqual(t, len(body), 192<<10, "the copy fits a message")
	}
}

// A record has the time at which its request arrived, unless a sender has set a
// time that would delete the record at once, or keep it forever.
func TestReject_RecordsTheTimeOfArrival(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 8, 10, 0, 0, time.UTC)
	var records []rejected.Request
	r, err := intake.NewRejecter(intake.RejecterConfig{
		Record:  func(_ context.Context, r rejected.Request) error { records = append(records, r); return nil },
		Publish: func(context.Context, string, string, []byte, map[string]any) error { return nil },
		Keep:    48 * time.Hour, Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	for at, want := range map[time.Time]time.Time{
		{}:                        now,
		now.Add(-23 * time.Hour):  now.Add(-23 * time.Hour),
		now.Add(time.Minute):      now.Add(time.Minute),
		now.Add(-25 * time.Hour):  now.Truncate(time.Hour),
		time.Unix(0, 0):           now.Truncate(time.Hour),
		now.Add(1000 * time.Hour): now.Truncate(time.Hour),
	} {
		require.NoError(t, r.Reject(t.Context(), intake.Rejection{Source: rejected.Events, MessageID: "m1", At: at, Err: context.Canceled}))
		require.Equal(t, want.UTC(), records[len(records)-1].At.UTC(), "%v", at)
	}
}

func TestShorten_CutsBetweenCharacters(t *testing.T) {
	t.Parallel()
	require.Equal(t, "äö", intake.Shorten("äö", 4))
	require.Equal(t, "ä... (4 bytes)", intake.Shorten("äö", 3))
	require.Equal(t, "... (4 bytes)", intake.Shorten("äö", 1))
}
