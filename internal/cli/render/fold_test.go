package render_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/api"
	"azbackupflow/internal/cli/render"
	"azbackupflow/internal/client/clienttest"
)

const job = "b0b2ed3d-c91b-4ac9-9b3a-1a8a9b2c3d4e"

// looks returns the events of an operation that waits for a job.
func looks(n int) []api.Event {
	at := clienttest.Began()
	events := []api.Event{{Seq: 1, At: at, Step: "await-job", Status: api.Running, What: "done: the backup was accepted", DueAt: at.Add(30 * time.Second)}}
	for i := range n {
		at = at.Add(30 * time.Second)
		events = append(events, api.Event{
			Seq: int64(i + 2), At: at, Step: "await-job", Status: api.Running, DueAt: at.Add(30 * time.Second),
			What:      fmt.Sprintf("waiting: Backup job %s of orders (InProgress, %d%%)", job, i),
			Exchanges: []api.Exchange{{Method: "GET", Path: clienttest.Vault + "/backupJobs/" + job, Status: 200}},
		})
	}
	return append(events, api.Event{Seq: int64(n + 2), At: at.Add(30 * time.Second), Step: "await-job", Status: api.Succeeded, What: "done: Backup job " + job + " of orders completed"})
}

func shown(tl *render.Timeline, events []api.Event) string {
	var lines []string
	for _, ev := range events {
		lines = append(lines, tl.Lines(ev)...)
	}
	return strings.Join(append(lines, tl.End()...), "\n")
}

func TestTimeline_FoldsRepeatedLooks(t *testing.T) {
	t.Parallel()
	all := shown(&render.Timeline{}, looks(29))
	require.Equal(t, 1, strings.Count(all, "waiting: "), all)
	require.Equal(t, 1, strings.Count(all, "InProgress, 29 looks in 14 min, 28 %"), all)
	require.Equal(t, 1, strings.Count(all, "→ 200"), "the first look is shown with its call")
	require.Contains(t, all, "ended as Succeeded")
	require.Equal(t, 1, strings.Count(all, job), "the job is named once")
	require.NotContains(t, shown(&render.Timeline{}, looks(1)), "looks in")
}

func TestTimeline_ShowsLooksThatHaveNotEnded(t *testing.T) {
	t.Parallel()
	tl := &render.Timeline{}
	events := looks(4)
	for _, ev := range events[:len(events)-1] {
		tl.Lines(ev)
	}
	require.Equal(t, "InProgress, 4 looks in 1 min 30 s, 3 %", tl.Looks())
	require.Contains(t, strings.Join(tl.End(), "\n"), "InProgress, 4 looks in 1 min 30 s, 3 %")
	require.Empty(t, tl.End(), "it is shown once")
}

func TestTimeline_DoesNotFoldWhatDiffers(t *testing.T) {
	t.Parallel()
	at := clienttest.Began()
	event := func(step, what string, failed *api.Error, status api.Status) api.Event {
		return api.Event{At: at, Step: step, Status: status, What: what, Err: failed, DueAt: at.Add(time.Minute)}
	}
	throttled := &api.Error{Code: "TooManyRequests", Message: "slow down", Class: "Throttled"}
	other := &api.Error{Code: "Busy", Message: "busy", Class: "Conflict"}
	all := shown(&render.Timeline{}, []api.Event{
		event("a", "accepted", nil, api.Pending),
		event("a", "retrying", throttled, api.Running), event("a", "retrying", throttled, api.Running), event("a", "retrying", throttled, api.Running),
		event("a", "retrying", other, api.Running),
		event("a", "paused", nil, api.Running), event("a", "resumed", nil, api.Running),
		event("b", "waiting: x (Running)", nil, api.Running), event("b", "waiting: x (Running)", nil, api.Running),
		event("b", "parked", other, api.Parked),
	})
	require.Contains(t, all, "TooManyRequests, 3 attempts in 0 s")
	require.Equal(t, 2, strings.Count(all, "Busy (Conflict)"), all)
	require.Contains(t, all, "paused")
	require.Contains(t, all, "resumed")
}

func TestTimeline_FitsEveryTerminal(t *testing.T) {
	t.Parallel()
	events := looks(3)
	events[1].Err = &api.Error{Code: "BMSUserErrorContainerObjectNotFound", Message: strings.Repeat("something long ", 20), Detail: strings.Repeat("x", 200), Class: "Fatal"}
	events[1].Step = "confirm-instance-is-stopped-for-good"
	for columns := 30; columns < 160; columns++ {
		require.LessOrEqual(t, widest(shown(&render.Timeline{Columns: columns}, events)), columns)
	}
}

func TestTimeline_NamesWhoChangedTheOperation(t *testing.T) {
	t.Parallel()
	at := clienttest.Began()
	all := shown(&render.Timeline{}, []api.Event{
		{At: at, Step: "a", Status: api.Pending, What: "accepted", Actor: &api.Actor{Kind: "functionKey", ID: "0123abcd"}, DueAt: at, Seq: 1},
		{At: at, Seq: 2, Step: "a", Status: api.Canceled, What: "canceled", Actor: &api.Actor{Kind: "user", ID: "11111111"}, Reason: "wrong\x1b[2J share"},
		{At: at, Seq: 3, Step: "a", Status: api.Canceled, What: "notice sent: canceled"},
	})
	all = strings.Join(strings.Fields(all), " ") // without the line breaks
	require.Contains(t, all, "accepted, by function key 0123abcd; continues at once")
	require.Contains(t, all, "canceled, by user 11111111, reason: wrong [2J share; ended as Canceled")
	require.Equal(t, 1, strings.Count(all, "ended as"), "it ends once")
}

func TestCounter_CountsTheStepsThatMayFollow(t *testing.T) {
	t.Parallel()
	flow := []string{"find", "read", "start", "await", "find-job", "await-job"}
	var c render.Counter
	c.Count(api.Event{Step: "find"}) // the acceptance
	require.Equal(t, 1, c.Number("find"))
	require.Equal(t, 6, c.Most("find", flow))
	c.Count(api.Event{Step: "find"})
	c.Count(api.Event{Step: "start"}) // read was skipped
	require.Equal(t, 3, c.Number("await"))
	require.Equal(t, 5, c.Most("await", flow))
	c.Count(api.Event{Step: "await"})
	require.Equal(t, 4, c.Most("await-job", flow), "find-job was skipped")
	c.Count(api.Event{Step: "await-job"})
	require.Equal(t, 5, c.Most("start", flow), "a job that failed is started again; find-job may follow now")
	require.Zero(t, c.Most("nowhere", flow))
	require.Zero(t, c.Most("find", nil))
}
