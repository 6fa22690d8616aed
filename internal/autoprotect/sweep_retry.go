package autoprotect

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"azbackupflow/internal/arm"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/parallel"
	"azbackupflow/internal/ratelimit"
)

// maxSweepTime bounds one sweep. An invocation may run for two minutes.
const maxSweepTime = 100 * time.Second

// minWait is the wait after a throttled call without Retry-After.
const minWait = 100 * time.Millisecond

// maxErrors bounds how many errors a sweep returns: a sweep of thousands of
// resources may fail thousands of times for the same reason.
const maxErrors = 10

// sweep is one sweep in progress. It retries throttled calls until the deadline
// and collects errors.
type sweep struct {
	*Evaluator
	deadline time.Time

	mu       sync.Mutex
	late     bool
	failures []error
	omitted  int // failures above maxErrors
}

// expired reports whether the sweep has run out of time.
func (s *sweep) expired() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.late = s.late || !s.c.Now().Before(s.deadline)
	return s.late
}

// try runs calls and retries them while Azure throttles them, until the
// deadline. It collects other errors. It reports whether the calls succeeded.
func (s *sweep) try(ctx context.Context, calls func(context.Context, *Evaluator) error) bool {
	e := s.Evaluator
	for !s.expired() {
		err := calls(ctx, e)
		var azure *operation.Error // also found in a Deferral
		if !errors.As(err, &azure) || azure.Class != operation.Throttled {
			s.collect(err)
			return err == nil
		}
		wait := max(azure.RetryAfter, minWait)
		if s.c.Now().Add(wait).After(s.deadline) {
			s.mu.Lock()
			s.late = true
			s.mu.Unlock()
			return false
		}
		if err := s.c.Sleep(ctx, wait); err != nil {
			s.collect(err)
			return false
		}
		var deferred *operation.Deferral
		if errors.As(err, &deferred) {
			e = s.Evaluator.withReservation(deferred.Reservation)
		}
	}
	return false
}

// withReservation returns an Evaluator whose calls use the slot that the rate
// limiter reserved when it deferred one.
func (e *Evaluator) withReservation(reservation string) *Evaluator {
	return e.with(arm.CallOptions{Caller: ratelimit.Caller{Priority: operation.PriorityOther, Reservation: reservation}})
}

// with returns an Evaluator whose calls have these options.
func (e *Evaluator) with(o arm.CallOptions) *Evaluator {
	c := e.c
	c.Datasources = c.Datasources.With(o)
	c.Vaults = Vaults{RecoveryServices: c.Vaults.RecoveryServices.With(o), DataProtection: c.Vaults.DataProtection.With(o)}
	return &Evaluator{c: c}
}

func (s *sweep) collect(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case err == nil:
	case len(s.failures) < maxErrors:
		s.failures = append(s.failures, err)
	default:
		s.omitted++
	}
}

// err returns the collected errors.
func (s *sweep) err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.omitted > 0 {
		return errors.Join(append(s.failures, fmt.Errorf("and %d more errors", s.omitted))...)
	}
	return errors.Join(s.failures...)
}

// sweepEach runs work for everything in the list, several at the same time, and
// continues after errors.
func sweepEach[T any](ctx context.Context, s *sweep, all []T, work func(context.Context, *Evaluator, T) error) {
	group := parallel.New()
	group.SetLimit(maxParallel)
	for _, one := range all {
		if s.expired() {
			break
		}
		group.Go(func() error {
			s.try(ctx, func(ctx context.Context, e *Evaluator) error { return work(ctx, e, one) })
			return nil
		})
	}
	s.collect(group.Wait()) // the error of a panic; try collects the others
}
