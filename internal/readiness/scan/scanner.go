package scan

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"time"

	"azbackupflow/internal/arm/datasource"
	"azbackupflow/internal/autoprotect"
	"azbackupflow/internal/autoprotect/decision"
	"azbackupflow/internal/inventory"
)

// Limits of the age of the data.
const (
	// DefaultAge is the maximum age of the data unless a request chooses another.
	DefaultAge = time.Hour
	// MinAge is the smallest maximum: a vault allows some 150 reads of each list an
	// hour, and other callers need them too.
	MinAge = 5 * time.Minute
)

// Limits of one request.
const (
	// maxTime is how long a request starts calls.
	maxTime = 20 * time.Second
	// maxRead bounds all calls of a request: a list may have many pages.
	maxRead = 50 * time.Second
	// maxParallel is how many parts are read at a time.
	maxParallel = 4
	// maxPause is the longest wait for a rate limit within a request.
	maxPause = 2 * time.Second
	// claimTime is how long a claim holds if its owner dies. It is longer than a
	// request.
	claimTime = 2 * time.Minute
	// maxAttempts is how often a part is tried after errors that may pass.
	maxAttempts = 3
	// retryPause is the wait after such an error.
	retryPause = 5 * time.Second
)

// Rows stores the cached parts. state.SharedRows implements it, with
// state.Store.ListShared.
type Rows interface {
	Load(ctx context.Context, key string) (value []byte, etag string, err error)
	// Save stores a row if it still has the ETag; saved is false if not.
	Save(ctx context.Context, key string, value []byte, etag string) (newETag string, saved bool, err error)
	List(ctx context.Context) iter.Seq2[Row, error]
}

// Row is a stored row.
type Row struct {
	Key   string
	Value []byte
}

// Config configures a Scanner. All fields but Vaults and Archive are required.
type Config struct {
	// Vaults are the resource IDs of the vaults that the settings name. Those of the
	// rules are added.
	Vaults      []string
	Inventory   *inventory.Reader
	Rules       *autoprotect.Evaluator
	Datasources *datasource.Client
	// Exclusions returns the resources whose protection a user ended.
	Exclusions func(context.Context) ([]decision.Exclusion, error)
	// Archive holds the evidence of drills; nil if the app keeps none.
	Archive Archive
	Rows    Rows
	Now     func() time.Time
	// Sleep waits, or returns the context's error early.
	Sleep func(context.Context, time.Duration) error
	Log   *slog.Logger
}

// Scanner makes reports. It is safe for concurrent use.
type Scanner struct{ c Config }

// New returns a Scanner.
func New(c Config) (*Scanner, error) {
	if c.Inventory == nil || c.Rules == nil || c.Datasources == nil || c.Exclusions == nil || c.Rows == nil || c.Now == nil || c.Sleep == nil || c.Log == nil {
		return nil, errors.New("readiness: Config has an empty field; set all but Vaults and Archive")
	}
	return &Scanner{c: c}, nil
}

// Request selects the resources of a report and its objectives.
type Request struct {
	// Vaults are the resource IDs of the vaults to report on; none means every known
	// vault, and every resource that the rules decide about.
	Vaults []string
	// Tag is the name of the tag to score by; empty means none.
	Tag string
	// MaxPointAge is the maximum age of the newest backup; 0 means unlimited.
	// MaxProofAge is the age from which a drill proves nothing.
	MaxPointAge, MaxProofAge time.Duration
	// MaxAge is the maximum age of the data.
	MaxAge time.Duration
	// Points also reads the recovery points of each item, with a call for each.
	Points bool
	// ReadNothing makes the report from the cache alone, for later pages.
	ReadNothing bool
}
