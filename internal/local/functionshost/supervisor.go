package functionshost

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Restart policy of the real host.
const (
	defaultMaxErrors = 3
	defaultErrorGap  = 30 * time.Minute
)

// ErrTooManyErrors is why a host stopped whose handler kept crashing.
var ErrTooManyErrors = errors.New("the handler program crashed too often")

// RestartPolicy says when a host gives up on its handler.
type RestartPolicy struct {
	// MaxErrors is the error that stops the host: 3 if zero, as for the real
	// host; none if negative.
	MaxErrors int
	// Gap is the time without an error after which the count begins anew: 30
	// minutes if zero.
	Gap time.Duration
}

func (p RestartPolicy) withDefaults() RestartPolicy {
	if p.MaxErrors == 0 {
		p.MaxErrors = defaultMaxErrors
	}
	if p.Gap == 0 {
		p.Gap = defaultErrorGap
	}
	return p
}

// supervisor keeps one handler running.
type supervisor struct {
	spec   workerSpec
	policy RestartPolicy
	host   *Host
	gate   *gate

	mu      sync.Mutex
	current *worker // running, ready or not
	crashes int     // in all
	recent  int     // within the policy's gap
	last    time.Time
}

// run starts the handler, and starts it again as the policy says, until ctx
// ends, which kills it, or the policy gives up, which stops the host.
func (s *supervisor) run(ctx context.Context) {
	for again := true; again && ctx.Err() == nil; {
		w, err := s.runOnce(ctx)
		again = s.judge(ctx, w, err)
		if w != nil {
			close(w.judged)
		}
	}
}

// judge says whether a handler that ended is started again.
func (s *supervisor) judge(ctx context.Context, w *worker, err error) bool {
	switch {
	case ctx.Err() != nil:
		return false
	case w != nil && err == nil && w.exit == exitRestart:
		s.host.log.InfoContext(ctx, "the handler asked to be started again")
		return true
	case w != nil && err == nil && w.exit == 0:
		s.host.log.WarnContext(ctx, "the handler ended with code 0 and is not started again; invocations fail from here on")
		return false
	case err == nil:
		err = fmt.Errorf("the handler ended with code %d", w.exit)
	}
	s.host.log.ErrorContext(ctx, "the handler failed", "error", err)
	if s.countError() {
		s.host.log.ErrorContext(ctx, "the host stops: the handler failed too often")
		s.host.stop(fmt.Errorf("%w: %w", ErrTooManyErrors, err))
		return false
	}
	return true
}

// runOnce runs the handler to its end. An error says that it did not start or
// did not answer.
func (s *supervisor) runOnce(ctx context.Context) (*worker, error) {
	w, err := startWorker(ctx, s.spec)
	if err != nil {
		return nil, err
	}
	s.set(w)
	defer s.set(nil)
	if err := w.awaitReady(ctx, s.host.after); err != nil {
		w.kill()
		if w.exit == exitRestart {
			return w, nil
		}
		return w, err
	}
	s.host.log.DebugContext(ctx, "the handler is ready", "pid", w.cmd.Process.Pid, "url", w.url.String())
	s.gate.open(w)
	<-w.ended
	if w.exit != 0 {
		s.gate.open(nil)
	}
	return w, nil
}

func (s *supervisor) set(w *worker) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.current = w
}

// worker returns the running handler, nil if there is none.
func (s *supervisor) worker() *worker {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current == nil || !s.current.alive() {
		return nil
	}
	return s.current
}

// countError counts one error and says whether it is one too many.
func (s *supervisor) countError() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.host.now()
	if s.crashes > 0 && now.Sub(s.last) > s.policy.Gap {
		s.recent = 0
	}
	s.crashes++
	s.recent++
	s.last = now
	return s.policy.MaxErrors > 0 && s.recent >= s.policy.MaxErrors
}

func (s *supervisor) crashCount() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.crashes
}
