package functionshost

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// timerValue is the value that the handler received.
type timerValue struct {
	ScheduleStatus *struct{ Last, Next, LastUpdated time.Time }
	IsPastDue      bool
}

// timerRun is a host whose one timer function reports each of its runs.
type timerRun struct {
	clock   *fakeClock
	fired   chan timerValue
	release chan int // the status of the response
	stop    func()
}

var timerStart = time.Date(2026, 11, 20, 10, 0, 30, 0, time.UTC)

func runTimer(t *testing.T, clock *fakeClock, function, state string) *timerRun {
	t.Helper()
	run := &timerRun{clock: clock, fired: make(chan timerValue), release: make(chan int)}
	h := newIdleHost(t, map[string]string{"sweep": function}, func(w http.ResponseWriter, r *http.Request) {
		var envelope struct{ Data struct{ Timer timerValue } }
		raw, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		assert.NoError(t, json.Unmarshal(raw, &envelope))
		run.fired <- envelope.Data.Timer
		if status := <-run.release; status != http.StatusOK {
			w.WriteHeader(status)
			return
		}
		succeed(w, r)
	}, func(c *Config) {
		c.Now, c.After = clock.Now, clock.After
		c.TimerState = state
		c.Settings = map[string]string{"SWEEP": "0 */5 * * * *"}
	})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		h.runTriggers(ctx)
	}()
	run.stop = func() {
		cancel()
		<-done
	}
	t.Cleanup(run.stop)
	return run
}

// awaits waits until the timer waits for a time of the day of the tests.
func (r *timerRun) awaits(t *testing.T, hour, minute int) time.Time {
	t.Helper()
	due := time.Date(2026, 11, 20, hour, minute, 0, 0, time.UTC)
	eventually(t, func() bool { return r.clock.awaits(due) }, "the timer waits for "+due.Format(time.TimeOnly))
	return due
}

func TestTimer_RunsOnScheduleWithoutRetry(t *testing.T) {
	t.Parallel()
	run := runTimer(t, newFakeClock(timerStart), timerFunction, "")
	due := run.awaits(t, 10, 5)
	run.clock.advance(due.Sub(run.clock.Now()))
	first := <-run.fired
	require.False(t, first.IsPastDue)
	require.Equal(t, due, first.ScheduleStatus.Next.UTC())
	require.True(t, first.ScheduleStatus.Last.IsZero())
	run.release <- http.StatusInternalServerError

	due = run.awaits(t, 10, 10)
	run.clock.advance(due.Sub(run.clock.Now()))
	second := <-run.fired
	require.Equal(t, due.Add(-5*time.Minute), second.ScheduleStatus.Last.UTC())
	run.release <- http.StatusOK
	run.awaits(t, 10, 15)
}

func TestTimer_DoesNotOverlap(t *testing.T) {
	t.Parallel()
	run := runTimer(t, newFakeClock(timerStart), timerFunction, "")
	due := run.awaits(t, 10, 5)
	run.clock.advance(due.Sub(run.clock.Now()))
	<-run.fired
	run.clock.advance(17 * time.Minute)
	run.release <- http.StatusOK
	run.awaits(t, 10, 25)
}

func TestTimer_RunsOnceForMissedOccurrences(t *testing.T) {
	t.Parallel()
	clock := newFakeClock(timerStart)
	state := filepath.Join(t.TempDir(), "new folder", "timers.json")
	run := runTimer(t, clock, timerFunction, state)
	run.awaits(t, 10, 5)
	run.stop()

	run = runTimer(t, clock, timerFunction, state)
	run.awaits(t, 10, 5)
	run.stop()

	clock.advance(23 * time.Minute)
	run = runTimer(t, clock, timerFunction, state)
	late := <-run.fired
	require.True(t, late.IsPastDue)
	require.Equal(t, time.Date(2026, 11, 20, 10, 5, 0, 0, time.UTC), late.ScheduleStatus.Next.UTC())
	run.release <- http.StatusOK
	run.awaits(t, 10, 25)
}

func TestTimer_RunsAtStartupWithoutAMonitor(t *testing.T) {
	t.Parallel()
	const function = `{"bindings":[{"type":"timerTrigger","direction":"in","name":"timer","schedule":"%SWEEP%","runOnStartup":true,"useMonitor":false}]}`
	run := runTimer(t, newFakeClock(timerStart), function, "")
	first := <-run.fired
	require.False(t, first.IsPastDue)
	require.Nil(t, first.ScheduleStatus)
	run.release <- http.StatusOK
	run.awaits(t, 10, 5)
}

func TestTimer_DoesNotRunAfterItsStop(t *testing.T) {
	t.Parallel()
	run := runTimer(t, newFakeClock(timerStart), timerFunction, "")
	run.awaits(t, 10, 5)
	run.stop()
	run.clock.advance(time.Hour)
	select {
	case <-run.fired:
		require.Fail(t, "it fired")
	default:
	}
}

func TestNew_RejectsUnreadableTimerState(t *testing.T) {
	t.Parallel()
	state := filepath.Join(t.TempDir(), "timers.json")
	write(t, state, "{")
	_, err := newHost(Config{Root: newApp(t, plainHostJSON, nil), TimerState: state})
	require.ErrorContains(t, err, "timers.json")
}
