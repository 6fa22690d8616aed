// Package httpapi serves the HTTP API below /api. It follows Azure's
// Asynchronous Request-Reply pattern: 202 with Location and Retry-After, then a
// status resource that responds with 200.
//
// The package holds the route table, the access checks, the parsing of queries,
// and the conversion between the app's records and the wire types of package
// api. It must not know how steps run or how records are stored: it sees the
// engine and the store as the interfaces of its configuration.
package httpapi

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"azbackupflow/internal/api"
	"azbackupflow/internal/autoprotect"
	"azbackupflow/internal/autoprotect/decision"
	"azbackupflow/internal/engine"
	"azbackupflow/internal/handlers/intake"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/preflight"
	"azbackupflow/internal/ratelimit"
	"azbackupflow/internal/rejected"
	"azbackupflow/internal/request"
	"azbackupflow/internal/schedule"
	"azbackupflow/internal/step"
)

// Engine starts and changes operations.
type Engine interface {
	intake.Engine
	DryRun(context.Context, request.Request) (engine.DryRunResult, error)
	Cancel(ctx context.Context, id string, by operation.Cause) (operation.Operation, error)
	Pause(ctx context.Context, id string, by operation.Cause) (operation.Operation, error)
	Resume(ctx context.Context, id string, by operation.Cause) (operation.Operation, error)
	Retry(ctx context.Context, id string, by operation.Cause) (operation.Operation, error)
}

// Operations reads operations.
type Operations interface {
	Load(ctx context.Context, id string) (engine.Row, error)
	List(ctx context.Context, q operation.Query) (operation.Page, error)
	History(ctx context.Context, id string) iter.Seq2[operation.Event, error]
	CountEnded(ctx context.Context, since time.Time, limit int) (counts operation.Counts, complete bool, err error)
	ListBulk(ctx context.Context, key string) ([]operation.Member, error)
}

// Rejected holds rejected requests, and the records of their removal.
type Rejected interface {
	ListRejected(ctx context.Context, q rejected.Query) (rejected.Page, error)
	LoadRejected(ctx context.Context, id string) (rejected.Request, error)
	SaveRejected(ctx context.Context, r rejected.Request) error
	DeleteRejected(ctx context.Context, id string) error
	PurgeRejected(ctx context.Context, before time.Time, limit int) (removed int, more bool, err error)
	SaveRemoval(ctx context.Context, r rejected.Removal) error
	ListRemovals(ctx context.Context, q rejected.Query) (rejected.RemovalPage, error)
}

// Decisions reads the decisions of automatic protection.
type Decisions interface {
	ListDecisions(ctx context.Context, q decision.Query) (decision.Page, error)
}

// Flows describes the flows that requests can start.
type Flows interface {
	Find(name string, version int) (step.Flow, bool)
	Newest(name string) (step.Flow, bool)
	Names() []string
}

// Sweeper checks every live operation.
type Sweeper interface {
	Sweep(context.Context) (engine.SweepResult, error)
}

// Preflight checks whether the app can reach everything that it needs.
type Preflight interface {
	Check(context.Context) preflight.Report
}

// Schedules reads and changes the schedules, or the drills.
type Schedules interface {
	List(ctx context.Context) (all []schedule.Status, incomplete bool, err error)
	Find(name string) (schedule.Schedule, error)
	ManualID(s schedule.Schedule) string
	RunNow(ctx context.Context, name, id string, by operation.Cause) (slot string, err error)
	Pause(ctx context.Context, name string, by operation.Cause) (schedule.Status, error)
	Resume(ctx context.Context, name string) (schedule.Status, error)
}

// Config holds what the API needs. All fields but RequireRoles and SignInUnchecked
// are required.
type Config struct {
	Engine     Engine
	Operations Operations
	Rejected   Rejected
	Decisions  Decisions
	Flows      Flows
	Sweeper    Sweeper
	Preflight  Preflight
	Inventory  Inventory
	Readiness  Readiness
	Schedules  Schedules
	Drills     Schedules
	Evidence   Evidence
	Bulks      *intake.Bulks
	// Limits returns what is known of Azure's limits.
	Limits func(context.Context) ([]ratelimit.Known, error)
	// Explain returns what the rules of automatic protection decide about a resource.
	Explain func(ctx context.Context, resourceID string) ([]autoprotect.Explanation, error)
	// Healthy returns an error if the tables are unavailable.
	Healthy func(context.Context) error
	// Publish sends a message to a queue of the app.
	Publish func(ctx context.Context, queue, messageID string, body []byte, properties map[string]any) error
	// Sealer signs the messages of replays.
	Sealer *intake.Sealer
	// Tenant is the engine's tenant; operation IDs depend on it.
	Tenant string
	// Version is the version of the program.
	Version string
	Now     func() time.Time
	// Sleep waits, or returns the context's error early.
	Sleep func(context.Context, time.Duration) error
	// NewID returns a new UUID.
	NewID func() string
	// RequireRoles requires an app role from each caller; see Role. Without it,
	// every caller that the Functions host admits may do everything.
	RequireRoles bool
	// SignInUnchecked is why the header that names the caller cannot be believed.
	// With it and RequireRoles, every call is refused.
	SignInUnchecked error
	Log             *slog.Logger
}

// API serves the HTTP API.
type API struct {
	cfg     Config
	handler http.Handler

	validations turns
	inventories turns
	reports     turns
	preflights  *shared[preflight.Report]
	rescues     *shared[engine.SweepResult]
	summaries   *reused[api.Summary]
}

// New returns the API. It fails if a required field is missing.
func New(c Config) (*API, error) {
	if c.Engine == nil || c.Operations == nil || c.Rejected == nil || c.Decisions == nil || c.Flows == nil ||
		c.Sweeper == nil || c.Preflight == nil || c.Inventory == nil || c.Readiness == nil || c.Schedules == nil || c.Drills == nil || c.Evidence == nil || c.Bulks == nil || c.Limits == nil || c.Explain == nil || c.Healthy == nil ||
		c.Publish == nil || c.Sealer == nil || c.Now == nil || c.Sleep == nil || c.NewID == nil || c.Log == nil {
		return nil, errors.New("httpapi: Config has an empty field; set all but RequireRoles and SignInUnchecked")
	}
	a := &API{
		cfg: c, validations: make(turns, maxValidations), inventories: make(turns, maxInventories), reports: make(turns, maxReports), preflights: newShared[preflight.Report](), rescues: newShared[engine.SweepResult](),
		summaries: newReused[api.Summary](c.Now),
	}
	a.handler = a.mux()
	if c.RequireRoles {
		a.handler = a.withRoles(a.handler)
	}
	return a, nil
}

// ServeHTTP implements http.Handler. It rejects a query that cannot be parsed:
// url.URL.Query would drop the wrong parameters, and a list would have everything.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if _, err := url.ParseQuery(r.URL.RawQuery); err != nil {
		a.writeProblem(w, r, invalidField("query", "cannot be parsed", "a query in which % and ; in values are written as %25 and %3B"))
		return
	}
	a.handler.ServeHTTP(w, withSlashes(r))
}

// withSlashes returns the request with the caller's %2F in its path. The Functions
// host escapes the percent sign, so the caller's %2F arrives as %252F.
func withSlashes(r *http.Request) *http.Request {
	escaped := strings.NewReplacer("%252F", "%2F", "%252f", "%2F").Replace(r.URL.EscapedPath())
	path, err := url.PathUnescape(escaped)
	if err != nil || escaped == r.URL.EscapedPath() {
		return r
	}
	original := r.Clone(r.Context())
	original.URL.Path, original.URL.RawPath = path, escaped
	return original
}
