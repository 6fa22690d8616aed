package dashboard

import (
	"cmp"
	"context"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"azbackupflow/internal/api"
)

// pageSize is the number of rows of a list.
const pageSize = 50

// maxCountAge is the age of counts from which the page shows it.
const maxCountAge = 5 * time.Second

// listLive is the trigger of lists: one request each 20 s.
const listLive = "every 20s"

// operationFilter is the filter of the list of operations, as in its address.
type operationFilter struct {
	Status, Flow, Item, Vault, Label, Schedule, Bulk, Key, ID, Since, Sort string
	Errors, Paused, Overdue                                                bool
	Continue                                                               string
}

// filterNames are the query parameters of the list that filter.
func filterNames() []string {
	return []string{"status", "flow", "item", "vault", "label", "schedule", "bulk", "key", "id", "since", "errors", "paused", "overdue", "sort"}
}

func readFilter(q url.Values) operationFilter {
	get := func(name string) string { return strings.TrimSpace(q.Get(name)) }
	return operationFilter{
		Status: get("status"), Flow: get("flow"), Item: get("item"), Vault: get("vault"), Label: get("label"), Schedule: get("schedule"),
		Bulk: get("bulk"), Key: get("key"), ID: get("id"), Since: get("since"), Sort: get("sort"), Errors: get("errors") == "true", Paused: get("paused") == "true", Overdue: get("overdue") == "true", Continue: get("continue"),
	}
}

// query returns the query of the API.
func (f operationFilter) query(now time.Time) (api.OperationQuery, error) {
	q := api.OperationQuery{
		Flow: f.Flow, ID: f.ID, Key: f.Key, Item: f.Item, Vault: f.Vault, Schedule: f.Schedule, Bulk: f.Bulk,
		Errors: f.Errors, Paused: f.Paused, Overdue: f.Overdue, Sort: f.Sort, PageSize: pageSize, Continue: f.Continue,
	}
	for name := range strings.SplitSeq(f.Status, ",") {
		if name != "" {
			q.Status = append(q.Status, api.Status(name))
		}
	}
	if f.Label != "" {
		key, value, ok := strings.Cut(f.Label, "=")
		if !ok {
			return q, &pageError{http.StatusBadRequest, "Filter not valid", `label: write it as name=value, such as team=files`}
		}
		q.Labels = []api.Label{{Key: key, Value: value}}
	}
	if f.Since != "" {
		within, ok := windows[f.Since]
		if !ok {
			return q, &pageError{http.StatusBadRequest, "Filter not valid", "since: choose hour, day, week or month"}
		}
		q.Since = now.Add(-within)
	}
	return q, nil
}

// windows are the choices of the filter since.
var windows = map[string]time.Duration{ //nolint:gochecknoglobals // a constant table
	"hour": time.Hour, "day": 24 * time.Hour, "week": 7 * 24 * time.Hour, "month": 30 * 24 * time.Hour,
}

// savedView is a link to a filter that many people need.
type savedView struct {
	Name    string
	Query   template.URL
	Current bool
}

func savedViews(current url.Values) []savedView {
	views := []savedView{
		{Name: "All"},
		{Name: "In progress", Query: "status=Pending,Running"},
		{Name: "Needs attention", Query: "status=Parked,Failed,TimedOut"},
		{Name: "Paused", Query: "paused=true"},
		{Name: "Failed today", Query: "status=Failed,TimedOut&since=day"},
		{Name: "Longest", Query: "since=day&sort=-duration"},
	}
	now := url.Values{}
	for _, name := range filterNames() {
		if v := current.Get(name); v != "" {
			now.Set(name, v)
		}
	}
	for i := range views {
		q, err := url.ParseQuery(string(views[i].Query))
		views[i].Current = err == nil && q.Encode() == now.Encode()
	}
	return views
}

// statusCount is a number of operations with a status.
type statusCount struct {
	Status api.Status
	Count  int
}

// statusChoice is a choice of the filter by status: one status, or several.
type statusChoice struct{ Value, Name string }

// statusChoices returns the choices of the filter by status, among them the current one.
func statusChoices(current string) (all []statusChoice) {
	for _, s := range api.Statuses() {
		all = append(all, statusChoice{string(s), string(s)})
	}
	all = append(all, statusChoice{"Pending,Running", "in progress"}, statusChoice{"Parked,Failed,TimedOut", "needs attention"}, statusChoice{"Failed,TimedOut", "failed or timed out"})
	if current != "" && !slices.ContainsFunc(all, func(c statusChoice) bool { return c.Value == current }) {
		all = append(all, statusChoice{current, current})
	}
	return all
}

