package httpapi

import (
	"context"
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"azbackupflow/internal/api"
	"azbackupflow/internal/duration"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/readiness/scan"
	"azbackupflow/internal/step"
)

// Readiness makes readiness reports.
type Readiness interface {
	Report(ctx context.Context, q scan.Request) (api.Readiness, error)
}

// Limits of a readiness report.
const (
	// maxReports limits the reports that an instance makes at a time.
	maxReports = 2
	// maxVaults limits the vaults that a request names.
	maxVaults = 200
	// maxTagName is the length that Azure allows for the name of a tag.
	maxTagName = 512
	// defaultProofAge is the age from which a drill proves nothing.
	defaultProofAge = 365 * 24 * time.Hour
	// maxDuration limits the durations of a query.
	maxDuration = 100 * defaultProofAge
)

// readiness responds with one page of the readiness report. A page after the first
// is made of data that was read before, so that the pages fit together.
func (a *API) readiness(w http.ResponseWriter, r *http.Request) error {
	q, err := parseReadinessQuery(r)
	if err != nil {
		return err
	}
	if err := a.reports.take(r.Context()); err != nil {
		return err
	}
	defer a.reports.release()
	report, err := a.cfg.Readiness.Report(r.Context(), q.request)
	if err != nil {
		return err
	}
	report.Objectives = api.ReadinessObjectives{MaxProofAge: duration.ISO(q.request.MaxProofAge)}
	if q.request.MaxPointAge > 0 {
		report.Objectives.MaxPointAge = duration.ISO(q.request.MaxPointAge)
	}
	if seconds := report.Scan.RetryAfterSeconds; seconds > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(seconds))
	}
	return writeJSON(w, http.StatusOK, q.page(report))
}

// readinessQuery is a parsed query.
type readinessQuery struct {
	request  scan.Request
	states   []api.ReadinessState
	pageSize int
	// after is the position of the last item of the page before; empty for the first
	// page.
	after string
}

// page returns the page that the query selects.
func (q readinessQuery) page(report api.Readiness) api.Readiness {
	items := []api.ReadinessItem{}
	for _, i := range report.Items {
		if scan.Position(i) <= q.after || len(q.states) > 0 && !slices.Contains(q.states, i.State) {
			continue
		}
		if len(items) == q.pageSize {
			report.Continue = base64.RawURLEncoding.EncodeToString([]byte(scan.Position(items[len(items)-1])))
			break
		}
		items = append(items, i)
	}
	report.Items = items
	if q.after != "" {
		report.Scores, report.Vaults = []api.ReadinessScore{}, []api.ReadinessVault{}
	}
	return report
}

// readinessParameters are the query parameters of the report.
func readinessParameters() []string {
	return []string{"vault", "state", "tag", "maxPointAge", "maxProofAge", "maxAge", "points", "pageSize", "continue"}
}

func parseReadinessQuery(r *http.Request) (readinessQuery, error) {
	p := readinessParser{query: readinessQuery{request: scan.Request{MaxProofAge: defaultProofAge, MaxAge: scan.DefaultAge}}}
	values := r.URL.Query()
	for _, name := range slices.Sorted(maps.Keys(values)) {
		switch {
		case name == functionKeyParameter:
		case !slices.Contains(readinessParameters(), name):
			p.add(name, "is not a parameter of the report", "one of "+strings.Join(readinessParameters(), ", "))
		case len(values[name]) > 1 && name != "vault" && name != "state":
			p.add(name, fmt.Sprintf("is given %d times", len(values[name])), "one value")
		default:
			p.parse(name, values[name])
		}
	}
	p.query.pageSize = operation.PageSize(p.query.pageSize)
	if len(p.wrong) > 0 {
		return p.query, &step.Invalid{Fields: p.wrong}
	}
	return p.query, p.err
}

type readinessParser struct {
	query readinessQuery
	wrong []step.FieldError
	err   error
}

func (p *readinessParser) add(field, problem, want string) {
	p.wrong = append(p.wrong, step.FieldError{Field: field, Problem: problem, Want: want})
}

func (p *readinessParser) parse(name string, values []string) {
	request, value := &p.query.request, values[0]
	switch name {
	case "vault":
		if request.Vaults = values; len(values) > maxVaults {
			p.add(name, fmt.Sprintf("is given %d times", len(values)), fmt.Sprintf("at most %d vaults; without any, the report has all that the app knows", maxVaults))
		}
	case "state":
		p.states(values)
	case "tag":
		if request.Tag = value; value == "" || utf8.RuneCountInString(value) > maxTagName || !utf8.ValidString(value) {
			p.add(name, fmt.Sprintf("has %d characters", utf8.RuneCountInString(value)), fmt.Sprintf("the name of a tag with 1 to %d characters", maxTagName))
		}
	case "maxPointAge":
		request.MaxPointAge = p.duration(name, value, 0, "P1D")
	case "maxProofAge":
		request.MaxProofAge = p.duration(name, value, 0, "P365D")
	case "maxAge":
		request.MaxAge = p.duration(name, value, scan.MinAge, "PT1H")
	case "points":
		if request.Points = value == "true"; value != "true" && value != "false" {
			p.add(name, fmt.Sprintf("%q is neither true nor false", value), "true or false")
		}
	case "pageSize":
		n, err := strconv.Atoi(value)
		if err != nil || n < 1 || n > operation.MaxPageSize {
			p.add(name, fmt.Sprintf("%q is not a page size", value), fmt.Sprintf("1 to %d", operation.MaxPageSize))
		}
		p.query.pageSize = n
	case "continue":
		raw, err := base64.RawURLEncoding.DecodeString(value)
		if err != nil || len(raw) == 0 || !utf8.Valid(raw) {
			p.err = operation.ErrContinue
		}
		p.query.after, request.ReadNothing = string(raw), true
	}
}

// states parses comma-separated states in any casing.
func (p *readinessParser) states(values []string) {
	for _, text := range strings.Split(strings.Join(values, ","), ",") {
		i := slices.IndexFunc(api.ReadinessStates(), func(s api.ReadinessState) bool { return strings.EqualFold(string(s), text) })
		if i < 0 {
			p.add("state", fmt.Sprintf("%q is not a state", text), "one of "+api.Listed(api.ReadinessStates()))
			continue
		}
		p.query.states = append(p.query.states, api.ReadinessStates()[i])
	}
}

func (p *readinessParser) duration(name, text string, least time.Duration, example string) time.Duration {
	want := "a duration such as " + example
	if least > 0 {
		want += ", at least " + duration.ISO(least)
	}
	d, ok := duration.Parse(text)
	switch {
	case !ok:
		p.add(name, fmt.Sprintf("%q is not a duration", text), want)
		return least
	case d <= 0 || d < least || d > maxDuration:
		p.add(name, fmt.Sprintf("%q is too short or too long", text), want)
		return least
	}
	return d
}
