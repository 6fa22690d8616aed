package httpapi

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"
)

// maxValidations limits the validations that run at a time, because each makes
// calls of Azure. Further ones wait.
const maxValidations = 4

// maxInventories limits the lists of vaults that are read at a time.
const maxInventories = 4

// turns limits the calls that run at a time.
type turns chan struct{}

// take waits for a turn, until the context ends. The caller must call release.
func (t turns) take(ctx context.Context) error {
	select {
	case t <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for other requests of this kind: %w", ctx.Err())
	}
}

func (t turns) release() { <-t }

// shared runs a costly function for many callers, once at a time. Callers that wait
// share the result of a run that began after they came.
type shared[T any] struct {
	turn turns
	// begun counts the runs. last is the result of the run with the number lastRun;
	// the holder of the turn owns both.
	begun   atomic.Int64
	last    T
	lastRun int64
}

func newShared[T any]() *shared[T] { return &shared[T]{turn: make(turns, 1)} }

// run returns a result of the function that is not older than the call.
func (s *shared[T]) run(ctx context.Context, f func(context.Context) (T, error)) (T, error) {
	came := s.begun.Load()
	if err := s.turn.take(ctx); err != nil {
		var none T
		return none, err
	}
	defer s.turn.release()
	if s.lastRun > came {
		return s.last, nil
	}
	number := s.begun.Add(1)
	result, err := f(ctx)
	if err == nil {
		s.last, s.lastRun = result, number
	}
	return result, err
}

// Limits of reuse. A result that was cheap is not reused.
const (
	reuseFactor = 20
	maxReuse    = 5 * time.Minute
	cheapEnough = 50 * time.Millisecond
)

// reused returns the result of a costly function again for 20 times as long as it
// took, and for five minutes at most. So its calls take up to 5 % of the time,
// however many callers there are. The result must hold the time that it describes.
type reused[T any] struct {
	turn turns
	now  func() time.Time

	last    T
	until   time.Time
	present bool
}

func newReused[T any](now func() time.Time) *reused[T] {
	return &reused[T]{turn: make(turns, 1), now: now}
}

// run returns the last result, or that of the function. Callers wait for each other.
func (r *reused[T]) run(ctx context.Context, f func(context.Context) (T, error)) (T, error) {
	if err := r.turn.take(ctx); err != nil {
		var none T
		return none, err
	}
	defer r.turn.release()
	began := r.now()
	if r.present && began.Before(r.until) {
		return r.last, nil
	}
	result, err := f(ctx)
	if err != nil {
		return result, err
	}
	end := r.now()
	r.present = end.Sub(began) >= cheapEnough
	r.last, r.until = result, end.Add(min(reuseFactor*end.Sub(began), maxReuse))
	return result, nil
}
