package dashboard_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/api"
	"azbackupflow/internal/client"
	"azbackupflow/internal/client/clienttest"
	"azbackupflow/internal/dashboard"
	"azbackupflow/internal/flow"
)

// site is a dashboard over the real API with its store in memory.
type site struct {
	t      testing.TB
	api    *clienttest.API
	client *client.Client
	url    string
	http   *http.Client
}

func flows(t testing.TB) []dashboard.Flow {
	t.Helper()
	definitions, err := flow.Definitions(flow.Config{Now: time.Now})
	require.NoError(t, err)
	all, err := dashboard.Flows(definitions)
	require.NoError(t, err)
	return all
}

func newSite(t testing.TB, change ...func(*dashboard.Config)) *site {
	t.Helper()
	s := &site{t: t, api: clienttest.Start(t)}
	var err error
	s.client, err = client.New(client.Config{URL: s.api.URL, Now: s.api.Clock.Now, Sleep: s.api.Clock.Sleep})
	require.NoError(t, err)
	ids := 0
	config := dashboard.Config{
		API: func(*http.Request) dashboard.API { return s.client }, Flows: flows(t), Name: "test app",
		NewID: func() string { ids++; return fmt.Sprint("id-", ids) }, Now: s.api.Clock.Now, Log: slog.New(slog.DiscardHandler),
	}
	for _, c := range change {
		c(&config)
	}
	d, err := dashboard.New(config)
	require.NoError(t, err)
	server := httptest.NewServer(d)
	t.Cleanup(server.Close)
	s.url = server.URL
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	s.http = &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return s
}

// start starts an operation in the API.
func (s *site) start(key string) api.Operation {
	s.t.Helper()
	started, err := s.client.Start(s.t.Context(), clienttest.Protect(key, "orders"))
	require.NoError(s.t, err)
	return started.Operation
}

func (s *site) get(path string) (int, string) {
	s.t.Helper()
	res, body := s.send(http.MethodGet, path, nil, nil)
	return res.status, body
}

// page returns a page that must exist.
func (s *site) page(path string) string {
	s.t.Helper()
	status, body := s.get(path)
	require.Equal(s.t, http.StatusOK, status, body)
	return body
}

// answer is a response whose body has been read.
type answer struct {
	status int
	header http.Header
}

func (s *site) send(method, path string, form url.Values, header http.Header) (answer, string) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.url+"/"+path, strings.NewReader(form.Encode()))
	require.NoError(s.t, err)
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for name, values := range header {
		req.Header[name] = values
	}
	if host := header.Get("Host"); host != "" {
		req.Host = host
	}
	res, err := s.http.Do(req)
	require.NoError(s.t, err)
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	require.NoError(s.t, err)
	return answer{status: res.StatusCode, header: res.Header}, string(body)
}

var tokenField = regexp.MustCompile(`name="form-token" value="([^"]+)"`)

// submit sends a form of a page, as a browser does.
func (s *site) submit(page, action string, form url.Values) (answer, string) {
	s.t.Helper()
	found := tokenField.FindStringSubmatch(s.page(page))
	require.NotNil(s.t, found, "the page has a form")
	if form == nil {
		form = url.Values{}
	}
	form.Set("form-token", found[1])
	return s.send(http.MethodPost, action, form, http.Header{"Sec-Fetch-Site": {"same-origin"}, "Origin": {s.url}})
}

func TestPages_ShowWhatTheAPIReturns(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	running := s.start("running")
	for path, wants := range map[string][]string{
		"operations":               {"Operations", running.ID, "protect-file-share", `data-count="Pending"`},
		"operations/" + running.ID: {"Timeline", "History", "Parameters", "accepted", "Cancel this operation"},
		"attention":                {"Nothing is parked.", "Nothing has failed.", "No request was rejected."},
		"attention?preflight=now":  {"Checked ", "Check again"},
		"attention?preflight=1":    {"Everything that the app needs can be reached."},
		"items":                    {"vm1", "DefaultPolicy"},
		"schedules":                {"nightly", "Europe/Berlin", "Run nightly now"},
		"protection":               {"No decision yet."},
		"limits":                   {"No limit is near."},
		"start":                    {"Protect", "Back up", "Restore", "Change and end protection", "start/protect-file-share", "start/restore-postgres"},
		"trends":                   {"No operation has ended in this time.", "protect-file-share"},
	} {
		body := s.page(path)
		for _, want := range wants {
			require.Contains(t, body, want, path)
		}
		require.NotContains(t, body, "ZgotmplZ", path)
		require.NotRegexp(t, `\sstyle=|<style|\son[a-z]+=|<script>`, body, "nothing inline: %s", path)
	}
	for _, f := range flows(t) {
		require.Contains(t, s.page("start/"+f.Name), "Dry run: show the calls", f.Name)
	}
}

