package functionshost

import (
	"context"
	"sync"
	"time"
)

// drainTime limits the time for invocations in progress to finish when the host
// stops. Then the handler is killed.
const drainTime = 5 * time.Second

// start starts the handler, the triggers and the HTTP server.
func (h *Host) start(ctx context.Context) {
	life, cancel := context.WithCancel(context.WithoutCancel(ctx))
	h.cancel = cancel
	unwatch := context.AfterFunc(ctx, func() { h.stop(ctx.Err()) })

	triggering, stopTriggers := context.WithCancel(life)
	supervised, triggered := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(supervised)
		h.supervisor.run(life)
	}()
	go func() {
		defer close(triggered)
		h.runTriggers(triggering)
	}()
	go func() { _ = h.server.Serve(h.listener) }() // Shutdown ends it

	go func() {
		<-h.stopping
		unwatch()
		h.drain(life, stopTriggers, triggered)
		h.gate.stop(ErrClosed)
		cancel() // kills the handler
		<-supervised
		<-triggered
		h.buses.close(context.WithoutCancel(life), h)
		_ = h.server.Close()
		close(h.done)
	}()
}

// drain stops new invocations and waits some time for those in progress.
func (h *Host) drain(ctx context.Context, stopTriggers context.CancelFunc, triggered <-chan struct{}) {
	stopTriggers()
	limit := h.after(drainTime)
	limited, cancel := context.WithCancel(ctx)
	defer cancel()
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		_ = h.server.Shutdown(limited) // Close ends the remaining connections
		<-triggered
	}()
	select {
	case <-drained:
	case <-limit:
		h.log.WarnContext(ctx, "invocations interrupted")
	}
}

// runTriggers runs the triggers when the handler is ready. It returns when they
// have ended.
func (h *Host) runTriggers(ctx context.Context) {
	_, err := h.gate.wait(ctx)
	var running sync.WaitGroup
	for _, t := range h.triggers {
		if err != nil {
			break
		}
		running.Go(func() { t.run(ctx) })
	}
	running.Wait()
}

// stop begins to stop the host. Later calls have no effect.
func (h *Host) stop(reason error) {
	h.stopOnce.Do(func() {
		if h.supervisor.worker() == nil {
			h.gate.stop(reason) // no handler will be ready, so nothing must wait for it
		}
		close(h.stopping)
	})
}

// Close stops the host. Invocations in progress have a few seconds to finish. Then
// Close kills the handler and abandons their messages. It returns when everything
// has ended.
func (h *Host) Close() {
	h.stop(ErrClosed)
	<-h.done
}

// Done returns a channel that is closed when the host has stopped, by Close or by
// itself.
func (h *Host) Done() <-chan struct{} { return h.done }

// Running reports whether the host has not begun to stop.
func (h *Host) Running() bool {
	select {
	case <-h.stopping:
		return false
	default:
		return true
	}
}

// state returns the host's state as the admin endpoint names it.
func (h *Host) state() string {
	if h.Running() {
		return "Running"
	}
	return "Stopping"
}

// URL returns the address of the host's HTTP server, without a slash at its end.
func (h *Host) URL() string { return "http://" + h.listener.Addr().String() }

// WaitReady waits until the handler is ready. It returns ctx's error, or the reason
// why the host stopped.
func (h *Host) WaitReady(ctx context.Context) error {
	_, err := h.gate.wait(ctx)
	return err
}

// HandlerPID returns the process id of the handler, or 0 if it is not running.
func (h *Host) HandlerPID() int {
	if w := h.supervisor.worker(); w != nil {
		return w.cmd.Process.Pid
	}
	return 0
}

// KillHandler kills the handler with SIGKILL, like a crash, and waits for its end.
// It reports whether a handler was running. The restart policy then restarts the
// handler or stops the host.
func (h *Host) KillHandler() bool {
	w := h.supervisor.worker()
	if w == nil {
		return false
	}
	w.kill()
	return true
}

// RestartHandler replaces the handler, as a deployment does, and waits for the end
// of the old one. The restart policy does not count it. It reports whether a handler
// was running.
func (h *Host) RestartHandler() bool { return h.supervisor.restart() }

// Crashes returns the number of failures of the handler: it ended with another code
// than 0 or 200, was killed, by the host too, or did not start or respond.
func (h *Host) Crashes() int { return h.supervisor.crashCount() }
