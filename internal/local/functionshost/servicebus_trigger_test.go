package functionshost

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"azbackupflow/internal/local/fault"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func message(id string) *azservicebus.ReceivedMessage {
	return &azservicebus.ReceivedMessage{MessageID: id, Body: []byte(id), DeliveryCount: 1}
}

// newFakeTrigger returns a trigger over a fake.
func newFakeTrigger(t *testing.T, h *Host, function string, f *fakeReceiver) *busTrigger {
	t.Helper()
	trigger, err := newBusTrigger(h, busFunction(function), busClient{}, func() (messageReceiver, error) { return f, nil })
	require.NoError(t, err)
	return trigger
}

// runBusTrigger runs a trigger over a fake until the test ends.
func runBusTrigger(t *testing.T, h *Host, f *fakeReceiver) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	trigger := newFakeTrigger(t, h, "run-step", f)
	done := make(chan struct{})
	go func() {
		defer close(done)
		trigger.run(ctx)
	}()
	stop = func() {
		cancel()
		<-done
	}
	t.Cleanup(stop)
	return stop
}

func TestBusTrigger_SettlesByTheStatus(t *testing.T) {
	t.Parallel()
	h := newIdleHost(t, nil, func(w http.ResponseWriter, r *http.Request) {
		var body [4096]byte
		n, _ := r.Body.Read(body[:])
		switch envelope := string(body[:n]); {
		case strings.Contains(envelope, "fails"):
			w.WriteHeader(http.StatusInternalServerError)
		case strings.Contains(envelope, "sniffed"):
			_, _ = w.Write([]byte("{}"))
		default:
			succeed(w, r)
		}
	}, nil)
	f := newFakeReceiver(message("works"), message("fails"), message("sniffed"))
	stop := runBusTrigger(t, h, f)
	eventually(t, func() bool { return len(f.notes()) == 3 }, "all are settled")
	require.ElementsMatch(t, []string{"complete works", "abandon fails", "abandon sniffed"}, f.notes())
	stop()
	require.True(t, f.closed)
}

func TestBusTrigger_LimitsConcurrentCalls(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	var running, most atomic.Int32
	h := newIdleHost(t, nil, func(w http.ResponseWriter, r *http.Request) {
		now := running.Add(1)
		for seen := most.Load(); now > seen && !most.CompareAndSwap(seen, now); seen = most.Load() {
			continue
		}
		<-release
		running.Add(-1)
		succeed(w, r)
	}, nil)
	h.app.Host.MaxConcurrentCalls = 3
	f := newFakeReceiver()
	for range 10 {
		f.waiting <- message("m")
	}
	runBusTrigger(t, h, f)
	eventually(t, func() bool { return running.Load() == 3 }, "three run")
	require.Len(t, f.waiting, 7)
	close(release)
	eventually(t, func() bool { return len(f.notes()) == 10 }, "all are done")
	require.LessOrEqual(t, most.Load(), int32(3))
	f.mu.Lock()
	defer f.mu.Unlock()
	require.Equal(t, []int{3, 2, 1}, f.asked[:3], "as many as there are free slots")
}

func TestBusTrigger_RetriesAFailedReceive(t *testing.T) {
	t.Parallel()
	clock := newFakeClock(time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC))
	h := newIdleHost(t, nil, succeed, func(c *Config) { c.Now, c.After = clock.Now, clock.After })
	f := newFakeReceiver(message("m"))
	f.failures = 2
	runBusTrigger(t, h, f)
	for range 2 {
		eventually(t, func() bool { return clock.awaits(clock.Now().Add(receivePause)) }, "it pauses")
		clock.advance(receivePause)
	}
	eventually(t, func() bool { return len(f.notes()) == 1 }, "it retries")
}

func TestBusTrigger_RenewsTheLockDuringTheInvocation(t *testing.T) {
	t.Parallel()
	clock := newFakeClock(time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC))
	release := make(chan struct{})
	h := newIdleHost(t, nil, func(w http.ResponseWriter, r *http.Request) {
		<-release
		succeed(w, r)
	}, func(c *Config) { c.Now, c.After = clock.Now, clock.After })
	m := message("m")
	m.LockedUntil = pointer(clock.Now().Add(time.Minute))
	f := newFakeReceiver(m)
	f.extend = func(m *azservicebus.ReceivedMessage) error {
		m.LockedUntil = pointer(clock.Now().Add(time.Minute))
		return nil
	}
	runBusTrigger(t, h, f)
	for renewal := 1; renewal <= 5; renewal++ {
		eventually(t, func() bool { return clock.awaits(clock.Now().Add(50 * time.Second)) }, "it waits until ten seconds before the end")
		clock.advance(50 * time.Second)
		eventually(t, func() bool { return f.renewed() == renewal }, "it renews")
	}
	close(release)
	eventually(t, func() bool { return len(f.notes()) == 1 }, "it is settled")
	require.Equal(t, 5, f.renewed())
}