func TestItems_AreJoinedWithTheirOperations(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	op := s.start("protected")
	require.NotEmpty(t, op.Vault)
	require.Contains(t, strings.ToLower(s.page("items")), "items?vault="+strings.ToLower(url.QueryEscape(op.Vault)), "the vaults of operations are links")

	body := s.page("items?vault=" + url.QueryEscape(clienttest.Vault))
	require.Contains(t, body, "vm1")
	require.Contains(t, body, "DefaultPolicy")
}

// Each figure is that of the API at the same moment, as the command line shows it.
func TestOperations_FiguresEqualTheSummary(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for n := range 7 {
		op := s.start(fmt.Sprint("key-", n))
		if n%3 == 0 {
			_, err := s.client.Cancel(t.Context(), op.ID, "")
			require.NoError(t, err)
		}
	}
	s.api.Clock.Pass(time.Hour)
	summary, err := s.client.Summary(t.Context(), time.Time{})
	require.NoError(t, err)
	body := s.page("operations")
	for status, count := range summary.Status {
		require.Regexp(t, fmt.Sprintf(`data-count="%s">.*<b>%d</b>`, status, count), body)
	}
}

func TestOperations_FiltersAreInTheAddress(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	first, second := s.start("first"), s.start("second")
	body := s.page("operations?key=first")
	require.Contains(t, body, first.ID)
	require.NotContains(t, body, second.ID)
	require.Contains(t, body, `title="Remove this filter"`)
	require.Contains(t, body, `name="key" value="first"`)
	require.Contains(t, body, `href="operations?status=Pending,Running"`)
	require.Contains(t, body, `href="operations?status=SucceededWithWarnings"`)
	body = s.page("operations?key=first&status=" + url.QueryEscape("Pending,Running,Succeeded"))
	require.Contains(t, body, `href="operations?key=first" title="Remove this filter"`)

	status, body := s.get("operations?label=nonsense")
	require.Equal(t, http.StatusBadRequest, status)
	require.Contains(t, body, "label: write it as name=value")
	status, _ = s.get("operations?status=Nonsense")
	require.Equal(t, http.StatusBadRequest, status)
}

func TestLive_AnswersOnlyWithWhatChanged(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.start("first")
	body := s.page("operations")
	found := regexp.MustCompile(`hx-get="([^"]+)"`).FindStringSubmatch(body)
	require.NotNil(t, found)
	query := strings.ReplaceAll(found[1], "&amp;", "&")
	status, _ := s.get("operations" + query)
	require.Equal(t, http.StatusNoContent, status, "nothing has changed")

	second := s.start("second")
	status, body = s.get("operations" + query)
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, body, second.ID)
	require.NotContains(t, body, "<html", "only the live part")
}

func TestOperation_IsWatchedUntilItsEnd(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	op := s.start("watched")
	body := s.page("operations/" + op.ID)
	require.Contains(t, body, `hx-trigger="every 1s"`)
	require.Contains(t, body, `hx-sync="this:drop"`, "one request at a time")
	_, err := s.client.Wait(t.Context(), op.ID, func(client.Update) {})
	require.NoError(t, err)
	body = s.page("operations/" + op.ID)
	require.Contains(t, body, "Succeeded")
	require.NotContains(t, body, "hx-get", "an ended operation does not change")
	require.NotContains(t, body, "Cancel this operation")
}

func TestActions_ChangeTheOperationWithAReason(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	op := s.start("changed")
	page := "operations/" + op.ID
	for _, step := range []struct{ action, next string }{{"pause", "Resume this operation"}, {"resume", "Pause this operation"}, {"cancel", "Canceled"}} {
		res, body := s.submit(page, page+"/"+step.action, url.Values{"reason": {"maintenance " + step.action}})
		require.Equal(t, http.StatusSeeOther, res.status, body)
		require.Equal(t, "../"+op.ID+"?done="+step.action, res.header.Get("Location"))
		if step.action == "cancel" {
			s.api.Clock.Pass(time.Hour)
		}
		body = s.page(page)
		require.Contains(t, body, step.next)
		require.Contains(t, body, "maintenance "+step.action)
	}
	res, body := s.submit("start/backup-now", page+"/pause", nil)
	require.Equal(t, http.StatusConflict, res.status, body)
}

