package dashboard_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/api"
	"azbackupflow/internal/dashboard"
)

func TestSchedules_ArePausedAndContinued(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	res, body := s.submit("schedules", "schedules/nightly/suspend", url.Values{"reason": {"migration"}})
	require.Equal(t, http.StatusSeeOther, res.status, body)
	body = s.page("schedules")
	require.Contains(t, body, "migration")
	require.Contains(t, body, "Continue nightly")
	res, _ = s.submit("schedules", "schedules/nightly/continue", nil)
	require.Equal(t, http.StatusSeeOther, res.status)
	require.Contains(t, s.page("schedules"), "Pause nightly")
}

// Ten runs are shown in UTC and in the time zone of the schedule, whose offset changes
// between them.
func TestSchedules_ShowTheNextTenRuns(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.api.Clock.Pass(125 * 24 * time.Hour) // 26 March 2027; the clocks of Berlin change on the 28th
	body := s.page("schedules")
	require.Equal(t, 10, strings.Count(body, "data-next="))
	require.Contains(t, body, `<th>UTC</th><th>Europe/Berlin</th>`)
	require.Contains(t, body, `<tr data-next="2027-03-27T02:00"><td>Sat 2027-03-27 01:00</td><td>Sat 2027-03-27 02:00</td></tr>`)
	require.Contains(t, body, `<tr data-next="2027-03-29T02:00"><td>Mon 2027-03-29 00:00</td><td>Mon 2027-03-29 02:00</td></tr>`)
}

// scheduledAPI has some schedules, and operations of them.
type scheduledAPI struct {
	dashboard.API

	schedules []api.Schedule
	page      api.OperationPage
	queries   *[]api.OperationQuery
}

func (a scheduledAPI) Schedules(context.Context) (api.ScheduleList, error) {
	return api.ScheduleList{Schedules: a.schedules}, nil
}

func (a scheduledAPI) List(_ context.Context, q api.OperationQuery) (api.OperationPage, error) {
	*a.queries = append(*a.queries, q)
	return a.page, nil
}

// schedulesPage returns the page of schedules over an API.
func schedulesPage(t *testing.T, path string, count int, page api.OperationPage) (body string, queries []api.OperationQuery) {
	t.Helper()
	backend := scheduledAPI{page: page, queries: &queries}
	for n := range count {
		backend.schedules = append(backend.schedules, api.Schedule{Name: fmt.Sprint("s", n), TimeZone: "UTC", Enabled: true})
	}
	s := newSite(t, func(c *dashboard.Config) { c.API = func(*http.Request) dashboard.API { return backend } })
	return s.page(path), queries
}

func ofRun(slot string, statuses ...api.Status) (all []api.Operation) {
	for _, status := range statuses {
		all = append(all, api.Operation{Status: status, Labels: map[string]string{"slot": slot}})
	}
	return all
}

func TestSchedules_ShowTheOutcomeOfTheLastRuns(t *testing.T) {
	t.Parallel()
	operations := append(ofRun("2026-11-21T02:00", api.Running, api.Succeeded, api.Succeeded), ofRun("2026-11-20T02:00", api.Failed)...)
	body, queries := schedulesPage(t, "schedules", 1, api.OperationPage{Operations: operations, Continue: "more"})
	require.Equal(t, []api.OperationQuery{{Schedule: "s0", PageSize: 100}}, queries)
	require.Contains(t, body, `href="operations?label=slot%3D2026-11-21T02%3A00&amp;schedule=s0" title="2026-11-21T02:00">Sat 2026-11-21 02:00</a></td><td class="n">3</td>`)
	require.Regexp(t, `Running</span> 1.*Succeeded</span> 2`, body)
	require.Contains(t, body, `Fri 2026-11-20 02:00</a></td><td class="n">at least 1</td>`, "its other operations are on the next page")

	var many []api.Operation
	for n := range 12 {
		many = append(many, ofRun(fmt.Sprintf("2026-11-%02dT02:00", 21-n), api.Succeeded)...)
	}
	body, _ = schedulesPage(t, "schedules", 1, api.OperationPage{Operations: many})
	require.Equal(t, 10, strings.Count(body, "label=slot"))
}

