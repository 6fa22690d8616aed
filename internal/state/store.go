package state

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"

	"azbackupflow/internal/engine"
	"azbackupflow/internal/parallel"
)

// maxConcurrent limits the concurrent requests of one call of the store.
const maxConcurrent = 8

// Config configures a Store. TablePrefix is optional.
type Config struct {
	// Service connects to the storage account; see ClientOptions.
	Service *aztables.ServiceClient
	// TablePrefix precedes all table names, so that several stores can share a
	// storage account. It has at most 40 letters and digits and starts with a
	// letter.
	TablePrefix string
}

// Store stores operations and other records in Table Storage. It implements
// engine.Store and is safe for concurrent use.
type Store struct {
	operations, live, index, rejected, exclusions, scheduleRuns, decisions, locks, shared *aztables.Client

	// ensuring is a semaphore for the creation of the tables. ensured is closed
	// when the tables exist.
	ensuring chan struct{}
	ensured  chan struct{}
}

// ClientOptions returns the options of the client that New takes. With them, an
// unavailable storage account is reported within seconds, so that the engine can
// snooze its messages. The client repeats requests; a repeated transaction can
// conflict with its own first attempt. The engine recognizes its saves by their
// write ID.
func ClientOptions() *aztables.ClientOptions {
	return &aztables.ClientOptions{ClientOptions: azcore.ClientOptions{
		// The policies come before all others, so that those see the transaction and
		// the entity as it is sent.
		PerCallPolicies: []policy.Policy{batchPolicy{}, rawEntityPolicy{}},
		Retry: policy.RetryOptions{
			MaxRetries:    2,
			TryTimeout:    5 * time.Second,
			RetryDelay:    200 * time.Millisecond,
			MaxRetryDelay: time.Second,
		},
	}}
}

// New returns a store. It does not connect; the first call of the store creates
// the tables.
func New(cfg Config) (*Store, error) {
	if cfg.Service == nil {
		return nil, errors.New("state: Config.Service is required")
	}
	if !regexp.MustCompile(`^([A-Za-z][A-Za-z0-9]{0,39})?$`).MatchString(cfg.TablePrefix) {
		return nil, fmt.Errorf("invalid table prefix %q; use at most 40 letters and digits, starting with a letter", cfg.TablePrefix)
	}
	table := func(name string) *aztables.Client { return cfg.Service.NewClient(cfg.TablePrefix + name) }
	s := &Store{
		operations:   table("operations"),
		live:         table("operationlive"),
		index:        table("operationindex"),
		rejected:     table("rejected"),
		exclusions:   table("exclusions"),
		scheduleRuns: table("scheduleruns"),
		decisions:    table("decisions"),
		locks:        table("itemlocks"),
		shared:       table("shared"),
		ensuring:     make(chan struct{}, 1),
		ensured:      make(chan struct{}),
	}
	s.ensuring <- struct{}{}
	return s, nil
}

// EnsureTables creates the tables that do not exist. Each call of the store
// starts with it; after its first success it does nothing.
func (s *Store) EnsureTables(ctx context.Context) error {
	select {
	case <-s.ensured:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("create tables: %w", ctx.Err())
	case <-s.ensuring:
	}
	defer func() { s.ensuring <- struct{}{} }()
	select {
	case <-s.ensured:
		return nil
	default:
	}
	group, ctx := parallel.WithContext(ctx)
	for _, table := range []*aztables.Client{
		s.operations, s.live, s.index, s.rejected, s.exclusions, s.scheduleRuns, s.decisions, s.locks, s.shared,
	} {
		group.Go(func() error {
			_, err := table.CreateTable(ctx, nil)
			if hasCode(err, aztables.TableAlreadyExists) {
				return nil
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return failed("create tables", err)
	}
	close(s.ensured)
	return nil
}

// Ping checks that the tables are available. It creates them if necessary and
// reads one row.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.EnsureTables(ctx); err != nil {
		return err
	}
	if _, err := s.Load(ctx, "preflight"); err != nil && !errors.Is(err, engine.ErrNotFound) {
		return err
	}
	return nil
}
