package main

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"azbackupflow/internal/api"
	"azbackupflow/internal/client"
	"azbackupflow/internal/client/clienttest"
	"azbackupflow/internal/dashboard"
	"azbackupflow/internal/flow"
)

// shownPage holds what a page of the dashboard shows.
type shownPage struct {
	// tables holds the texts of cells by row and column, the heading first.
	tables [][][]string
	// counts holds the texts of elements with a number, by what they count.
	counts map[string]string
	// facts holds the values of lists of facts by their names.
	facts map[string][]string
	text  string
}

// table returns the rows of the first table with a heading of this name.
func (p shownPage) table(t *testing.T, heading string) (rows []map[string]string) {
	t.Helper()
	for _, table := range p.tables {
		head := table[0]
		for _, name := range head {
			if name != heading {
				continue
			}
			for _, cells := range table[1:] {
				row := map[string]string{}
				for i, cell := range cells {
					row[head[min(i, len(head)-1)]] = cell
				}
				rows = append(rows, row)
			}
			return rows
		}
	}
	return nil
}

// readPage parses a page.
func readPage(t *testing.T, body string) shownPage {
	t.Helper()
	root, err := html.Parse(strings.NewReader(body))
	require.NoError(t, err)
	p := shownPage{counts: map[string]string{}, facts: map[string][]string{}, text: shownText(root)}
	name := ""
	for n := range root.Descendants() {
		switch {
		case n.Data == "table":
			p.tables = append(p.tables, rowsOf(n))
		case n.Data == "dt":
			name = shownText(n)
		case n.Data == "dd":
			p.facts[name] = append(p.facts[name], shownText(n))
		}
		for _, a := range n.Attr {
			if a.Key == "data-count" || a.Key == "data-outcome" {
				words := strings.Fields(shownText(n))
				p.counts[a.Val] = words[len(words)-1]
			}
		}
	}
	return p
}

func rowsOf(table *html.Node) (rows [][]string) {
	for n := range table.Descendants() {
		switch n.Data {
		case "tr":
			rows = append(rows, nil)
		case "th", "td":
			rows[len(rows)-1] = append(rows[len(rows)-1], shownText(n))
		}
	}
	return rows
}

