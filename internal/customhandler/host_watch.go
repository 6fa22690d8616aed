package customhandler

import (
	"context"
	"errors"
	"time"
)

// errHostGone is the cause of the end of a server whose Functions host has ended.
var errHostGone = errors.New("the Functions host has ended")

// hostPoll is the time between two looks at the parent process.
const hostPoll = time.Second

// watchHost returns a context that ends when the program's parent is no longer the
// Functions host. The host does not end the program when it ends itself, and an
// orphan would run on, and hold its port, its memory and its connections. On
// Windows the id of the parent never changes, so this context ends only with its
// own parent context.
func (s *Server) watchHost(ctx context.Context) (context.Context, context.CancelCauseFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	if s.cfg.ParentPID == nil {
		return ctx, cancel
	}
	go func() {
		poll := time.NewTicker(hostPoll)
		defer poll.Stop()
		for s.cfg.ParentPID() == s.cfg.HostPID {
			select {
			case <-poll.C:
			case <-ctx.Done():
				return
			}
		}
		cancel(errHostGone)
	}()
	return ctx, cancel
}
