package statetest

import (
	"crypto/sha256"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/state"
)

func sharedTests() []test {
	return []test{
		{"a row is loaded as it was saved", sharedIsRead},
		{"a row is saved only with its ETag", sharedUnderETag},
		{"rows of unusual keys and kinds stay distinct", sharedStayDistinct},
		{"one of many concurrent saves succeeds", sharedOneWins},
		{"a too large row is an error", sharedTooLarge},
	}
}

func sharedIsRead(t *testing.T, s Store) {
	value, etag, err := s.LoadShared(t.Context(), "limits", "a")
	require.NoError(t, err)
	require.Empty(t, value)
	require.Empty(t, etag)
	long := `{"text":"` + strings.Repeat("é😀", 100) + strings.Repeat("x", 400_000) + `"}`
	saved, done, err := s.SaveShared(t.Context(), "limits", "a", []byte(long), "")
	require.NoError(t, err)
	require.True(t, done)
	value, etag, err = s.LoadShared(t.Context(), "limits", "a")
	require.NoError(t, err)
	require.Len(t, value, len(long))
	require.Equal(t, sha256.Sum256([]byte(long)), sha256.Sum256(value))
	require.Equal(t, saved, etag)
}

func sharedUnderETag(t *testing.T, s Store) {
	save := func(value, etag string) (string, bool) {
		newETag, done, err := s.SaveShared(t.Context(), "jobs", "v", []byte(value), etag)
		require.NoError(t, err)
		return newETag, done
	}
	_, done := save("1", `W/"datetime'2020-01-01T00%3A00%3A00.0000000Z'"`)
	require.False(t, done, "there is no row yet")
	first, done := save("1", "")
	require.True(t, done)
	_, done = save("2", "")
	require.False(t, done, "there is a row")
	second, done := save("2", first)
	require.True(t, done)
	_, done = save("3", first)
	require.False(t, done, "the row has changed")
	_, done = save("3", second)
	require.True(t, done)
	value, _, err := s.LoadShared(t.Context(), "jobs", "v")
	require.NoError(t, err)
	require.Equal(t, "3", string(value))
}

func sharedStayDistinct(t *testing.T, s Store) {
	for _, key := range odd() {
		for _, kind := range []string{"limits", "jobs"} {
			_, done, err := s.SaveShared(t.Context(), kind, key, []byte(kind+" "+key+"."), "")
			require.NoError(t, err)
			require.True(t, done, "%q", key)
		}
	}
	for _, key := range odd() {
		value, _, err := s.LoadShared(t.Context(), "jobs", key)
		require.NoError(t, err)
		require.Equal(t, "jobs "+key+".", string(value))
	}
}

func sharedOneWins(t *testing.T, s Store) {
	etag, _, err := s.SaveShared(t.Context(), "jobs", "v", []byte("0"), "")
	require.NoError(t, err)
	var group sync.WaitGroup
	var won atomic.Int32
	for range 8 {
		group.Go(func() {
			if _, done, err := s.SaveShared(t.Context(), "jobs", "v", []byte("1"), etag); err == nil && done {
				won.Add(1)
			}
		})
	}
	group.Wait()
	require.EqualValues(t, 1, won.Load())
}

func sharedTooLarge(t *testing.T, s Store) {
	_, _, err := s.SaveShared(t.Context(), "jobs", "v", []byte(strings.Repeat("x", state.MaxSharedSize/2+1)), "")
	var large *state.TooLarge
	require.ErrorAs(t, err, &large)
	value, _, err := s.LoadShared(t.Context(), "jobs", "v")
	require.NoError(t, err)
	require.Empty(t, value)
}
