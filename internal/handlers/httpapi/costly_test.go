package httpapi

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

// Of many callers one runs the function, and those that came before its run began
// share the result. A caller that comes later gets a result of its own.
func TestShared_RunsOnceAtATimeAndNeverReturnsAnOlderResult(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShared[int]()
		release := make(chan struct{})
		runs, running := 0, 0
		count := func(context.Context) (int, error) {
			runs++
			running++
			require.Equal(t, 1, running)
			<-release
			running--
			return runs, nil
		}
		results := make(chan int, 10)
		call := func() {
			n, err := s.run(t.Context(), count)
			require.NoError(t, err)
			results <- n
		}
		go call()
		synctest.Wait()
		for range 4 { // these come after the first run began
			go call()
		}
		synctest.Wait()
		close(release)
		synctest.Wait()
		close(results)
		var all []int
		for n := range results {
			all = append(all, n)
		}
		require.Equal(t, []int{1, 2, 2, 2, 2}, all)

		ended, cancel := context.WithCancel(t.Context())
		cancel()
		require.NoError(t, s.turn.take(t.Context()))
		_, err := s.run(ended, count)
		require.ErrorIs(t, err, context.Canceled)
		s.turn.release()
		_, err = s.run(t.Context(), func(context.Context) (int, error) { return 0, errors.New("no") })
		require.EqualError(t, err, "no")
		n, err := s.run(t.Context(), count)
		require.NoError(t, err)
		require.Equal(t, 3, n, "a failure is not shared")
	})
}
