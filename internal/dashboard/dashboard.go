// Package dashboard serves web pages that show what runs, what waits and what an
// operator must handle. The pages are rendered here, from the types of package api. They work
// without JavaScript, which adds live updates, keys and the display of times.
//
// The package calls the HTTP API through an interface that package client
// implements. So the pages of the command line, of the local stack and of the app
// are the same, and none shows more than the API does.
package dashboard

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"azbackupflow/internal/api"
	"azbackupflow/internal/client"
)

// API holds the calls that the pages make. Its methods are those of client.Client.
type API interface {
	Summary(ctx context.Context, since time.Time) (api.Summary, error)
	List(ctx context.Context, q api.OperationQuery) (api.OperationPage, error)
	GetChanged(ctx context.Context, id, etag string, wait time.Duration) (client.Changed, error)
	History(ctx context.Context, id string) (api.History, error)

	Cancel(ctx context.Context, id, reason string) (api.Operation, error)
	Pause(ctx context.Context, id, reason string) (api.Operation, error)
	Resume(ctx context.Context, id, reason string) (api.Operation, error)
	Retry(ctx context.Context, id, reason string) (api.Operation, error)

	Start(ctx context.Context, r api.Request) (api.Started, error)
	Validate(ctx context.Context, r api.Request) (api.Validation, error)
	ValidateJSON(ctx context.Context, raw json.RawMessage) (api.Validation, error)

	ListRejected(ctx context.Context, q api.RejectedQuery) (api.RejectedPage, error)
	GetRejected(ctx context.Context, id string) (api.RejectedRequest, error)
	ReplayRejected(ctx context.Context, id string, edited json.RawMessage, reason string) (api.Replayed, error)
	DeleteRejected(ctx context.Context, id, reason string) error
	ListRemovals(ctx context.Context, q api.RejectedQuery) (api.RemovalPage, error)

	Schedules(ctx context.Context) (api.ScheduleList, error)
	RunSchedule(ctx context.Context, name, id, reason string) (api.RequestedRun, error)
	PauseSchedule(ctx context.Context, name, reason string) (api.Schedule, error)
	ResumeSchedule(ctx context.Context, name, reason string) (api.Schedule, error)

	Inventory(ctx context.Context, path string, query map[string]string) (api.Inventory, error)
	Decisions(ctx context.Context, q api.DecisionQuery) (api.DecisionPage, error)
	Explain(ctx context.Context, resourceID string) (api.ExplanationList, error)
	Drills(ctx context.Context) (api.DrillList, error)
	RunDrill(ctx context.Context, name, id, reason string) (api.RequestedRun, error)
	PauseDrill(ctx context.Context, name, reason string) (api.Schedule, error)
	ResumeDrill(ctx context.Context, name, reason string) (api.Schedule, error)
	ListEvidence(ctx context.Context, q api.EvidenceQuery) (api.EvidencePage, error)
	Evidence(ctx context.Context, id string) ([]byte, error)
	Readiness(ctx context.Context, q api.ReadinessQuery) (api.Readiness, error)
	Limits(ctx context.Context) (api.LimitList, error)
	Preflight(ctx context.Context) (api.Preflight, error)
	Version(ctx context.Context) (api.Version, error)
}

// Config configures a Dashboard. All fields but Session and Hosts are required.
type Config struct {
	// API returns the API for the person who sent a request.
	API func(r *http.Request) API
	// Flows are the flows that the start page offers.
	Flows []Flow
	// Name names the app on each page, such as a context or an address.
	Name string
	// Session, if set, is a secret that the first request must have in its query
	// parameter session. A cookie holds it afterwards. It keeps other users of the
	// machine from pages that act with this person's sign-in.
	Session string
	// Hosts, if set, are the values of the header Host that are served. Others are
	// rejected: a name that an attacker points to this machine must not work.
	Hosts []string
	// NewID returns a new unguessable ID.
	NewID func() string
	Now   func() time.Time
	Log   *slog.Logger
}

// Dashboard serves the pages. It is safe for concurrent use.
type Dashboard struct {
	cfg   Config
	pages map[string]*template.Template
	asset assetSet
	mux   *http.ServeMux
	// checked is the last preflight.
	checked atomic.Pointer[checkedPreflight]
}

// New returns a dashboard, or an error that names a missing field.
func New(cfg Config) (*Dashboard, error) {
	for _, field := range []struct {
		name    string
		missing bool
	}{
		{"API", cfg.API == nil}, {"NewID", cfg.NewID == nil},
		{"Now", cfg.Now == nil}, {"Log", cfg.Log == nil}, {"Name", cfg.Name == ""},
	} {
		if field.missing {
			return nil, fmt.Errorf("dashboard: Config.%s is missing", field.name)
		}
	}
	d := &Dashboard{cfg: cfg, mux: http.NewServeMux()}
	var err error
	if d.asset, err = loadAssets(); err != nil {
		return nil, err
	}
	if d.pages, err = parsePages(); err != nil {
		return nil, err
	}
	d.routes()
	return d, nil
}

