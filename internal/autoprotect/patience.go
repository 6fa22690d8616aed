package autoprotect

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"azbackupflow/internal/operation"
	"azbackupflow/internal/ratelimit"
)

// sweepLimit bounds one sweep: an invocation may take two minutes.
const sweepLimit = 100 * time.Second

// shortestWait is where Azure does not say how long.
const shortestWait = 100 * time.Millisecond

// mostTold is how many of many errors are told: thousands that say the same
// help nobody.
const mostTold = 10

// sweep is a sweep under way.
type sweep struct {
	Guard
	until time.Time

	mu       sync.Mutex
	late     bool
	failures []error
	more     int // failures that are not told
}

// over reports whether there is no more time: the next sweep begins elsewhere.
func (s *sweep) over() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.late = s.late || !s.Now().Before(s.until)
	return s.late
}

// try makes calls, and makes them again when Azure's quotas have room for them,
// as long as there is time. What fails otherwise is told when the sweep ends.
// It reports whether they were made.
func (s *sweep) try(ctx context.Context, calls func(context.Context) error) bool {
	for !s.over() {
		err := calls(ctx)
		var azure *operation.Error // a PutOff is one, too
		if !errors.As(err, &azure) || azure.Class != operation.Throttled {
			s.failed(err)
			return err == nil
		}
		wait := max(azure.RetryAfter, shortestWait)
		if s.Now().Add(wait).After(s.until) {
			s.mu.Lock()
			s.late = true
			s.mu.Unlock()
			return false
		}
		if err := s.Sleep(ctx, wait); err != nil {
			s.failed(err)
			return false
		}
		var booked *operation.PutOff
		if errors.As(err, &booked) {
			ctx = ratelimit.WithCaller(ctx, ratelimit.Caller{Priority: operation.PriorityOther, Booking: booked.Booking})
		}
	}
	return false
}

func (s *sweep) failed(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case err == nil:
	case len(s.failures) < mostTold:
		s.failures = append(s.failures, err)
	default:
		s.more++
	}
}

// err joins what failed.
func (s *sweep) err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.more > 0 {
		return errors.Join(append(s.failures, fmt.Errorf("and %d more errors", s.more))...)
	}
	return errors.Join(s.failures...)
}

// each works on resources, several at once, and goes on where one fails.
func (s *sweep) each(ctx context.Context, resources []Resource, work func(context.Context, Resource) error) {
	var group errgroup.Group
	group.SetLimit(atOnce)
	for _, r := range resources {
		if s.over() {
			break
		}
		group.Go(func() error {
			s.try(ctx, func(ctx context.Context) error { return work(ctx, r) })
			return nil
		})
	}
	_ = group.Wait() // the sweep keeps what failed
}
