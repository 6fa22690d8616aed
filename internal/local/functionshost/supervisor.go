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

// ErrTooManyErrors is the error of a host that stopped because its handler ended too
// often.
var ErrTooManyErrors = errors.New("handler ended too often")

// RestartPolicy limits the restarts of a handler.
type RestartPolicy struct {
	// MaxErrors is the number of failures that stops the host. Zero means 3, as for
	// the real host. A negative number means unlimited.
	MaxErrors int
	// Gap is the time without a failure after which the count restarts. Zero means
	// 30 minutes.
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

// supervisor starts and restarts the handler.
type supervisor struct {
	spec   workerSpec
	policy RestartPolicy
	host   *Host
	gate   *gate

	mu      sync.Mutex
	current *worker // running, perhaps not ready
	replace *worker // ends because it is replaced, which does not count as a failure
	crashes int     // total
	recent  int     // since the last gap
	last    time.Time
}

// run starts the handler and restarts it after its end. It returns when ctx ends,
// which kills the handler, or when the policy stops the host.
func (s *supervisor) run(ctx context.Context) {
	for again := true; again && ctx.Err() == nil; {
		w, err := s.runOnce(ctx)
		again = s.judge(ctx, w, err)
		if w != nil {
			close(w.judged)
		}
	}
}

// judge reports whether to restart a handler that has ended.
func (s *supervisor) judge(ctx context.Context, w *worker, err error) bool {
	switch {
	case ctx.Err() != nil:
		return false
	case w != nil && s.replaced(w):
		w.replaced = true
		s.host.log.InfoContext(ctx, "handler replaced")
		return true
	case w != nil && err == nil && w.exit == exitRestart:
		s.host.log.InfoContext(ctx, "handler restarts by its own request")
		return true
	case w != nil && err == nil && w.exit == 0:
		s.host.log.WarnContext(ctx, "handler ended with code 0 and is not restarted; invocations fail")
		return false
	case err == nil:
		err = fmt.Errorf("handler ended with code %d", w.exit)
	}
	s.host.log.ErrorContext(ctx, "handler failed", "error", err)
	if s.countError() {
		s.host.log.ErrorContext(ctx, "host stops: handler ended too often")
		s.host.stop(fmt.Errorf("%w: %w", ErrTooManyErrors, err))
		return false
	}
	return true
}

// runOnce starts the handler and waits for its end. It returns an error if the
// handler does not start or respond.
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
	s.host.log.DebugContext(ctx, "handler ready", "pid", w.cmd.Process.Pid, "url", w.url.String())
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

// restart ends the running handler, so that run starts another one. It reports
// whether a handler was running.
func (s *supervisor) restart() bool {
	w := s.worker()
	if w == nil {
		return false
	}
	s.mu.Lock()
	s.replace = w
	s.mu.Unlock()
	w.kill()
	<-w.judged
	return true
}

// replaced reports whether restart has ended a handler.
func (s *supervisor) replaced(w *worker) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.replace == w
}

// worker returns the running handler, or nil.
func (s *supervisor) worker() *worker {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current == nil || !s.current.alive() {
		return nil
	}
	return s.current
}

// countError counts a failure and reports whether it reaches the limit.
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