func TestDrills_ShowResultsAndEvidence(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	body := s.page("drills")
	for _, want := range []string{"monthly-files", "No drill has ended yet.", "Run monthly-files now"} {
		require.Contains(t, body, want)
	}
	document := s.api.Prove(t, "drill1", "orders-eu", clienttest.Began().Add(-time.Hour), nil)
	body = s.page("drills")
	require.Contains(t, body, "1 proven")
	require.Contains(t, body, "orders-eu")
	require.Contains(t, body, `href="evidence/drill1"`)
	require.NotContains(t, s.page("drills?result=Failed"), "orders-eu")
	res, sent := s.send(http.MethodGet, "evidence/drill1", nil, nil)
	require.Equal(t, http.StatusOK, res.status)
	require.Equal(t, string(document.File), sent, "the signed document, unchanged")
	require.Contains(t, res.header.Get("Content-Disposition"), "attachment")
	status, _ := s.get("evidence/none")
	require.Equal(t, http.StatusNotFound, status)

	res, body = s.submit("drills", "drills/monthly-files/suspend", url.Values{"reason": {"audit"}})
	require.Equal(t, http.StatusSeeOther, res.status, body)
	require.Contains(t, s.page("drills"), "audit")
	res, _ = s.submit("drills", "drills/monthly-files/continue", nil)
	require.Equal(t, http.StatusSeeOther, res.status)
	res, body = s.submit("drills", "drills/monthly-files/run", url.Values{"run": {"from-the-page"}})
	require.Equal(t, http.StatusSeeOther, res.status, body)
	res, _ = s.submit("drills", "drills/monthly-files/nonsense", nil)
	require.Equal(t, http.StatusNotFound, res.status)

	s.api.BreakEvidence()
	body = s.page("drills")
	require.Contains(t, body, "The evidence cannot be read")
	require.Contains(t, body, "monthly-files", "the drills are still shown")
}

func TestReadiness_ShowsTheReport(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	body := s.page("readiness")
	require.Contains(t, body, `hx-get="readiness?read=1" hx-trigger="load"`, "the page loads its report in the background")
	require.Empty(t, s.api.Readiness.Requests(), "the page itself reads nothing")
	body = s.page("readiness?read=1")
	for _, want := range []string{"accounts", "Objectives missed", "A drill proves for 365 days", "azurefilesvault", "Soft delete"} {
		require.Contains(t, body, want)
	}
	require.NotContains(t, body, "hx-trigger", "a complete report is not read again")
	body = s.page("readiness?read=1&state=Proven")
	require.Contains(t, body, "accounts")
	require.NotContains(t, body, "billing")
	status, _ := s.get("readiness?state=Nonsense")
	require.Equal(t, http.StatusBadRequest, status)

	s.api.Readiness.Incomplete(1)
	body = s.page("readiness?read=1")
	require.Contains(t, body, "The report is not complete")
	require.Regexp(t, `hx-trigger="every [1-9][0-9]*s" hx-sync="this:drop"`, body, "a failed request does not end the updates")
	s.api.Readiness.Fail(api.ReadinessProblem{Part: "vault", Subject: clienttest.Vault, Code: "AuthorizationFailed", Message: "no access"})
	require.Contains(t, s.page("readiness?read=1"), "AuthorizationFailed")
}

func TestProtection_ExplainsAResource(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	body := s.page("protection?resource=" + url.QueryEscape(clienttest.Account+"/fileServices/default/shares/orders"))
	for _, want := range []string{"Rule <b><bdi>shares</bdi></b> decides: <b>protect</b>", "the tag archive is missing", "Nothing was started", "Last decisions"} {
		require.Contains(t, body, want)
	}
	body = s.page("protection?resource=nonsense")
	require.Contains(t, body, "resource: cannot be protected by rules; a resource ID")
	require.Contains(t, body, `value="nonsense"`, "the form keeps what was written")
}

