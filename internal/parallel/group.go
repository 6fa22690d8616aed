// Package parallel runs functions in goroutines that cannot end the process. An
// unrecovered panic in a goroutine ends the whole program, and with it
// every invocation in progress; the third time, the Functions host stops too. A
// Group turns the panic into an error of the invocation.
//
// The deployed program starts its goroutines through this package. It needs no
// other package of the repository.
package parallel

import (
	"context"
	"fmt"
	"runtime/debug"

	"golang.org/x/sync/errgroup"
)

// PanicError is the error of a function that panicked.
type PanicError struct {
	// Value is the panic's value.
	Value any
	stack []byte
}

// Error returns the panic's value.
func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }

// Stack returns the stack of the goroutine that panicked, for the log.
func (e *PanicError) Stack() []byte { return e.stack }

// Recover calls a function and returns its error, which is a *PanicError if the
// function panics.
func Recover(f func() error) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = &PanicError{Value: value, stack: debug.Stack()}
		}
	}()
	return f()
}

// Group is an errgroup.Group whose functions may panic. New and WithContext
// return one.
type Group struct{ group *errgroup.Group }

// New returns a group without a limit and without a context.
func New() *Group { return &Group{group: &errgroup.Group{}} }

// WithContext returns a group and a context that ends with the first error, the
// first panic, or Wait.
func WithContext(ctx context.Context) (*Group, context.Context) {
	group, ctx := errgroup.WithContext(ctx)
	return &Group{group: group}, ctx
}

// SetLimit limits the functions that run at a time. Call it before Go.
func (g *Group) SetLimit(n int) { g.group.SetLimit(n) }

// Go runs a function in a goroutine. It blocks while the limit is reached.
func (g *Group) Go(f func() error) {
	g.group.Go(func() error { return Recover(f) })
}

// Wait waits for all functions and returns the first error, which is a *PanicError
// after a panic.
func (g *Group) Wait() error { return g.group.Wait() }
