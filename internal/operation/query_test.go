package operation

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestNewestFirst_SortsFromNewToOld(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	far := time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
	times := []time.Time{{}, at, at.Add(1), far}
	for i, next := range times[1:] {
		require.Less(t, NewestFirst(next), NewestFirst(times[i]))
		require.Less(t, OldestFirst(times[i]), OldestFirst(next))
	}
	for _, one := range times {
		require.Len(t, NewestFirst(one), 19)
		require.Len(t, OldestFirst(one), 19)
	}
}

func TestPageSize_IsLimited(t *testing.T) {
	t.Parallel()
	for requested, want := range map[int]int{-1: DefaultPageSize, 0: DefaultPageSize, 1: 1, MaxPageSize: MaxPageSize, MaxPageSize + 1: MaxPageSize} {
		require.Equal(t, want, PageSize(requested))
		require.Equal(t, want, Query{PageSize: requested}.Size())
	}
}

func TestWithoutURLs_KeepsTheOriginal(t *testing.T) {
	t.Parallel()
	op := Operation{}
	op.Tracking = &Tracking{StatusURL: "https://s", ResultURL: "https://r", JobID: "j"}
	require.Equal(t, &Tracking{JobID: "j"}, op.WithoutURLs().Tracking)
	require.Equal(t, "https://s", op.Tracking.StatusURL)
	require.Nil(t, Operation{}.WithoutURLs().Tracking)
}
