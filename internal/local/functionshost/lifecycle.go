package functionshost

import (
	"context"
	"sync"
	"time"
)

// drainTime is how long running invocations may take to finish when the host
// stops, before the handler is killed.
const drainTime = 5 * time.Second

// start sets everything going.
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
	go func() { _ = h.server.Serve(h.listener) }() // ends by Shutdown

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

// drain takes no new work and gives what is running some time.
func (h *Host) drain(ctx context.Context, stopTriggers context.CancelFunc, triggered <-chan struct{}) {
	stopTriggers()
	limit := h.after(drainTime)
	limited, cancel := context.WithCancel(ctx)
	defer cancel()
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		_ = h.server.Shutdown(limited) // what it leaves is closed later
		<-triggered
	}()
	select {
	case <-drained:
	case <-limit:
		h.log.WarnContext(ctx, "invocations are cut off: the host stops")
	}
}

// runTriggers runs the triggers once the handler is ready, and returns when
// they have ended.
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

// stop begins to stop the host, once.
func (h *Host) stop(reason error) {
	h.stopOnce.Do(func() {
		if h.supervisor.worker() == nil {
			h.gate.stop(reason) // nothing waits for a handler that will not come
		}
		close(h.stopping)
	})
}

// Close stops the host: running invocations may finish for a few seconds, then
// the handler is killed, and what was lost is abandoned. It returns when all
// of it is gone.
func (h *Host) Close() {
	h.stop(ErrClosed)
	<-h.done
}

// Done is closed when the host has stopped, by Close or by itself.
func (h *Host) Done() <-chan struct{} { return h.done }

// Running says whether the host has not begun to stop.
func (h *Host) Running() bool {
	select {
	case <-h.stopping:
		return false
	default:
		return true
	}
}

// state is what the admin endpoint calls the host's condition.
func (h *Host) state() string {
	if h.Running() {
		return "Running"
	}
	return "Stopping"
}

// URL is where the host serves HTTP, without a slash at its end.
func (h *Host) URL() string { return "http://" + h.listener.Addr().String() }

// WaitReady waits until the handler answers. The error is ctx's, or why the
// host stopped.
func (h *Host) WaitReady(ctx context.Context) error {
	_, err := h.gate.wait(ctx)
	return err
}

// HandlerPID is the process id of the handler, 0 if none runs.
func (h *Host) HandlerPID() int {
	if w := h.supervisor.worker(); w != nil {
		return w.cmd.Process.Pid
	}
	return 0
}

// KillHandler kills the handler with SIGKILL, as a crash would, and returns when
// it is gone: true if there was one. The host starts it again or stops, by its
// restart policy.
func (h *Host) KillHandler() bool {
	w := h.supervisor.worker()
	if w == nil {
		return false
	}
	w.kill()
	return true
}

// Crashes counts how often the handler failed: ended with another code than 0
// or 200, was killed, or did not start or answer.
func (h *Host) Crashes() int { return h.supervisor.crashCount() }
