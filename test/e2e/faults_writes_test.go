package e2e

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/local/armsim"
	"azbackupflow/internal/local/stack"
)

// write is a call by which the flows change something in Azure.
type write struct {
	kind, step string
	from       stage
	once       bool
}

func writes() []write {
	return []write{
		{kind: "POST refreshContainers", step: "refresh", from: undiscovered},
		{kind: "PUT protectionContainers", step: "register", from: undiscovered},
		{kind: "POST inquire", step: "inquire", from: registered},
		{kind: "PUT protectedItems", step: "enable-protection", from: registered},
		{kind: "POST backup", step: "trigger-backup", from: protected, once: true},
	}
}

// writeFault is a fault of a write.
type writeFault struct {
	name   string
	effect armsim.Effect
	// code is the code of the error in the history; empty if nothing failed.
	code string
	// asked is the total number of write requests; adopted is the number for a
	// call that must not happen twice.
	asked, adopted int
	// waits is the minimum time between the first and the second request.
	waits time.Duration
}

const gatewayPage = "<html><head><title>Bad gateway</title></head><body>The service is unavailable.</body></html>"

func html() http.Header { return http.Header{"Content-Type": {"text/html"}} }

func writeFaults() []writeFault {
	return []writeFault{
		{
			name: "429 with Retry-After", code: "SubscriptionRequestsThrottled", asked: 2, adopted: 2, waits: 2 * time.Second,
			effect: armsim.AnswerError(http.StatusTooManyRequests, "SubscriptionRequestsThrottled", "Number of 'write' requests exceeded the limit.", http.Header{"Retry-After": {"2"}}),
		},
		{
			name: "429 without Retry-After", code: "ResourceRequestsThrottled", asked: 2, adopted: 2, waits: time.Minute / faultSpeed,
			effect: armsim.AnswerError(http.StatusTooManyRequests, "ResourceRequestsThrottled", "Number of requests exceeded the limit of '150' for time interval '01:00:00'.", nil),
		},
		{
			name: "429 with its wait time in the message", code: "ResourceRequestsThrottled", asked: 2, adopted: 2, waits: 2 * time.Second,
			effect: armsim.AnswerError(http.StatusTooManyRequests, "ResourceRequestsThrottled", "Number of requests exceeded the limit. Please try again after '2' seconds.", nil),
		},
		{
			name: "500", code: "CloudInternalError", asked: 2, adopted: 2,
			effect: armsim.AnswerError(http.StatusInternalServerError, "CloudInternalError", "Microsoft Azure Backup encountered an internal error.", nil),
		},
		{
			name: "502 with a gateway's page", code: "BadGateway", asked: 2, adopted: 2,
			effect: armsim.Answer(http.StatusBadGateway, gatewayPage, html()),
		},
		{name: "connection reset before the effect", code: "NoAnswer", asked: 2, adopted: 2, effect: armsim.ResetBefore()},
		{name: "connection reset after the effect", code: "NoAnswer", asked: 2, adopted: 1, effect: armsim.ResetAfter()},
		{
			name: "200 with HTML instead of JSON", code: "UnreadableAnswer", asked: 2, adopted: 2,
			effect: armsim.Answer(http.StatusOK, gatewayPage, html()),
		},
		{
			name: "202 with HTML instead of JSON", code: "UnreadableAnswer", asked: 2, adopted: 2,
			effect: armsim.Answer(http.StatusAccepted, gatewayPage, html()),
		},
		{name: "a status URL that is not found", asked: 1, adopted: 1, effect: armsim.ExpiredStatus()},
	}
}

// faultSpeed turns a minute of Azure into a fifth of a second.
const faultSpeed = 300

// TestFailedWrites_AreRecoveredAndNeverRepeated applies each fault to each
// write of the flows. Every operation completes, and no backup is triggered
// twice.
func TestFailedWrites_AreRecoveredAndNeverRepeated(t *testing.T) {
	t.Parallel()
	type attempt struct {
		write
		writeFault
		site
		id string
	}
	var attempts []attempt
	world := armsim.DemoWorld()
	for i, w := range writes() {
		for j, f := range writeFaults() {
			s := newSite(&world, fmt.Sprintf("writes%d%02d", i, j), w.from)
			attempts = append(attempts, attempt{write: w, writeFault: f, site: s})
		}
	}
	l := startInTurn(t, stack.Config{SpeedFactor: faultSpeed, World: &world, Settings: withoutSweep()})
	for i := range attempts {
		a := &attempts[i]
		l.goesWrong(a.site, a.kind, a.effect)
		request := a.protect()
		if a.from == protected {
			request = a.backup()
		}
		a.id = l.begin(request)
	}
	for _, a := range attempts { //nolint:paralleltest // all of them run on one stack already
		t.Run(a.kind+" meets "+a.name, func(t *testing.T) {
			l := l.in(t)
			l.backedUpOnce(a.site, a.id)
			asked := l.requestsOf(a.site, a.kind)
			history := l.history(a.id)
			want := a.asked
			if a.once {
				want = a.adopted
			}
			require.Len(t, asked, want, say(history))
			if len(asked) > 1 {
				require.GreaterOrEqual(t, asked[1].Time.Sub(asked[0].Time), a.waits)
			}
			ev, found := met(history, a.code)
			require.Equal(t, a.code != "", found, say(history))
			if found {
				require.Equal(t, a.step, ev.Step)
				require.NotEmpty(t, ev.Exchanges)
				require.True(t, ev.DueAt.After(ev.At), "when it looks again")
			} else {
				require.Contains(t, say(history), "Azure no longer has its status")
			}
		})
	}
}
