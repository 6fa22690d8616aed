package e2e

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/local/armsim"
	"azbackupflow/internal/local/fault"
	"azbackupflow/internal/local/functionshost"
	"azbackupflow/internal/local/servicebus"
	"azbackupflow/internal/local/stack"
)

// TestSweep_WakesAnOperationWhoseMessageIsLost drops the message of each seq in
// turn after the bus has accepted it. The sweep finds every operation, even one
// whose first rescue is lost too.
func TestSweep_WakesAnOperationWhoseMessageIsLost(t *testing.T) {
	t.Parallel()
	world := armsim.DemoWorld()
	var sites []site
	for i := range messagesOfBackup {
		sites = append(sites, newSite(&world, fmt.Sprintf("never%d", i), protected))
	}
	unlucky := newSite(&world, "unlucky", protected)
	l := startInTurn(t, stack.Config{SpeedFactor: 200, World: &world})
	lost := wrongOnce(sites, servicebus.MessageFault{Drop: true})
	l.Broker.SetMessageFault(func(queue, id string) servicebus.MessageFault {
		if strings.HasPrefix(id, unlucky.operation()+":3") && (own(id) || strings.HasSuffix(id, ":rescue-1")) {
			return servicebus.MessageFault{Drop: true}
		}
		return lost(queue, id)
	})
	sites = append(sites, unlucky)
	for _, s := range sites {
		require.Equal(t, s.operation(), l.begin(s.backup()))
	}
	for _, s := range sites {
		l.backedUpOnce(s, s.operation())
		require.Contains(t, say(l.history(s.operation())), "rescued by the sweep")
	}
}

// TestDeadLetteredWakeUp_StillWakesItsOperation kills the handler at each
// delivery of a wake-up, which is dead-lettered after ten deliveries. Its
// operation is still woken and succeeds.
func TestDeadLetteredWakeUp_StillWakesItsOperation(t *testing.T) {
	t.Parallel()
	world := armsim.DemoWorld()
	s := newSite(&world, "deadly", protected)
	const deliveries = 10
	var l *local
	var ready, lettered atomic.Bool
	var mu sync.Mutex
	given := map[string]int{} // deliveries of each wake-up
	l = startInTurn(t, stack.Config{
		SpeedFactor: 300, World: &world, Restart: functionshost.RestartPolicy{MaxErrors: -1},
		Fault: func(m fault.Moment, r fault.Request) {
			switch {
			case m == fault.During && r.Kind == "receive steps":
				mu.Lock()
				given[r.Detail]++
				mu.Unlock()
			case m != fault.Before || !ready.Load():
			case r.Kind == "receive steps/$DeadLetterQueue":
				lettered.Store(true)
			// The sweep may wake the operation meanwhile. The message of the sweep dies
			// as well.
			case r.Kind == "GET protectedItems" && !lettered.Load():
				l.KillHandler()
			}
		},
	})
	ready.Store(true)
	id := l.begin(s.backup())
	l.backedUpOnce(s, id)
	require.Contains(t, say(l.history(id)), "rescued by the sweep")
	l.says("wake-up dead-lettered")
	l.requireNothingLeft("steps/$DeadLetterQueue")
	mu.Lock()
	defer mu.Unlock()
	require.Equal(t, deliveries, slices.Max(slices.Collect(maps.Values(given))), "deliveries before a wake-up is dead-lettered")
}