// routes registers every page. All paths are relative to where the dashboard is
// mounted.
func (d *Dashboard) routes() {
	d.mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { seeOther(w, "operations") })
	d.mux.HandleFunc("GET /assets/{file}", d.serveAsset)
	d.page("operations", d.operations)
	d.page("operations/{id}", d.operation)
	d.page("attention", d.attention)
	d.page("rejected/{id}", d.rejected)
	d.mux.HandleFunc("GET /rejected/{id}/{action}", func(w http.ResponseWriter, r *http.Request) { seeOther(w, "../"+url.PathEscape(r.PathValue("id"))) })
	d.page("items", d.items)
	d.page("schedules", d.schedules)
	d.page("protection", d.protection)
	d.page("drills", d.drills)
	d.mux.HandleFunc("GET /evidence/{id}", d.evidence)
	d.page("readiness", d.readiness)
	d.page("limits", d.limits)
	d.page("start", d.start)
	d.page("start/{flow}", d.startFlow)
	d.page("trends", d.trends)
	d.action("operations/{id}/{action}", d.changeOperation)
	d.action("rejected/{id}/{action}", d.changeRejected)
	d.action("schedules/{name}/{action}", d.changeSchedule)
	d.action("drills/{name}/{action}", d.changeDrill)
	d.action("start/{flow}", d.submit)
	d.mux.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) {
		d.fail(w, r, &pageError{http.StatusNotFound, "Page not found", "There is no page at this address."})
	})
}

// ServeHTTP implements http.Handler.
func (d *Dashboard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	secure(w.Header())
	if !d.admits(w, r) {
		return
	}
	d.mux.ServeHTTP(w, r)
}

// page registers a page that reads.
func (d *Dashboard) page(path string, build func(*http.Request) (content, error)) {
	d.mux.HandleFunc("GET /"+path, func(w http.ResponseWriter, r *http.Request) {
		c, err := build(r)
		if err != nil {
			d.fail(w, r, err)
			return
		}
		d.render(w, r, cmp.Or(c.status, http.StatusOK), c)
	})
}

// action registers a form that changes something.
func (d *Dashboard) action(path string, do func(http.ResponseWriter, *http.Request) error) {
	d.mux.HandleFunc("POST /"+path, func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		if err := d.checkForm(r); err != nil {
			d.fail(w, r, err)
			return
		}
		if err := do(w, r); err != nil {
			d.fail(w, r, err)
		}
	})
}

// maxForm limits the bytes of a submitted form. A request has at most 256 KB.
const maxForm = 512 << 10

// pageError is an error with its own page.
type pageError struct {
	status      int
	title, text string
}

func (e *pageError) Error() string { return e.text }

// explain returns status, title and text of an error page.
func explain(err error) (status int, title string, lines []string) {
	var own *pageError
	var answered *client.Problem
	var unreachable *client.Unreachable
	switch {
	case errors.As(err, &own):
		return own.status, own.title, []string{own.text}
	case errors.As(err, &answered) && answered.Status >= http.StatusBadRequest:
		lines = problemLines(answered)
		if answered.Status == http.StatusForbidden {
			lines = append(lines, "Ask the owner of the app for the role. Nothing was changed.")
		}
		return answered.Status, problemTitle(answered.Status), append(lines, retryLines(answered.RetryAfter)...)
	case errors.As(err, &unreachable):
		lines = retryLines(unreachable.RetryAfter)
	}
	return http.StatusBadGateway, "The app cannot be reached", append([]string{err.Error()}, lines...)
}

// retryLines returns when to try again; nothing if the app named no time.
func retryLines(after time.Duration) []string {
	if after <= 0 {
		return nil
	}
	return []string{"Try again in " + span(after) + "."}
}

// rejectedTitle is the title of a problem that the lines below it explain.
const rejectedTitle = "The app rejected this"

func problemTitle(status int) string {
	switch {
	case status == http.StatusUnauthorized:
		return "Not signed in"
	case status == http.StatusForbidden:
		return "Not allowed"
	case status == http.StatusNotFound:
		return "Not found"
	case status == http.StatusInternalServerError:
		return "The app failed"
	case status == http.StatusTooManyRequests, status > http.StatusInternalServerError:
		return "The app is not available now"
	}
	return rejectedTitle
}

// formProblem returns the status and the problem of an error, for a page that keeps
// what was written.
func (d *Dashboard) formProblem(r *http.Request, err error) (status int, lines []string) {
	status, title, lines := explain(err)
	d.logFailure(r, status, err)
	if title == rejectedTitle {
		return status, lines
	}
	return status, append([]string{title}, lines...)
}

// problemLines returns a problem with one line for each field.
func problemLines(p *client.Problem) []string {
	lines := []string{p.Title}
	if p.Detail != "" && len(p.Fields) == 0 { // else the fields say it
		lines = []string{p.Detail}
	}
	for _, f := range p.Fields {
		line := f.Field + ": " + f.Problem
		if f.Want != "" {
			line += "; " + f.Want
		}
		lines = append(lines, line)
	}
	return lines
}

// fail shows an error.
func (d *Dashboard) fail(w http.ResponseWriter, r *http.Request, err error) {
	status, title, lines := explain(err)
	d.logFailure(r, status, err)
	d.render(w, r, status, content{page: "error", Title: title, Data: lines})
}

// logFailure logs an error of the app or of its connection.
func (d *Dashboard) logFailure(r *http.Request, status int, err error) {
	if status >= http.StatusInternalServerError {
		d.cfg.Log.WarnContext(r.Context(), "dashboard page failed", "path", r.URL.Path, "error", err)
	}
}
