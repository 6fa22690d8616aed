package autoprotect

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"azbackupflow/internal/arm/datasource"
	"azbackupflow/internal/autoprotect/decision"
	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/request"
)

// Records stores decisions and exclusions, and reads operations.
type Records interface {
	LoadExclusion(ctx context.Context, resourceID string) (x decision.Exclusion, found bool, err error)
	SaveDecision(ctx context.Context, rec decision.Record) error
	// LoadDecision returns the last decision about a resource, or decision.ErrNotFound.
	LoadDecision(ctx context.Context, resourceID string) (decision.Record, error)
	// Load returns an operation, or engine.ErrNotFound.
	Load(ctx context.Context, id string) (engine.Row, error)
}

// Starter creates operations.
type Starter interface {
	Start(context.Context, request.Request, engine.Origin) (op operation.Operation, created bool, err error)
}

// Config configures an Evaluator. Every field is required except Rules and
// RulesErr.
type Config struct {
	Rules []Rule
	// RulesErr is why the rules file could not be parsed. While it is set,
	// HandleEvent and Sweep fail, so that events are redelivered.
	RulesErr    error
	Datasources *datasource.Client
	Vaults      Vaults
	Records     Records
	Engine      Starter
	// Tenant is the engine's tenant; operation IDs depend on it.
	Tenant string
	Now    func() time.Time
	// Sleep waits until a rate limit has room. It returns early with the
	// context's error.
	Sleep func(context.Context, time.Duration) error
	Log   *slog.Logger
}

// Evaluator applies the rules to resources and starts the operations that
// protect them.
type Evaluator struct {
	c Config
}

// New returns an Evaluator.
func New(c Config) (*Evaluator, error) {
	if c.Datasources == nil || c.Vaults.RecoveryServices == nil || c.Vaults.DataProtection == nil {
		return nil, errors.New("autoprotect: Config.Datasources and Config.Vaults are required")
	}
	if c.Records == nil || c.Engine == nil || c.Now == nil || c.Sleep == nil || c.Log == nil {
		return nil, errors.New("autoprotect: Config.Records, Engine, Now, Sleep and Log are required")
	}
	return &Evaluator{c: c}, nil
}
