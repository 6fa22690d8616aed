package rejected_test

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/rejected"
)

func noon() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

func TestNewID_SortsNewestFirst(t *testing.T) {
	t.Parallel()
	older := rejected.NewID(noon(), rejected.Requests, "m", nil)
	newer := rejected.NewID(noon().Add(1), rejected.Requests, "m", nil)
	require.Less(t, newer, older)
	require.Equal(t, older, rejected.NewID(noon(), rejected.Requests, "m", nil))
}

func TestNewID_DependsOnEachArgument(t *testing.T) {
	t.Parallel()
	ids := map[string]bool{
		rejected.NewID(noon(), rejected.Requests, "m", []byte("b")):            true,
		rejected.NewID(noon().Add(1), rejected.Requests, "m", []byte("b")):     true,
		rejected.NewID(noon(), rejected.RequestsDeadLetters, "m", []byte("b")): true,
		rejected.NewID(noon(), rejected.Requests, "n", []byte("b")):            true,
		rejected.NewID(noon(), rejected.Requests, "m", []byte("c")):            true,
	}
	require.Len(t, ids, 5)
	for id := range ids {
		require.True(t, rejected.ValidID(id), id)
	}
}

func TestValidID_RejectsOtherText(t *testing.T) {
	t.Parallel()
	id := rejected.NewID(time.Time{}, rejected.Events, "", nil)
	require.True(t, rejected.ValidID(id))
	for _, text := range []string{"", "x", id[1:], id + "0", strings.ToUpper(id) + "G", id + "\n", "' or PartitionKey ne '"} {
		require.False(t, rejected.ValidID(text), "%q", text)
	}
}

func TestShortened_CutsBetweenCharacters(t *testing.T) {
	t.Parallel()
	short := rejected.Request{Body: "short"}
	require.Equal(t, short, short.Shortened())
	for i := range 4 {
		body := strings.Repeat("x", i) + strings.Repeat("😀", 10_000)
		cut := rejected.Request{Body: body}.Shortened().Body
		require.True(t, strings.HasPrefix(body, cut))
		require.True(t, utf8.ValidString(cut))
		require.InDelta(t, 8<<10, len(cut), 4)
	}
}
