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

// encoded is a body as it goes over the wire: text and bytes as they are,
// anything else as JSON.
func encoded(body any) []byte {
	switch b := body.(type) {
	case string:
		return []byte(b)
	case []byte:
		return b
	}
	raw, err := json.Marshal(body)
	if err != nil {
		return []byte(err.Error()) // a test's own map always encodes
	}
	return raw
}

// Every message comes twice, past duplicate detection, on the way in as on the
// way through: one operation, one backup.
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
	require.Empty(t, l.refusals())
}

// Messages come so late that the sweep has woken their operations long before.
// They are old copies then and do nothing.
func TestLateDelivery_DoesNothingAfterTheSweep(t *testing.T) {
	t.Parallel()
	world := armsim.DemoWorld()
	var sites []site
	for i := range messagesOfBackup {
		sites = append(sites, newSite(&world, fmt.Sprintf("late%d", i), protected))
	}
	l := startInTurn(t, stack.Config{SpeedFactor: 200, World: &world})
	// The sweep wakes what is three seconds overdue at this speed.
	l.Broker.SetMessageFault(wrongOnce(sites, servicebus.MessageFault{Delay: 8 * time.Second}))
	for _, s := range sites {
		l.begin(s.backup())
	}
	for i, s := range sites {
		l.backedUpOnce(s, s.operation())
		require.Contains(t, say(l.history(s.operation())), "woken by the sweep", "operation %d", i)
	}
	// The late ones come after the end, and change nothing.
	require.Eventually(t, func() bool { return len(l.Broker.Messages("steps")) == 0 }, patience, 50*time.Millisecond)
	for _, s := range sites {
		require.Len(t, l.backupsOf(s), 1)
	}
}

// operation is the id of the site's backup.
func (s site) operation() string {
	return operation.ID("local", "backup-now", "backup-"+s.account.Name)
}

// messagesOfBackup is how many messages of its own a backup of a file share
// goes through: its steps.
const messagesOfBackup = 5

// wrongOnce gives one message of each operation a fault: the message of seq 1
// of the first operation, that of seq 2 of the second, and so on.
func wrongOnce(sites []site, fate servicebus.MessageFault) func(queue, messageID string) servicebus.MessageFault {
	fates := map[string]servicebus.MessageFault{}
	for i, s := range sites {
		fates[fmt.Sprintf("%s:%d", s.operation(), i+1)] = fate
	}
	return func(_, messageID string) servicebus.MessageFault { return fates[messageID] }
}

// own reports whether a message is the one that belongs to a seq, rather than
// a further wake-up.
func own(messageID string) bool { return strings.Count(messageID, ":") == 1 }
