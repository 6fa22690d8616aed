package e2e

import (
	"fmt"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/local/armsim"
	"azbackupflow/internal/local/stack"
)

// reads are the calls, in order, by which protect-file-share reads the current
// state.
func reads() []string {
	return []string{
		"GET backupPolicies", "GET backupProtectedItems", "GET backupProtectionContainers", "GET operationsStatus",
		"GET protectableContainers", "GET backupProtectableItems", "GET backupJobs",
	}
}

// TestFailedReads_AreRetried fails every read of a flow once, in the same way.
// Retrying the read is enough: no write is repeated.
func TestFailedReads_AreRetried(t *testing.T) {
	t.Parallel()
	faults := []struct {
		name, code string
		effect     armsim.Effect
		waits      time.Duration
	}{
		{
			name: "429 with Retry-After", code: "SubscriptionRequestsThrottled", waits: time.Second,
			effect: armsim.AnswerError(http.StatusTooManyRequests, "SubscriptionRequestsThrottled", "Too many reads.", http.Header{"Retry-After": {"1"}}),
		},
		{
			name: "429 without Retry-After", code: "ResourceRequestsThrottled", waits: time.Minute / faultSpeed,
			effect: armsim.AnswerError(http.StatusTooManyRequests, "ResourceRequestsThrottled", "Too many reads.", nil),
		},
		{
			name: "500", code: "InternalServerError",
			effect: armsim.AnswerError(http.StatusInternalServerError, "InternalServerError", "Something went wrong.", nil),
		},
		{name: "502 with a gateway's page", code: "BadGateway", effect: armsim.Answer(http.StatusBadGateway, gatewayPage, html())},
		{name: "HTML instead of JSON", code: "UnreadableAnswer", effect: armsim.Answer(http.StatusOK, gatewayPage, html())},
		{name: "JSON that is something else", code: "UnreadableAnswer", effect: armsim.Answer(http.StatusOK, `["no", "object"]`, nil)},
		{name: "truncated JSON", code: "UnreadableAnswer", effect: armsim.Answer(http.StatusOK, `{"value":[{"id":"/subscr`, nil)},
		{name: "connection reset in the middle of the answer", code: "NoAnswer", effect: armsim.Callback(breakOff)},
		{
			name: "redirect to another host", code: "TemporaryRedirect",
			effect: armsim.Answer(http.StatusTemporaryRedirect, "", http.Header{"Location": {"https://gateway.invalid/"}}),
		},
	}
	world := armsim.DemoWorld()
	sites := make([]site, len(faults))
	for i := range faults {
		sites[i] = newSite(&world, fmt.Sprintf("reads%d", i), undiscovered)
	}
	l := startInTurn(t, stack.Config{SpeedFactor: faultSpeed, World: &world, Settings: withoutSweep()})
	ids := make([]string, len(faults))
	for i, f := range faults {
		for _, kind := range reads() {
			l.goesWrong(sites[i], kind, f.effect)
		}
		ids[i] = l.begin(sites[i].protect())
	}
	for i, f := range faults { //nolint:paralleltest // all of them run on one stack already
		t.Run("every read meets "+f.name, func(t *testing.T) {
			l := l.in(t)
			l.backedUpOnce(sites[i], ids[i])
			require.Equal(t, 5, l.writesOf(sites[i]), "refresh, register, inquire, protect, backup")
			tries := map[string]int{}
			for _, ev := range l.history(ids[i]) {
				if ev.Err != nil && ev.Err.Code == f.code {
					tries[ev.Step]++
					require.GreaterOrEqual(t, ev.DueAt.Sub(ev.At), f.waits)
				}
			}
			want := map[string]int{
				"check-policy": 1, "find-item": 1, "find-registration": 1, "await-refresh": 1,
				"find-container": 1, "find-share": 1, "await-protection-job": 1,
			}
			if f.code == "UnreadableAnswer" {
				delete(want, "await-refresh") // the same invocation reads the Location instead
			}
			require.Equal(t, want, tries)
		})
	}
}

// breakOff promises an answer and resets the connection in the middle of it.
// (Go's client repeats a read itself when an idle connection is reset.)
func breakOff(w http.ResponseWriter, _ *http.Request) bool {
	conn, out, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return false
	}
	_, _ = out.WriteString("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"value\":")
	_ = out.Flush()
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
	return true
}