func TestStart_ValidatesAndStarts(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	form := func() url.Values {
		return url.Values{
			"p.vaultId":          {"/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/g/providers/Microsoft.RecoveryServices/vaults/files-vault"},
			"p.storageAccountId": {"/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/account"},
			"p.fileShare":        {"orders"}, "p.policy": {"daily"}, "labels": {"team=files\n"}, "key": {"from the page"}, "do": {"start"},
		}
	}
	res, body := s.submit("start/protect-file-share", "start/protect-file-share", form())
	require.Equal(t, http.StatusSeeOther, res.status, body)
	require.Contains(t, res.header.Get("Location"), "?done=started")
	page, err := s.client.List(t.Context(), api.OperationQuery{Key: "from the page"})
	require.NoError(t, err)
	require.Len(t, page.Operations, 1)
	require.Equal(t, map[string]string{"team": "files"}, page.Operations[0].Labels)

	res, _ = s.submit("start/protect-file-share", "start/protect-file-share", form())
	require.Contains(t, res.header.Get("Location"), "?done=existing", "the same key starts nothing")

	wrong := form()
	wrong.Set("p.vaultId", "nonsense")
	wrong.Set("labels", "team")
	res, body = s.submit("start/protect-file-share", "start/protect-file-share", wrong)
	require.Equal(t, http.StatusBadRequest, res.status)
	require.Contains(t, body, "labels: write one name=value on each line")
	require.Contains(t, body, `value="nonsense"`, "the form keeps what was written")
	wrong.Set("labels", "")
	res, body = s.submit("start/protect-file-share", "start/protect-file-share", wrong)
	require.Equal(t, http.StatusBadRequest, res.status)
	require.Contains(t, body, "parameters.vaultId")
}

func TestForms_OfOtherSitesAreRejected(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	op := s.start("safe")
	page := "operations/" + op.ID
	token := tokenField.FindStringSubmatch(s.page(page))[1]
	good := url.Values{"form-token": {token}}
	for name, test := range map[string]struct {
		form   url.Values
		header http.Header
	}{
		"another site":    {good, http.Header{"Sec-Fetch-Site": {"cross-site"}}},
		"a sibling site":  {good, http.Header{"Sec-Fetch-Site": {"same-site"}}},
		"another origin":  {good, http.Header{"Origin": {"https://attacker.example"}}},
		"an empty origin": {good, http.Header{"Origin": {"null"}}},
		"no token":        {url.Values{}, nil},
		"a wrong token":   {url.Values{"form-token": {"guess"}}, nil},
	} {
		res, body := s.send(http.MethodPost, page+"/cancel", test.form, test.header)
		require.Equal(t, http.StatusForbidden, res.status, name)
		require.Contains(t, body, "Form rejected", name)
	}
	got, err := s.client.Get(t.Context(), op.ID)
	require.NoError(t, err)
	require.False(t, got.CancelRequested)
	res, _ := s.send(http.MethodPost, page+"/cancel", good, nil)
	require.Equal(t, http.StatusSeeOther, res.status, "the page's own form works")
}

func TestAccess_NeedsTheSessionAndTheAddress(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(c *dashboard.Config) { c.Session = "secret" })
	status, body := s.get("operations")
	require.Equal(t, http.StatusForbidden, status)
	require.Contains(t, body, "Open the link")
	status, _ = s.get("?session=guess")
	require.Equal(t, http.StatusForbidden, status)
	res, _ := s.send(http.MethodGet, "?session=secret", nil, nil)
	require.Equal(t, "operations", res.header.Get("Location"))
	require.Contains(t, s.page("operations"), "Operations")

	named := newSite(t, func(c *dashboard.Config) { c.Hosts = []string{"127.0.0.1:1"} })
	res, _ = named.send(http.MethodGet, "operations", nil, http.Header{"Host": {"attacker.example"}})
	require.Equal(t, http.StatusMisdirectedRequest, res.status)
	res, _ = named.send(http.MethodGet, "operations", nil, http.Header{"Host": {"127.0.0.1:1"}})
	require.Equal(t, http.StatusOK, res.status)
}

func TestResponses_HaveAStrictPolicy(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for _, path := range []string{"operations", "assets/none", "none", "start/none"} {
		res, _ := s.send(http.MethodGet, path, nil, nil)
		policy := res.header.Get("Content-Security-Policy")
		require.Contains(t, policy, "default-src 'none'", path)
		require.NotContains(t, policy, "unsafe", path)
		require.Equal(t, "nosniff", res.header.Get("X-Content-Type-Options"), path)
	}
	asset := regexp.MustCompile(`src="(assets/htmx[^"]+)"`).FindStringSubmatch(s.page("operations"))
	require.NotNil(t, asset)
	res, _ := s.send(http.MethodGet, asset[1], nil, nil)
	require.Equal(t, http.StatusOK, res.status)
	require.Contains(t, res.header.Get("Cache-Control"), "immutable")
}