// operationsData is the content of the list of operations.
type operationsData struct {
	Filter  operationFilter
	Views   []savedView
	Summary api.Summary
	Counts  []statusCount
	// Stale reports that the counts are older than the page.
	Stale bool
	// Statuses and Flows are the choices of the filters.
	Statuses []statusChoice
	Flows    []string
	Page     api.OperationPage
	// More reports that a sorted list has more than its page.
	More bool
	// Problems names what is wrong with the filter.
	Problems []string
	// Next is the query of the next page, First that of the first one.
	Next, First template.URL
	// Active lists the filters in words, for the button that removes them.
	Active []activeFilter
}

// activeFilter is a filter with the query that removes it.
type activeFilter struct {
	Name, Value string
	Without     template.URL
}

// operations is the page of the list.
func (d *Dashboard) operations(r *http.Request) (content, error) {
	ctx, query := r.Context(), r.URL.Query()
	data := operationsData{Filter: readFilter(query), Views: savedViews(query), Active: activeFilters(query)}
	data.Statuses, data.Flows = statusChoices(data.Filter.Status), d.flowNames()
	if f := data.Filter.Flow; f != "" && !slices.Contains(data.Flows, f) { // the app may have other flows than this program
		data.Flows = append(data.Flows, f)
	}
	backend := d.cfg.API(r)
	c := content{Title: "Operations", Section: "operations", Live: live{Every: listLive, Query: clean(query).Encode()}}
	if err := data.list(ctx, backend, d.cfg.Now()); err != nil {
		if status, _, _ := explain(err); status != http.StatusBadRequest {
			return content{}, err
		}
		c.status, data.Problems = d.formProblem(r, err)
		c.Live = live{} // the filter stays wrong
	}
	var err error
	if data.Summary, err = backend.Summary(ctx, time.Time{}); err != nil {
		return content{}, err
	}
	data.Stale = d.cfg.Now().Sub(data.Summary.At) > maxCountAge
	for _, s := range api.Statuses() {
		data.Counts = append(data.Counts, statusCount{Status: s, Count: data.Summary.Status[s]})
	}
	if data.Page.Continue != "" {
		data.Next = with(query, "continue", data.Page.Continue)
	}
	if data.Filter.Continue != "" {
		data.First = with(query, "continue", "")
	}
	c.Data = data
	return c, nil
}

// list reads the operations that the filter selects.
func (data *operationsData) list(ctx context.Context, backend API, now time.Time) error {
	q, err := data.Filter.query(now)
	if err != nil {
		return err
	}
	if q.Sort != "" {
		q.PageSize++ // a sorted list has one page, which does not say whether there are more
	}
	if data.Page, err = backend.List(ctx, q); err != nil {
		return err
	}
	if len(data.Page.Operations) > pageSize {
		data.Page.Operations, data.More = data.Page.Operations[:pageSize], true
	}
	return nil
}

// activeFilters returns the filters that are set.
func activeFilters(query url.Values) (all []activeFilter) {
	for _, name := range filterNames() {
		if value := query.Get(name); value != "" {
			all = append(all, activeFilter{Name: name, Value: value, Without: with(query, name, "")})
		}
	}
	return all
}

// clean returns a query without the parameters of the dashboard itself, and without
// empty ones.
func clean(query url.Values) url.Values {
	kept := url.Values{}
	for name, values := range query {
		if !slices.Contains([]string{"live", "tag", "done", "etag"}, name) && len(values) > 0 && values[0] != "" {
			kept[name] = values[:1]
		}
	}
	return kept
}

// with returns the query with another value of one parameter. A changed filter
// begins at the first page.
func with(query url.Values, name, value string) template.URL {
	changed := clean(query)
	changed.Del("continue")
	if value == "" {
		changed.Del(name)
	} else {
		changed.Set(name, value)
	}
	return template.URL(changed.Encode()) //nolint:gosec // encoded
}

func (d *Dashboard) flowNames() []string {
	names := make([]string, 0, len(d.cfg.Flows))
	for _, f := range d.cfg.Flows {
		names = append(names, f.Name)
	}
	slices.SortFunc(names, cmp.Compare)
	return names
}
