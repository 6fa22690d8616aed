package dashboard

import (
	"context"
	"net/http"
	"time"

	"azbackupflow/internal/api"
)

// attentionData is the content of the page "Needs attention".
type attentionData struct {
	Parked, Failed, Paused, Overdue []api.Operation
	Rejected                        api.RejectedPage
	// Removals are the newest removals of rejected requests.
	Removals []api.Removal
	// More reports that a list has more than its first page.
	More bool
	// Preflight is set if the page was requested with it: it makes many calls. The
	// page requests it in the background. Problems are its findings that are not OK.
	Preflight *checkedPreflight
	Problems  []api.Finding
}

// shownRemovals is the number of removals of rejected requests that the page shows.
const shownRemovals = 10

// attention returns the page "Needs attention": what an operator must handle.
func (d *Dashboard) attention(r *http.Request) (content, error) {
	ctx, backend := r.Context(), d.cfg.API(r)
	var data attentionData
	var err error
	list := func(q api.OperationQuery) []api.Operation {
		if err != nil {
			return nil
		}
		var page api.OperationPage
		q.PageSize = pageSize
		page, err = backend.List(ctx, q)
		data.More = data.More || page.Continue != ""
		return page.Operations
	}
	data.Parked = list(api.OperationQuery{Status: []api.Status{api.Parked}})
	data.Failed = list(api.OperationQuery{Status: []api.Status{api.Failed, api.TimedOut}})
	data.Paused = list(api.OperationQuery{Paused: true})
	data.Overdue = list(api.OperationQuery{Overdue: true})
	if err != nil {
		return content{}, err
	}
	if data.Rejected, err = backend.ListRejected(ctx, api.RejectedQuery{PageSize: pageSize}); err != nil {
		return content{}, err
	}
	removals, err := backend.ListRemovals(ctx, api.RejectedQuery{PageSize: shownRemovals})
	if err != nil {
		return content{}, err
	}
	data.Removals = removals.Removals
	c := content{Title: "Needs attention", Section: "attention"}
	if which := r.URL.Query().Get("preflight"); which != "" {
		if data.Preflight, err = d.preflight(ctx, backend, which == "now"); err != nil {
			return content{}, err
		}
		for _, f := range data.Preflight.Findings {
			if !f.OK {
				data.Problems = append(data.Problems, f)
			}
		}
	} else {
		c.Live = live{Every: listLive}
	}
	c.Data = data
	return c, nil
}

// preflightAge is how long the result of a preflight is shown.
const preflightAge = 15 * time.Minute

// checkedPreflight is the result of a preflight, and its time.
type checkedPreflight struct {
	api.Preflight
	At time.Time
}

// preflight returns the last result, or that of a new preflight if it is old. The
// caller must have read from the API before, so that only readers see the result.
func (d *Dashboard) preflight(ctx context.Context, backend API, again bool) (*checkedPreflight, error) {
	last := d.checked.Load()
	if last != nil && !again && d.cfg.Now().Sub(last.At) < preflightAge {
		return last, nil
	}
	report, err := backend.Preflight(ctx)
	if err != nil {
		return nil, err
	}
	last = &checkedPreflight{Preflight: report, At: d.cfg.Now()}
	d.checked.Store(last)
	return last, nil
}