// hostile text tries to end an attribute or an element, to run a script, to turn the
// direction of text, and to fill the page.
const hostile = `<script>alert(1)</script>"'><img src=x onerror=alert(2)>{{.Token}}` + "\u202e\u2066x\x1b[31m"

// hostileAPI returns hostile text in every field that comes from outside.
type hostileAPI struct{ *client.Client }

func hostileOperation() api.Operation {
	return api.Operation{
		ID: "op1", Flow: hostile, Key: hostile, Status: api.Failed, Step: hostile, Labels: map[string]string{hostile: strings.Repeat(hostile, 200)},
		Learned: map[string]string{hostile: hostile}, Warnings: []string{hostile}, WaitingFor: hostile, Vault: hostile, Item: hostile, Bulk: hostile,
		JobID: hostile, Reason: hostile, StartedBy: &api.Actor{Kind: hostile, ID: hostile}, Parameters: []byte(`{"a":"</script>"}`),
		Error: &api.Error{Code: hostile, Message: hostile, Class: hostile, RecommendedAction: []string{hostile}, CorrelationID: hostile},
	}
}

func (hostileAPI) List(context.Context, api.OperationQuery) (api.OperationPage, error) {
	return api.OperationPage{Operations: []api.Operation{hostileOperation()}, Unreadable: []string{hostile}, Continue: hostile}, nil
}

func (hostileAPI) GetChanged(context.Context, string, string, time.Duration) (client.Changed, error) {
	return client.Changed{Operation: hostileOperation(), ETag: hostile, Changed: true}, nil
}

func (hostileAPI) History(context.Context, string) (api.History, error) {
	op := hostileOperation()
	event := api.Event{Step: hostile, What: hostile, Err: op.Error, Actor: op.StartedBy, Reason: hostile, Exchanges: []api.Exchange{{Method: hostile, Path: hostile, Failure: hostile, CorrelationID: hostile}}}
	return api.History{Events: []api.Event{event, event}, Unreadable: []string{hostile}}, nil
}

func hostileRejected() api.RejectedRequest {
	return api.RejectedRequest{
		ID: "r1", Source: hostile, MessageID: hostile, Flow: hostile, Reason: hostile, Body: "</textarea>" + hostile, BodyType: hostile,
		Fields: []api.FieldError{{Field: hostile, Problem: hostile, Want: hostile}},
	}
}

func (hostileAPI) ListRejected(context.Context, api.RejectedQuery) (api.RejectedPage, error) {
	return api.RejectedPage{Rejected: []api.RejectedRequest{hostileRejected()}}, nil
}

func (hostileAPI) ListRemovals(context.Context, api.RejectedQuery) (api.RemovalPage, error) {
	return api.RemovalPage{Removals: []api.Removal{{ID: hostile, Request: hostile, Reason: hostile, RemovedBy: &api.Actor{Kind: hostile, ID: hostile}}}}, nil
}

func (hostileAPI) GetRejected(context.Context, string) (api.RejectedRequest, error) {
	r := hostileRejected()
	r.BodyType = ""
	return r, nil
}

func (hostileAPI) Decisions(context.Context, api.DecisionQuery) (api.DecisionPage, error) {
	return api.DecisionPage{Decisions: []api.Decision{{ResourceID: hostile, Outcome: hostile, Rule: hostile, Reason: hostile, Source: hostile, OperationID: hostile, DryRunMatches: []string{hostile}}}}, nil
}

func (hostileAPI) Drills(context.Context) (api.DrillList, error) {
	return api.DrillList{Drills: []api.Drill{{
		Schedule: api.Schedule{Name: hostile, Cron: hostile, TimeZone: hostile, Enabled: true, PauseReason: hostile}, VaultID: hostile, ItemType: hostile, LastResults: &api.DrillResults{Run: hostile},
	}}}, nil
}

func (hostileAPI) ListEvidence(context.Context, api.EvidenceQuery) (api.EvidencePage, error) {
	return api.EvidencePage{Continue: hostile, Evidence: []api.Evidence{{ID: hostile, Drill: hostile, Run: hostile, ItemID: hostile, ItemType: hostile, ItemName: hostile, Result: hostile, RestoreTime: hostile, PointAge: hostile}}}, nil
}

