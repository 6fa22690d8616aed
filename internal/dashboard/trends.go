package dashboard

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"time"

	"azbackupflow/internal/api"
)

// maxTrend limits the operations that the page of trends reads.
const maxTrend = 4 * api.MaxPageSize

// trendsData is the content of the page of trends.
type trendsData struct {
	Since  time.Time
	Window string
	Flows  []flowTrend
	Days   []dayTrend
	Hours  []hour
	// Total, Succeeded and Canceled count ended operations.
	Total, Succeeded, Canceled int
	// Throttled are the limits that Azure enforced within the window, the last ones
	// first. MoreThrottled is the number of those that the page leaves out.
	Throttled     []api.Limit
	MoreThrottled int
	// Incomplete reports that older operations of the window are missing.
	Incomplete bool
	// MostPerDay scales the plot of days, MostPerHour that of hours.
	MostPerDay, MostPerHour int
}

// flowTrend is the record of one flow.
type flowTrend struct {
	Flow                               string
	Count, Succeeded, Failed, Canceled int
	Median, Most, NinetyFifth          time.Duration
	durations                          []time.Duration
}

// dayTrend counts the operations of a day by their end.
type dayTrend struct {
	Day                               time.Time
	Succeeded, Failed, Canceled, Open int
}

// trendWindow is a choice of the time that the page covers.
type trendWindow struct{ Name, Label string }

func trendWindows() []trendWindow {
	return []trendWindow{{"day", "Last day"}, {"week", "Last week"}, {"month", "Last 30 days"}}
}

// trends is the page of trends.
func (d *Dashboard) trends(r *http.Request) (content, error) {
	ctx, backend := r.Context(), d.cfg.API(r)
	data := trendsData{Window: r.URL.Query().Get("since")}
	within, ok := windows[data.Window]
	if !ok {
		data.Window, within = "week", windows["week"]
	}
	now := d.cfg.Now().UTC()
	data.Since = now.Add(-within)
	operations, complete, err := readWindow(ctx, backend, data.Since)
	if err != nil {
		return content{}, err
	}
	data.Incomplete = !complete
	data.count(operations, now)
	list, err := backend.Limits(ctx)
	if err != nil {
		return content{}, err
	}
	for _, l := range list.Limits {
		if l.ThrottledAt.After(data.Since) {
			data.Throttled = append(data.Throttled, l)
		}
	}
	slices.SortStableFunc(data.Throttled, func(a, b api.Limit) int { return b.ThrottledAt.Compare(a.ThrottledAt) })
	data.Throttled, data.MoreThrottled = atMost(data.Throttled, pageSize)
	return content{Title: "Trends", Section: "trends", Data: data}, nil
}

// readWindow returns the operations that were created since a time, newest first.
// complete is false if there are too many.
func readWindow(ctx context.Context, backend API, since time.Time) (all []api.Operation, complete bool, err error) {
	q := api.OperationQuery{Since: since, PageSize: api.MaxPageSize}
	for {
		page, err := backend.List(ctx, q)
		if err != nil {
			return nil, false, err
		}
		all = append(all, page.Operations...)
		if page.Continue == "" {
			return all, true, nil
		}
		if len(all) >= maxTrend {
			return all, false, nil
		}
		q.Continue = page.Continue
	}
}

// count fills the figures.
func (t *trendsData) count(operations []api.Operation, now time.Time) {
	flows, days := map[string]*flowTrend{}, map[time.Time]*dayTrend{}
	for day := t.Since.Truncate(24 * time.Hour); !day.After(now); day = day.Add(24 * time.Hour) {
		days[day] = &dayTrend{Day: day}
	}
	t.Hours = make([]hour, 24)
	for h := range t.Hours {
		t.Hours[h].Hour = h
	}
	for _, op := range operations {
		f := flows[op.Flow]
		if f == nil {
			f = &flowTrend{Flow: op.Flow}
			flows[op.Flow] = f
		}
		f.Count++
		created := op.CreatedAt.UTC()
		t.Hours[created.Hour()].Runs++
		day := days[created.Truncate(24*time.Hour)]
		if day == nil {
			continue
		}
		switch {
		case !op.Status.Terminal():
			day.Open++
			continue
		case op.Status.Successful():
			day.Succeeded++
			f.Succeeded++
			t.Succeeded++
			f.durations = append(f.durations, op.EndedAt.Sub(op.CreatedAt))
		case op.Status == api.Canceled:
			day.Canceled++
			f.Canceled++
			t.Canceled++
		default:
			day.Failed++
			f.Failed++
		}
		t.Total++
	}
	t.sort(flows, days)
}

// sort orders the figures and finds the largest ones.
func (t *trendsData) sort(flows map[string]*flowTrend, days map[time.Time]*dayTrend) {
	for _, f := range flows {
		slices.Sort(f.durations)
		if n := len(f.durations); n > 0 {
			f.Median, f.NinetyFifth, f.Most = f.durations[n/2], f.durations[min(n-1, n*95/100)], f.durations[n-1]
		}
		t.Flows = append(t.Flows, *f)
	}
	slices.SortFunc(t.Flows, func(a, b flowTrend) int { return cmp.Or(b.Count-a.Count, cmp.Compare(a.Flow, b.Flow)) })
	for _, d := range days {
		t.Days = append(t.Days, *d)
		t.MostPerDay = max(t.MostPerDay, d.Succeeded+d.Failed+d.Canceled+d.Open)
	}
	slices.SortFunc(t.Days, func(a, b dayTrend) int { return a.Day.Compare(b.Day) })
	for _, h := range t.Hours {
		t.MostPerHour = max(t.MostPerHour, h.Runs)
	}
}

// plotHeight is the height of a plot in the units of its drawing.
const plotHeight = 100

// barHeight returns the height of a bar.
func barHeight(n, most int) int {
	if most == 0 || n == 0 {
		return 0
	}
	return max(2, plotHeight*n/most)
}
