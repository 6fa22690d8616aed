package statetest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/state"
)

func deadLetterTests() []test {
	return []test{
		{"RefusalIsReadWholeByItsHandle", refusalWhole},
		{"RefusalThatIsNotThereIsSaid", refusalMissing},
		{"RefusalIsRemoved", refusalRemoved},
		{"OldRefusalsAreRemovedInPortions", refusalsRemoved},
	}
}

func refusalWhole(t *testing.T, s Store) {
	for i, body := range []string{"", "short", strings.Repeat("é", 20<<10), strings.Repeat("x", 200<<10)} {
		r := state.Refusal{ID: fmt.Sprintf("r%d", i), At: start(), Source: "requests", Reason: "r", Body: body, ReplyTo: "answers"}
		require.NoError(t, s.RecordRefusal(t.Context(), r))
		read, err := s.Refusal(t.Context(), r.Handle())
		require.NoError(t, err)
		require.Equal(t, r, read)

		r.ReplayedAt, r.ReplayedAs = start().Add(time.Hour), "m"
		require.NoError(t, s.RecordRefusal(t.Context(), r))
		read, err = s.Refusal(t.Context(), r.Handle())
		require.NoError(t, err)
		require.Equal(t, r, read)
	}
	page, err := s.Refusals(t.Context(), state.RefusalQuery{})
	require.NoError(t, err)
	require.Len(t, page.Refusals, 4)
	for _, r := range page.Refusals {
		require.LessOrEqual(t, len(r.Body), 8<<10, "lists stay short")
	}
}

func refusalMissing(t *testing.T, s Store) {
	for _, handle := range []string{"", "x", "../x", "a'b", state.Refusal{ID: "gone", At: start()}.Handle()} {
		_, err := s.Refusal(t.Context(), handle)
		require.ErrorIs(t, err, state.ErrNoRefusal, handle)
	}
}

func refusalRemoved(t *testing.T, s Store) {
	r := state.Refusal{ID: "r", At: start()}
	require.NoError(t, s.RecordRefusal(t.Context(), r))
	for range 2 {
		require.NoError(t, s.RemoveRefusal(t.Context(), r.Handle()))
	}
	_, err := s.Refusal(t.Context(), r.Handle())
	require.ErrorIs(t, err, state.ErrNoRefusal)
}

func refusalsRemoved(t *testing.T, s Store) {
	for i := range 5 {
		require.NoError(t, s.RecordRefusal(t.Context(), state.Refusal{ID: "r", At: start().Add(time.Duration(i) * time.Hour)}))
	}
	n, more, err := s.RemoveRefusals(t.Context(), start().Add(210*time.Minute), 3)
	require.NoError(t, err)
	require.Equal(t, 3, n)
	require.True(t, more)
	n, more, err = s.RemoveRefusals(t.Context(), start().Add(210*time.Minute), 3)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.False(t, more)
}
