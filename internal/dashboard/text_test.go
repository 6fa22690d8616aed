package dashboard_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/api"
	"azbackupflow/internal/client/clienttest"
	"azbackupflow/internal/dashboard"
	"azbackupflow/internal/rejected"
)

// singleRows is an API whose lists have one row of everything.
type singleRows struct{ dashboard.API }

func (singleRows) Schedules(context.Context) (api.ScheduleList, error) {
	return api.ScheduleList{Schedules: []api.Schedule{{Name: "nightly", TimeZone: "UTC", Enabled: true, Waiting: 1, Skipped: 1}}}, nil
}

func (singleRows) Limits(context.Context) (api.LimitList, error) {
	return api.LimitList{Limits: []api.Limit{{Name: "Job reads", Limit: 150}, {Name: "Restores"}}}, nil
}

func (singleRows) Decisions(context.Context, api.DecisionQuery) (api.DecisionPage, error) {
	return api.DecisionPage{Unreadable: []string{"one"}}, nil
}

func (singleRows) List(context.Context, api.OperationQuery) (api.OperationPage, error) {
	return api.OperationPage{Unreadable: []string{"one"}}, nil
}

func (singleRows) History(context.Context, string) (api.History, error) {
	return api.History{Unreadable: []string{"one"}}, nil
}

func TestText_HasSingularAndPlural(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	op := s.start("one")
	single := newSite(t, func(c *dashboard.Config) { c.API = func(*http.Request) dashboard.API { return singleRows{s.client} } })
	for path, wants := range map[string][]string{
		"schedules":           {"1 item until the previous run ends", `1 <span class="soft">missed, overlapped or paused</span>`},
		"limits":              {"1 limit of which nothing is used", "1 limit that Azure has not named yet"},
		"protection":          {"1 decision cannot be read."},
		"operations":          {"1 row cannot be read;"},
		"operations/" + op.ID: {"1 row of the history cannot be read."},
	} {
		body := single.page(path)
		for _, want := range wants {
			require.Contains(t, body, want, path)
		}
	}
}

// The IDs of requests that were rejected within minutes begin with the same digits.
func TestAttention_DistinguishesRejectedRequests(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for n := range 2 {
		at, message := clienttest.Began().Add(time.Duration(n)*time.Second), fmt.Sprint("m", n)
		id := rejected.NewID(at, "requests", message, nil)
		require.NoError(t, s.api.Store.SaveRejected(t.Context(), rejected.Request{ID: id, At: at, Source: "requests", MessageID: message, Flow: "backup-now", Reason: "invalid request", Body: "{}"}))
		require.Contains(t, s.page("attention"), `href="rejected/`+id+`" title="`+id+`">`+id[20:28]+`</a>`)
		require.NoError(t, s.client.DeleteRejected(t.Context(), id, "a test"))
		require.Contains(t, s.page("attention"), `<span class="mono" title="`+id+`">`+id[20:28]+`</span>`)
	}
}
