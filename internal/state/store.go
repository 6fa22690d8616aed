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
	"golang.org/x/sync/errgroup"

	"azbackupflow/internal/engine"
)

// atOnce bounds the requests that one call of the store has under way.
const atOnce = 8

// Store keeps operations in Table Storage. It implements engine.Store and is
// safe for concurrent use.
type Store struct {
	operations, live, index, rejected, exclusions, scheduleRuns, decisions, locks, shared *aztables.Client

	// ensuring holds one token: whoever has it creates the tables. ensured is
	// closed once they are there.
	ensuring chan struct{}
	ensured  chan struct{}
}

// ClientOptions suit the client that New is given: a table that is out of
// reach shows within seconds, so that the message which needs it can be put
// off. A transaction that the client sent again may meet its own commit; the
// engine recognises its saves by their write id.
func ClientOptions() *aztables.ClientOptions {
	return &aztables.ClientOptions{ClientOptions: azcore.ClientOptions{
		Retry: policy.RetryOptions{
			MaxRetries:    2,
			TryTimeout:    5 * time.Second,
			RetryDelay:    200 * time.Millisecond,
			MaxRetryDelay: time.Second,
		},
	}}
}

// New gives the store in an account's tables. All table names begin with the
// prefix, so that several stores can share an account; it is empty, or letters
// and digits beginning with a letter. Nothing is called yet: the tables are
// created at first use.
func New(service *aztables.ServiceClient, prefix string) (*Store, error) {
	if !regexp.MustCompile(`^([A-Za-z][A-Za-z0-9]{0,39})?$`).MatchString(prefix) {
		return nil, fmt.Errorf("table prefix %q: want at most 40 letters and digits, beginning with a letter", prefix)
	}
	s := &Store{
		operations:   service.NewClient(prefix + "operations"),
		live:         service.NewClient(prefix + "operationlive"),
		index:        service.NewClient(prefix + "operationindex"),
		rejected:     service.NewClient(prefix + "rejected"),
		exclusions:   service.NewClient(prefix + "exclusions"),
		scheduleRuns: service.NewClient(prefix + "scheduleruns"),
		decisions:    service.NewClient(prefix + "decisions"),
		locks:        service.NewClient(prefix + "itemlocks"),
		shared:       service.NewClient(prefix + "shared"),
		ensuring:     make(chan struct{}, 1),
		ensured:      make(chan struct{}),
	}
	s.ensuring <- struct{}{}
	return s, nil
}

// EnsureTables creates the tables where they do not exist. Every call of the
// store does so first; it costs nothing once it has succeeded.
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
	group, ctx := errgroup.WithContext(ctx)
	for _, table := range []*aztables.Client{s.operations, s.live, s.index, s.rejected, s.exclusions, s.scheduleRuns, s.decisions, s.locks, s.shared} {
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

// Reach looks whether the tables can be reached: it creates those that are not
// there, as every call does, and reads.
func (s *Store) Reach(ctx context.Context) error {
	if err := s.EnsureTables(ctx); err != nil {
		return err
	}
	if _, err := s.Load(ctx, "preflight"); err != nil && !errors.Is(err, engine.ErrNotFound) {
		return err
	}
	return nil
}

// point returns one entity by a point read.
func (s *Store) point(ctx context.Context, table *aztables.Client, partition, row string) ([]byte, error) {
	if err := s.EnsureTables(ctx); err != nil {
		return nil, err
	}
	answer, err := table.GetEntity(ctx, partition, row, nil)
	if err != nil {
		return nil, err
	}
	return answer.Value, nil
}