// shownText returns the text of a node with single spaces.
func shownText(root *html.Node) string {
	var b strings.Builder
	for n := range root.Descendants() {
		if n.Type == html.TextNode {
			b.WriteString(n.Data)
			if n.NextSibling == nil || n.NextSibling.Data != "wbr" { // it breaks a line within a name
				b.WriteByte(' ')
			}
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// dashboardOf serves a dashboard over the shell's API. The function returns a page.
func dashboardOf(s *shell) func(path string) shownPage {
	s.t.Helper()
	definitions, err := flow.Definitions(flow.Config{Now: s.api.Clock.Now})
	require.NoError(s.t, err)
	flows, err := dashboard.Flows(definitions)
	require.NoError(s.t, err)
	calls, err := client.New(client.Config{URL: s.api.URL, Now: s.api.Clock.Now, Sleep: s.api.Clock.Sleep})
	require.NoError(s.t, err)
	pages, err := dashboard.New(dashboard.Config{
		API: func(*http.Request) dashboard.API { return calls }, Flows: flows, Name: "test", NewID: uuid.NewString, Now: s.api.Clock.Now, Log: slog.New(slog.DiscardHandler),
	})
	require.NoError(s.t, err)
	return func(path string) shownPage {
		s.t.Helper()
		w := httptest.NewRecorder()
		pages.ServeHTTP(w, httptest.NewRequestWithContext(s.t.Context(), http.MethodGet, "/"+path, nil))
		require.Equal(s.t, http.StatusOK, w.Code, w.Body.String())
		return readPage(s.t, w.Body.String())
	}
}

// ask decodes the JSON output of a command.
func ask[T any](s *shell, args ...string) (v T) {
	s.t.Helper()
	require.NoError(s.t, json.Unmarshal([]byte(s.succeeds(append(args, "-o", "json")...)), &v))
	return v
}

// stampOf returns a time as the pages show it.
func stampOf(at time.Time) string {
	if at.IsZero() {
		return "–"
	}
	return at.UTC().Format("2006-01-02 15:04:05Z")
}

// spanOf returns a duration as the pages show it, below an hour.
func spanOf(d time.Duration) string {
	d = d.Round(time.Second)
	if d < time.Minute {
		return fmt.Sprintf("%d s", int(d.Seconds()))
	}
	return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
}

// TestDashboard_ShowsTheFiguresOfTheCommands compares each figure of each page with
// the output of the commands at the same moment.
func TestDashboard_ShowsTheFiguresOfTheCommands(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	ended := s.seeFigures()
	page := dashboardOf(s)
	compareOperations(t, s, page)
	compareOperation(t, s, page, ended)
	compareAttention(t, s, page)
	compareItems(t, s, page)
	compareSchedules(t, s, page)
	compareProtection(t, s, page)
	compareDrills(t, s, page)
	compareReadiness(t, s, page)
	compareLimits(t, s, page)
	compareTrends(t, s, page)
}

// seeFigures makes something to count for each page, and returns an ended operation.
func (s *shell) seeFigures() string {
	s.t.Helper()
	s.failed()
	s.api.Backup()
	ended := s.start(clienttest.Protect("done", "testshare")).ID
	s.api.Clock.Pass(45 * time.Minute)
	paused := s.start(clienttest.Protect("held", "held")).ID
	s.succeeds("pause", paused, "--reason", "maintenance")
	s.reject()
	limitsScreen(s)
	decisionsScreen(s)
	return ended
}

func compareOperations(t *testing.T, s *shell, page func(string) shownPage) {
	t.Helper()
	shown, summary := page("operations"), ask[api.Summary](s, "summary")
	for _, status := range api.Statuses() {
		require.Equal(t, fmt.Sprint(summary.Status[status]), shown.counts[string(status)], status)
	}
	require.Positive(t, summary.Status[api.Failed])
	require.Positive(t, summary.Paused)
	require.Equal(t, fmt.Sprint(summary.Paused), shown.counts["paused"])
	list := ask[api.OperationPage](s, "list").Operations
	requireRows(t, s, shown.table(t, "Operation"), list)
	requireRows(t, s, page("operations?status=Failed,TimedOut").table(t, "Operation"), ask[api.OperationPage](s, "list", "--status", "Failed,TimedOut").Operations)
	requireRows(t, s, page("operations?sort=-duration").table(t, "Operation"), ask[api.OperationPage](s, "list", "--sort=-duration").Operations)
}

// requireRows compares a table of operations with a list.
func requireRows(t *testing.T, s *shell, rows []map[string]string, list []api.Operation) {
	t.Helper()
	require.Len(t, rows, len(list))
	require.NotEmpty(t, list)
	for i, op := range list {
		end := op.EndedAt
		if end.IsZero() {
			end = s.api.Clock.Now()
		}
		require.Equal(t, map[string]string{
			"Operation": op.ID[:8], "Status": rows[i]["Status"], "Flow": op.Flow, "Item": rows[i]["Item"], "Vault": "azurefilesvault", "Reason": rows[i]["Reason"],
			"Started": stampOf(op.CreatedAt), "Duration": spanOf(end.Sub(op.CreatedAt)), "Labels": "team=files",
		}, rows[i])
		require.Contains(t, rows[i]["Status"], string(op.Status))
		require.True(t, strings.HasSuffix(op.Item, rows[i]["Item"]), "%s of %s", rows[i]["Item"], op.Item)
		if op.Error != nil {
			require.Contains(t, rows[i]["Reason"], op.Error.Message)
		}
	}
}

func compareOperation(t *testing.T, s *shell, page func(string) shownPage, id string) {
	t.Helper()
	shown, op, history := page("operations/"+id), ask[api.Operation](s, "status", id), ask[api.History](s, "history", id)
	require.Equal(t, stampOf(op.EndedAt)+" , after "+spanOf(op.EndedAt.Sub(op.CreatedAt)), shown.facts["Ended"][0])
	require.True(t, strings.HasPrefix(shown.facts["Started"][0], stampOf(op.CreatedAt)))
	require.Contains(t, shown.facts["Azure job"][0], op.JobID)
	rows := shown.table(t, "Step")
	require.Len(t, rows, len(history.Events))
	for i, e := range history.Events {
		require.Equal(t, []string{fmt.Sprint(e.Seq), stampOf(e.At), e.Step}, []string{rows[i]["#"], rows[i]["At"], rows[i]["Step"]})
		require.Equal(t, len(e.Exchanges), strings.Count(rows[i]["Calls"], "→"))
	}
}

func compareAttention(t *testing.T, s *shell, page func(string) shownPage) {
	t.Helper()
	shown := page("attention")
	failed, paused := ask[api.OperationPage](s, "list", "--status", "Failed,TimedOut").Operations, ask[api.OperationPage](s, "list", "--paused").Operations
	operations := 0
	for _, table := range shown.tables {
		if table[0][1] == "Operation" {
			operations += len(table) - 1
		}
	}
	require.Equal(t, len(failed)+len(paused), operations, "nothing is parked or overdue")
	rejected := ask[api.RejectedPage](s, "rejected", "list").Rejected
	rows := shown.table(t, "Rejected")
	require.Len(t, rows, len(rejected))
	require.NotEmpty(t, rejected)
	for i, r := range rejected {
		require.Equal(t, []string{stampOf(r.At), r.Reason, stampOf(r.ReplayedAt)}, []string{rows[i]["Rejected"], rows[i]["Why"], rows[i]["Replayed"]})
	}
	s.succeeds("rejected", "purge", rejected[0].ID, "--reason", "sent twice")
	removals := ask[api.RemovalPage](s, "rejected", "removals").Removals
	rows = page("attention").table(t, "Deleted")
	require.Len(t, rows, len(removals))
	for i, r := range removals {
		require.Equal(t, []string{stampOf(r.At), r.Reason}, []string{rows[i]["Time"], rows[i]["Reason"]})
	}
}

func compareItems(t *testing.T, s *shell, page func(string) shownPage) {
	t.Helper()
	rows := page("items?vault="+url.QueryEscape(clienttest.Vault)).table(t, "Policy")
	list := ask[api.Inventory](s, "items", "list", clienttest.Vault).Entries
	require.Len(t, rows, len(list))
	require.NotEmpty(t, list)
	for i, e := range list {
		require.Contains(t, rows[i]["Item"], e.Name)
		require.Equal(t, []string{e.Type, e.Policy, e.State}, []string{rows[i]["Type"], rows[i]["Policy"], rows[i]["State"]})
	}
}

func compareSchedules(t *testing.T, s *shell, page func(string) shownPage) {
	t.Helper()
	shown, list := page("schedules"), ask[api.ScheduleList](s, "schedules", "list").Schedules
	require.NotEmpty(t, list)
	for i, one := range list {
		require.Equal(t, []string{fmt.Sprint(one.Skipped), fmt.Sprint(one.Rejected), one.Cron + " in " + one.TimeZone},
			[]string{shown.facts["Skipped"][i], shown.facts["Rejected"][i], shown.facts["Runs"][i]})
		require.Len(t, one.Next, 10)
		requireNext(t, shown, one)
	}
}

// requireNext compares the next runs of a schedule or drill, which is the only one with
// its time zone.
func requireNext(t *testing.T, shown shownPage, of api.Schedule) {
	t.Helper()
	rows := shown.table(t, of.TimeZone)
	require.Len(t, rows, len(of.Next))
	for i, run := range of.Next {
		require.Equal(t, map[string]string{"UTC": run.At.UTC().Format(runLayout), of.TimeZone: runOf(t, run.Slot)}, rows[i])
	}
}

// runLayout is how the pages show the times of runs.
const runLayout = "Mon 2006-01-02 15:04"

// runOf returns a planned run as the pages show it.
func runOf(t *testing.T, slot string) string {
	t.Helper()
	local, err := time.Parse("2006-01-02T15:04", slot)
	require.NoError(t, err)
	return local.Format(runLayout)
}

func compareProtection(t *testing.T, s *shell, page func(string) shownPage) {
	t.Helper()
	shown, list := page("protection"), ask[api.DecisionPage](s, "protect", "decisions").Decisions
	require.Len(t, shown.table(t, "Outcome"), len(list))
	counts := map[string]int{}
	for _, d := range list {
		counts[d.Outcome]++
	}
	require.Len(t, counts, 2)
	for outcome, n := range counts {
		require.Equal(t, fmt.Sprint(n), shown.counts[outcome])
	}
}

func compareDrills(t *testing.T, s *shell, page func(string) shownPage) {
	t.Helper()
	s.api.Prove(t, "a", "orders-eu", s.api.Clock.Now().Add(-time.Hour), nil)
	s.api.Prove(t, "b", "orders-us", s.api.Clock.Now().Add(-2*time.Hour), nil)
	shown, list, documents := page("drills"), ask[api.DrillList](s, "drills", "list").Drills, ask[api.EvidencePage](s, "drills", "evidence").Evidence
	require.Len(t, list, 1)
	r := list[0].LastResults
	require.NotNil(t, r)
	require.Equal(t, fmt.Sprintf("%d proven , %d missed objectives, %d not validated, %d failed (run %s)", r.Proven, r.ObjectivesMissed, r.NotValidated, r.Failed, runOf(t, r.Run)), shown.facts["Last results"][0])
	require.Len(t, list[0].Next, 10)
	requireNext(t, shown, list[0].Schedule)
	rows := shown.table(t, "Document")
	require.Len(t, rows, len(documents))
	require.Len(t, documents, 2)
	for i, e := range documents {
		require.Equal(t, []string{e.Result, e.ItemName + " " + e.ItemType, runOf(t, e.Run), stampOf(e.Ended), e.ID},
			[]string{rows[i]["Result"], rows[i]["Item"], rows[i]["Run, local time"], rows[i]["Ended"], rows[i]["Document"]})
	}
}

func compareReadiness(t *testing.T, s *shell, page func(string) shownPage) {
	t.Helper()
	shown, report := page("readiness?read=1"), ask[api.Readiness](s, "readiness")
	for _, score := range report.Scores {
		if score.Group == "total" {
			require.Positive(t, score.Items)
			for name, n := range map[string]int{
				"items": score.Items, "Proven": score.Proven, "NotProven": score.NotProven, "ObjectivesMissed": score.ObjectivesMissed,
				"NotProtected": score.NotProtected, "Excluded": score.Excluded,
			} {
				require.Equal(t, fmt.Sprint(n), shown.counts[name], name)
			}
			require.Contains(t, shown.text, fmt.Sprintf("%d %% of the resources that are not excluded are proven", score.ProvenPercent))
		}
	}
	rows := shown.table(t, "Resource")
	require.Len(t, rows, len(report.Items))
	for i, item := range report.Items {
		require.Equal(t, item.Name+" "+item.Type, rows[i]["Resource"])
		require.Equal(t, strings.Join(item.Reasons, " "), rows[i]["Why"])
	}
	require.Len(t, shown.table(t, "Immutability"), len(report.Vaults))
}

func compareLimits(t *testing.T, s *shell, page func(string) shownPage) {
	t.Helper()
	shown, list := page("limits"), ask[api.LimitList](s, "limits").Limits
	require.Len(t, list, 3)
	found := map[string][]string{}
	for _, table := range shown.tables {
		for _, cells := range table[1:] {
			if len(cells) > 1 { // else it is the name of a vault
				found[cells[0]] = cells
			}
		}
	}
	require.Len(t, found, len(list))
	for _, l := range list {
		allowed := "unknown"
		if l.Limit > 0 {
			allowed = fmt.Sprint(l.Limit)
		}
		of := l.Action
		if of == "" {
			of = l.Provider
		}
		cells := found[l.Name+" "+of]
		require.NotNil(t, cells, "%s in %v", l.Name, found)
		require.Equal(t, fmt.Sprintf("%d of %s", l.Used, allowed), cells[2])
		require.Equal(t, stampOf(l.ResetAt), cells[4])
		if l.WaitingCount > 0 {
			require.True(t, strings.HasPrefix(cells[6], fmt.Sprintf("%d %s until %s", l.WaitingCount, l.Waiting[0].Operation[:8], stampOf(l.Waiting[0].Until))), cells[6])
		}
	}
}

func compareTrends(t *testing.T, s *shell, page func(string) shownPage) {
	t.Helper()
	shown, list := page("trends?since=day"), ask[api.OperationPage](s, "list", "--since", "24h").Operations
	ended, succeeded, canceled := 0, 0, 0
	var longest time.Duration
	for _, op := range list {
		if op.Status.Terminal() {
			ended++
		}
		if op.Status == api.Canceled {
			canceled++
		}
		if op.Status.Successful() {
			succeeded++
			longest = max(longest, op.EndedAt.Sub(op.CreatedAt))
		}
	}
	require.Contains(t, shown.text, fmt.Sprintf("%d %% of %d ended operations succeeded.", 100*succeeded/ended, ended))
	rows := shown.table(t, "Longest")
	require.Equal(t, []map[string]string{{
		"Flow": "protect-file-share", "Operations": fmt.Sprint(len(list)), "Succeeded": fmt.Sprint(succeeded), "Failed": fmt.Sprint(ended - succeeded - canceled), "Canceled": fmt.Sprint(canceled),
		"Median duration": spanOf(longest), "95th percentile": spanOf(longest), "Longest": spanOf(longest),
	}}, rows, "one operation succeeded")
	require.Equal(t, 1, succeeded)
}
