package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/local/armsim"
	"azbackupflow/internal/local/servicebus"
	"azbackupflow/internal/local/stack"
	"azbackupflow/internal/operation"
)

// encoded returns a body in wire format: text and bytes unchanged, other values
// as JSON.
func encoded(body any) []byte {
	switch b := body.(type) {
	case string:
		return []byte(b)
	case []byte:
		return b
	}
	raw, err := json.Marshal(body)
	if err != nil {
		return []byte(err.Error()) // a map of a test always encodes
	}
	return raw
}

// TestDuplicateDelivery_TriggersNoSecondBackup delivers every message of every
// queue twice, past duplicate detection. There is still one operation and one
// backup.
func TestDuplicateDelivery_TriggersNoSecondBackup(t *testing.T) {
	t.Parallel()
	world := armsim.DemoWorld()
	var sites []site
	for i := range 6 {
		sites = append(sites, newSite(&world, fmt.Sprintf("twice%d", i), protected))
	}
	fresh := newSite(&world, "twicefresh", undiscovered)
	l := startInTurn(t, stack.Config{SpeedFactor: 60, World: &world})
	l.Broker.SetMessageFault(func(string, string) servicebus.MessageFault { return servicebus.MessageFault{Duplicate: true} })

	ids := map[string]site{operation.ID("local", "protect-file-share", "protect-"+fresh.account.Name): fresh}
	l.send("requests", message("twice-fresh", fresh.protect()))
	for i, s := range sites {
		l.send("requests", message(fmt.Sprintf("twice-%d", i), s.backup()))
		ids[operation.ID("local", "backup-now", "backup-"+s.account.Name)] = s
	}
	for id, s := range ids {
		l.backedUpOnce(s, id)
	}
	require.Empty(t, l.rejectedRequests())
}

// TestLateDelivery_DoesNothingAfterTheSweep delivers messages so late that the
// sweep has long woken their operations. As old copies they have no effect.
func TestLateDelivery_DoesNothingAfterTheSweep(t *testing.T) {
	t.Parallel()
	world := armsim.DemoWorld()
	var sites []site
	for i := range messagesOfBackup {
		sites = append(sites, newSite(&world, fmt.Sprintf("late%d", i), protected))
	}
	l := startInTurn(t, stack.Config{SpeedFactor: 200, World: &world})
	// At this speed the sweep wakes operations that are three seconds overdue.
	l.Broker.SetMessageFault(wrongOnce(sites, servicebus.MessageFault{Delay: 8 * time.Second}))
	for _, s := range sites {
		l.begin(s.backup())
	}
	for i, s := range sites {
		l.backedUpOnce(s, s.operation())
		require.Contains(t, say(l.history(s.operation())), "rescued by the sweep", "operation %d", i)
	}
	// The late messages arrive after the end and change nothing.
	require.Eventually(t, func() bool { return len(l.Broker.Messages("steps")) == 0 }, maxWait, 50*time.Millisecond)
	for _, s := range sites {
		require.Len(t, l.backupsOf(s), 1)
	}
}

// operation returns the ID of the backup of the site.
func (s site) operation() string {
	return operation.ID("local", "backup-now", "backup-"+s.account.Name)
}

// messagesOfBackup is the number of own messages, and so of steps, of a file
// share backup.
const messagesOfBackup = 5

// wrongOnce applies a fault to one message of each operation: to the message of
// seq 1 of the first operation, seq 2 of the second, and so on.
func wrongOnce(sites []site, fate servicebus.MessageFault) func(queue, messageID string) servicebus.MessageFault {
	fates := map[string]servicebus.MessageFault{}
	for i, s := range sites {
		fates[fmt.Sprintf("%s:%d", s.operation(), i+1)] = fate
	}
	return func(_, messageID string) servicebus.MessageFault { return fates[messageID] }
}

// own reports whether a message is the step message of a seq, and not a further
// wake-up.
func own(messageID string) bool { return strings.Count(messageID, ":") == 1 }