// Each schedule with its last runs costs a call: many schedules have a link.
func TestSchedules_ShowLastRunsOnRequestIfThereAreMany(t *testing.T) {
	t.Parallel()
	_, queries := schedulesPage(t, "schedules", 5, api.OperationPage{})
	require.Len(t, queries, 5)
	body, queries := schedulesPage(t, "schedules", 6, api.OperationPage{})
	require.Empty(t, queries)
	require.Contains(t, body, `href="schedules?runs=s3#s3"`)
	_, queries = schedulesPage(t, "schedules?runs="+url.QueryEscape("s3"), 6, api.OperationPage{})
	require.Equal(t, []api.OperationQuery{{Schedule: "s3", PageSize: 100}}, queries)
}

func TestSchedules_ShowLastRunsOnTheirPage(t *testing.T) {
	t.Parallel()
	body, queries := schedulesPage(t, "schedules?runs=s25", 45, api.OperationPage{})
	require.Equal(t, []api.OperationQuery{{Schedule: "s25", PageSize: 100}}, queries)
	require.Contains(t, body, `<h2 id="s25">`)
	require.Contains(t, body, `href="?page=3&amp;runs=s25" rel="next"`)
	body, queries = schedulesPage(t, "schedules?runs=s25&page=3", 45, api.OperationPage{})
	require.Empty(t, queries, "the page that was chosen does not have it")
	require.Contains(t, body, `<h2 id="s44">`)
}

// longLists is an API with three pages of schedules and drills, and two of evidence. A
// change of a schedule or drill only succeeds.
type longLists struct{ dashboard.API }

func (longLists) Schedules(context.Context) (list api.ScheduleList, err error) {
	for n := range 45 {
		list.Schedules = append(list.Schedules, api.Schedule{Name: fmt.Sprint("s", n), TimeZone: "UTC", Enabled: true})
	}
	return list, nil
}

func (a longLists) Drills(ctx context.Context) (list api.DrillList, err error) {
	schedules, err := a.Schedules(ctx)
	for _, one := range schedules.Schedules {
		list.Drills = append(list.Drills, api.Drill{Schedule: one})
	}
	return list, err
}

func (longLists) ListEvidence(context.Context, api.EvidenceQuery) (api.EvidencePage, error) {
	return api.EvidencePage{Continue: "older"}, nil
}

func (longLists) PauseSchedule(context.Context, string, string) (one api.Schedule, err error) {
	return one, nil
}

func (longLists) PauseDrill(context.Context, string, string) (one api.Schedule, err error) {
	return one, nil
}

func TestSchedules_AreChangedOnTheirPage(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(c *dashboard.Config) { c.API = func(*http.Request) dashboard.API { return longLists{} } })
	for path, form := range map[string]string{"schedules": "schedules/s25/suspend", "drills": "drills/s25/suspend"} {
		body := s.page(path + "?page=2")
		require.Regexp(t, `action="`+form+`"[^\n]*<input type="hidden" name="page" value="2">`, body)
		res, _ := s.submit(path+"?page=2", form, url.Values{"page": {"2"}})
		require.Equal(t, "../../"+path+"?done=suspend&page=2", res.header.Get("Location"))
		res, _ = s.submit(path, form, url.Values{"page": {"1"}})
		require.Equal(t, "../../"+path+"?done=suspend&page=1", res.header.Get("Location"))
	}
}

func TestDrills_KeepThePageOfTheDrills(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(c *dashboard.Config) { c.API = func(*http.Request) dashboard.API { return longLists{} } })
	body := s.page("drills?page=2&result=Failed&continue=newer")
	for _, want := range []string{
		`<a href="drills?page=2">All</a>`, `<a href="drills?page=2&amp;result=Proven">Proven</a>`, `<a href="drills?page=2&amp;result=Failed" aria-current="true">Failed</a>`,
		`<a href="drills?page=2&amp;result=Failed">First page</a>`, `<a href="drills?continue=older&amp;page=2&amp;result=Failed" rel="next">Older evidence</a>`,
	} {
		require.Contains(t, body, want)
	}
}
