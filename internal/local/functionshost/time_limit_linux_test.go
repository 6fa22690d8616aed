package functionshost

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// timeLimit lets a test end the host's time limits.
type timeLimit struct {
	mu      sync.Mutex
	pending []chan time.Time
}

// after is time.After, except for the default functionTimeout.
func (l *timeLimit) after(d time.Duration) <-chan time.Time {
	if d != defaultFunctionTimeout {
		return time.After(d)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	passed := make(chan time.Time, 1)
	l.pending = append(l.pending, passed)
	return passed
}

// pass ends the time of the invocation that started last.
func (l *timeLimit) pass() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pending[len(l.pending)-1] <- time.Time{}
}

// Three invocations that hang end the app: each ends the handler without SIGTERM,
// and the third end of a handler ends the host.
func TestTimeLimit_ThirdEndOfTheHandlerStopsTheHost(t *testing.T) {
	t.Parallel()
	var limit timeLimit
	arrived := make(chan struct{})
	hang := make(chan struct{})
	var mu sync.Mutex
	var lines []string
	h := startHost(t, newApp(t, plainHostJSON, map[string]string{"api": httpFunction}), func(http.ResponseWriter, *http.Request) {
		arrived <- struct{}{}
		<-hang
	}, func(c *Config) {
		c.After = limit.after
		c.Output = func(line HandlerLine) {
			mu.Lock()
			defer mu.Unlock()
			lines = append(lines, line.Text)
		}
	})
	t.Cleanup(func() { close(hang) })
	for end := 1; end <= 3; end++ {
		waitReady(t, h)
		statuses := make(chan int, 2)
		for range 2 {
			go func() {
				status, _, _, err := try(t.Context(), http.MethodGet, h.URL()+"/api/operations/hang", "", nil)
				assert.NoError(t, err)
				statuses <- status
			}()
			<-arrived
		}
		limit.pass()
		require.Equal(t, http.StatusInternalServerError, <-statuses)
		require.Equal(t, http.StatusInternalServerError, <-statuses, "the other invocation in progress")
		require.Equal(t, end, h.Crashes())
	}
	<-h.Done()
	require.ErrorIs(t, h.WaitReady(t.Context()), ErrTooManyErrors)
	mu.Lock()
	defer mu.Unlock()
	require.False(t, slices.ContainsFunc(lines, func(line string) bool { return strings.Contains(line, textTerminated) }), lines)
}