func (hostileAPI) Readiness(context.Context, api.ReadinessQuery) (api.Readiness, error) {
	return api.Readiness{
		Objectives: api.ReadinessObjectives{MaxProofAge: hostile}, Continue: hostile, Scan: api.ReadinessScan{Problems: []api.ReadinessProblem{{Subject: hostile, Code: hostile, Message: hostile, RecommendedAction: []string{hostile}}}},
		Scores: []api.ReadinessScore{{Group: "vault", Name: hostile}}, Vaults: []api.ReadinessVault{{ID: hostile, Name: hostile, Location: hostile, SoftDelete: hostile, Immutability: hostile, Findings: []string{hostile}}},
		Items: []api.ReadinessItem{{Name: hostile, Type: hostile, VaultID: hostile, State: hostile, Reasons: []string{hostile}, Next: []string{hostile}, Drill: &api.ReadinessDrill{Result: hostile}}},
	}, nil
}

func (hostileAPI) Explain(context.Context, string) (api.ExplanationList, error) {
	return api.ExplanationList{Resources: []api.Explanation{{
		ResourceID: hostile, Type: hostile, Outcome: hostile, Rule: hostile, Reason: hostile, PolicyGaps: []string{hostile},
		Rules: []api.RuleResult{{Rule: hostile, Reason: hostile, DryRun: true}},
	}}}, nil
}

func (hostileAPI) Limits(context.Context) (api.LimitList, error) {
	return api.LimitList{Limits: []api.Limit{{Name: hostile, Subscription: hostile, Scope: hostile, WaitingCount: 1, Waiting: []api.LimitWaiter{{Operation: hostile}}}}}, nil
}

func (hostileAPI) Schedules(context.Context) (api.ScheduleList, error) {
	return api.ScheduleList{Schedules: []api.Schedule{{Name: hostile, Cron: hostile, TimeZone: hostile, Flow: hostile, Enabled: true, Paused: true, PauseReason: hostile, PausedBy: &api.Actor{ID: hostile}, Next: []api.ScheduledRun{{Slot: hostile}}, Last: &api.ScheduledRun{Slot: hostile}}}}, nil
}

func (hostileAPI) Preflight(context.Context) (api.Preflight, error) {
	return api.Preflight{Findings: []api.Finding{{Check: hostile, Subject: hostile, Problem: hostile, Do: hostile, Missing: []string{hostile}}}}, nil
}

func TestPages_ShowHostileTextHarmlessly(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s = newSite(t, func(c *dashboard.Config) {
		c.API = func(*http.Request) dashboard.API { return hostileAPI{s.client} }
		c.Name = hostile
	})
	for _, path := range []string{
		"operations", "operations/op1", "attention?preflight=1", "rejected/r1", "protection", "protection?resource=" + url.QueryEscape(hostile), "readiness?read=1", "drills?result=" + url.QueryEscape(hostile), "limits", "schedules", "trends",
		"operations?item=" + url.QueryEscape(hostile), "operations?done=" + url.QueryEscape(hostile), "protection?outcome=" + url.QueryEscape(hostile),
	} {
		body := s.page(path)
		require.NotContains(t, body, "<script>alert", path)
		require.NotContains(t, body, "<img src=x", path)
		require.NotContains(t, body, "</textarea><script", path)
		require.NotRegexp(t, "[\u202e\u2066\x1b]", body, path)
		require.NotContains(t, body, "ZgotmplZ", path)
	}
}

func TestErrors_AreExplained(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	status, body := s.get("operations/zzzz")
	require.Equal(t, http.StatusNotFound, status)
	require.Contains(t, body, "Not found")
	status, _ = s.get("nothing/here")
	require.Equal(t, http.StatusNotFound, status)

	down := newSite(t, func(c *dashboard.Config) {
		gone, err := client.New(client.Config{URL: "http://127.0.0.1:1", Now: time.Now, Sleep: func(context.Context, time.Duration) error { return nil }})
		require.NoError(t, err)
		c.API = func(*http.Request) dashboard.API { return gone }
	})
	status, body = down.get("operations")
	require.Equal(t, http.StatusBadGateway, status)
	require.Contains(t, body, "The app cannot be reached")
}

func TestNew_NamesAMissingField(t *testing.T) {
	t.Parallel()
	_, err := dashboard.New(dashboard.Config{})
	require.EqualError(t, err, "dashboard: Config.API is missing")
}