func TestBusTrigger_StopsRenewalAtTheLimit(t *testing.T) {
	t.Parallel()
	clock := newFakeClock(time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC))
	h := newIdleHost(t, nil, succeed, func(c *Config) { c.Now, c.After = clock.Now, clock.After })
	h.app.Host.MaxLockRenewal = time.Minute
	f := newFakeReceiver()
	m := message("m")
	m.LockedUntil = pointer(clock.Now().Add(time.Minute))
	f.extend = func(m *azservicebus.ReceivedMessage) error {
		m.LockedUntil = pointer(m.LockedUntil.Add(time.Minute))
		return nil
	}
	trigger := newFakeTrigger(t, h, "f", f)
	done := make(chan struct{})
	go func() {
		defer close(done)
		trigger.renew(t.Context(), m)
	}()
	eventually(t, func() bool { return clock.awaits(clock.Now().Add(50 * time.Second)) }, "the first renewal fits")
	clock.advance(50 * time.Second)
	<-done
	require.Equal(t, 1, f.renewed(), "the second would come after the limit")

	f.extend = func(*azservicebus.ReceivedMessage) error { return errTest }
	m.LockedUntil = pointer(clock.Now())
	trigger.renew(t.Context(), m)
	require.Equal(t, 2, f.renewed(), "a lost lock is not renewed again")
}

func TestBusTrigger_CallsTheFaultHook(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var seen []string
	h := newIdleHost(t, nil, succeed, func(c *Config) {
		c.Fault = func(m fault.Moment, r fault.Request) {
			mu.Lock()
			defer mu.Unlock()
			seen = append(seen, m.String()+" "+r.Service+" "+r.Kind+" "+r.Detail)
		}
	})
	f := newFakeReceiver(message("m"))
	stop := runBusTrigger(t, h, f)
	eventually(t, func() bool { return len(f.notes()) == 1 }, "it is settled")
	stop()
	require.Equal(t, []string{
		"before host invoke run-step m", "during host invoke run-step m", "after host invoke run-step m",
		"before host complete run-step m", "during host complete run-step m", "after host complete run-step m",
	}, seen)
}

func TestBusTrigger_WaitsForMessagesInProgress(t *testing.T) {
	t.Parallel()
	arrived, release := make(chan struct{}), make(chan struct{})
	h := newIdleHost(t, nil, func(w http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-release
		succeed(w, r)
	}, nil)
	f := newFakeReceiver(message("m"))
	ctx, cancel := context.WithCancel(t.Context())
	trigger := newFakeTrigger(t, h, "f", f)
	done := make(chan struct{})
	go func() {
		defer close(done)
		trigger.run(ctx)
	}()
	<-arrived
	cancel()
	select {
	case <-done:
		assert.Fail(t, "the message was left behind")
	default:
	}
	close(release)
	<-done
	require.Equal(t, []string{"complete m"}, f.notes())
}

func TestBusTrigger_RetriesSettlementByLock(t *testing.T) {
	t.Parallel()
	h := newIdleHost(t, nil, succeed, nil)
	trigger := newFakeTrigger(t, h, "f", newFakeReceiver())
	m := message("m")
	m.LockToken = [16]byte{7}
	settle := func(failures int, err error) (tries int) {
		trigger.settle(t.Context(), "complete", m, func(_ context.Context, _ messageReceiver, known *azservicebus.ReceivedMessage) error {
			tries++
			require.Equal(t, m.LockToken, known.LockToken)
			require.Equal(t, tries == 1, known == m)
			if tries <= failures {
				return err
			}
			return nil
		})
		return tries
	}
	require.Equal(t, 1, settle(0, nil))
	require.Equal(t, 2, settle(1, errTest))
	require.Equal(t, settleTries, settle(10, errTest))
	require.Equal(t, 1, settle(10, &azservicebus.Error{Code: azservicebus.CodeLockLost}))
}
