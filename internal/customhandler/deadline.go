package customhandler

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"time"
)

// errOverdue is the error of an invocation that ignores its deadline.
var errOverdue = errors.New("invocation still running after its deadline")

// panicError is the error of a recovered panic.
type panicError struct {
	value any
	stack []byte
}

// Error returns the panic's value. The log has the stack in an attribute of its
// own.
func (e *panicError) Error() string { return fmt.Sprintf("panic: %v", e.value) }

// Stack returns the stack of the goroutine that panicked.
func (e *panicError) Stack() []byte { return e.stack }

// logAttrs returns the attributes of a failed invocation. They include the stack if
// the error is that of a panic, in this goroutine or in another one.
func logAttrs(err error) []any {
	attrs := []any{"error", err}
	var panicked interface {
		error
		Stack() []byte
	}
	if errors.As(err, &panicked) {
		attrs = append(attrs, "stack", string(panicked.Stack()))
	}
	return attrs
}

// bounded runs work and returns its error, or the error of its panic. It returns
// errOverdue if the work is still running some time after the deadline of its
// context: the host must receive a response in any case, because it kills the
// program at its own limit, with all other invocations in progress. The work then
// continues, and its result is lost.
func (s *Server) bounded(ctx context.Context, work func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Deadline)
	finished := make(chan error, 1)
	go func() {
		defer cancel()
		defer func() {
			if value := recover(); value != nil {
				finished <- recovered(value)
			}
		}()
		finished <- work(ctx)
	}()
	overdue := time.NewTimer(s.cfg.Deadline + s.cfg.Deadline/10)
	defer overdue.Stop()
	select {
	case err := <-finished:
		return err
	case <-overdue.C:
		return errOverdue
	}
}

// recovered returns the error of a panic. http.ErrAbortHandler stays what it is:
// net/http expects it.
func recovered(value any) error {
	if value == http.ErrAbortHandler { //nolint:errorlint // net/http compares the value itself to drop the connection
		return http.ErrAbortHandler
	}
	return &panicError{value: value, stack: debug.Stack()}
}
