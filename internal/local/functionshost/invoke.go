package functionshost

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"azbackupflow/internal/local/fault"
)

// hostVersion is the version that the stand-in sends to the handler.
const hostVersion = "4.0.0-standin"

// Headers of a request to the handler.
const (
	headerInvocationID = "X-Azure-Functions-InvocationId"
	headerHostVersion  = "X-Azure-Functions-HostVersion"
	headerTraceParent  = "Traceparent"
	userAgent          = "Azure-Functions-Host/" + hostVersion
	contentTypeJSON    = "application/json; charset=utf-8"
)

// Errors of an invocation.
var (
	errFunctionTimeout = errors.New("the invocation reached functionTimeout, and the handler was killed")
	errHandlerLost     = errors.New("the handler ended during the invocation")
	errHandlerReplaced = errors.New("the handler was replaced during the invocation")
	errConnectionLost  = errors.New("connection to the handler lost")
)

// lostGrace is the time after a lost connection in which the host expects the
// handler's process to end. Without it, an abandoned message, which returns at
// once, would be sent to the dead handler again and again.
const lostGrace = 100 * time.Millisecond

// levelOf returns the level at which the host logs a failed invocation. Replacing the
// handler was requested.
func levelOf(err error) slog.Level {
	if errors.Is(err, errHandlerReplaced) {
		return slog.LevelWarn
	}
	return slog.LevelError
}

// invoke sends an invocation to the handler and returns its response. An error
// means that the invocation failed.
func (h *Host) invoke(ctx context.Context, i *invocation) (response, error) {
	request := fault.Request{Service: "host", Kind: "invoke " + i.function.Name, Detail: i.detail}
	h.fault.At(fault.Before, request)
	started := h.now()
	h.logExecuting(i)
	r, err := h.send(ctx, i)
	h.fault.At(fault.During, request)
	took := h.now().Sub(started)
	h.logExecuted(i, took, err)
	if err != nil {
		h.log.Log(ctx, levelOf(err), "invocation failed", "function", i.function.Name, "invocationId", i.id, "took", took, "error", err)
	} else {
		for _, line := range r.Logs {
			h.emit(HandlerLine{Stream: StreamLogs, Text: line})
		}
		h.log.DebugContext(ctx, "invocation succeeded", "function", i.function.Name, "invocationId", i.id, "took", took)
	}
	h.fault.At(fault.After, request)
	return r, err
}

// send posts the envelope to the handler when it is ready. The function's time
// limit bounds the call.
func (h *Host) send(ctx context.Context, i *invocation) (response, error) {
	body, err := i.envelope(h.now(), h.random)
	if err != nil {
		return response{}, err
	}
	w, err := h.gate.wait(ctx)
	if err != nil {
		return response{}, fmt.Errorf("wait for the handler: %w", err)
	}
	var r response
	err = h.bounded(ctx, w, func(ctx context.Context) error {
		var err error
		r, err = post(ctx, w, i, body)
		return err
	})
	return r, err
}

// bounded runs a call to the handler. At the function's time limit it kills the
// handler, and with it all other invocations in progress, as the real host does.
func (h *Host) bounded(ctx context.Context, w *worker, call func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var limit <-chan time.Time
	if h.app.Host.FunctionTimeout > 0 {
		limit = h.after(h.app.Host.FunctionTimeout)
	}
	var err error // of the call; read it after finished
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		err = call(ctx)
	}()
	waiting := finished // nil while the host waits for the time limit
	for {
		select {
		case <-waiting:
			switch {
			case errors.Is(err, errNoResponse):
				h.log.WarnContext(ctx, "response empty, waiting for functionTimeout")
				waiting = nil
				continue
			case errors.Is(err, errConnectionLost) && ctx.Err() == nil:
				select {
				case <-w.ended:
					return w.lost()
				case <-h.after(lostGrace):
				}
			}
			return err
		case <-limit:
			w.kill()
			cancel()
			<-finished
			<-w.judged
			return errFunctionTimeout
		case <-w.ended:
			// A response that the handler sent before it ended is valid.
			if <-finished; err == nil {
				return nil
			}
			return w.lost()
		case <-ctx.Done():
			<-finished
			return ctx.Err()
		}
	}
}

// lost returns the error of an invocation whose handler ended. It waits until the
// host has decided whether it restarts the handler: a message that is abandoned
// earlier would return to a host that is about to stop.
func (w *worker) lost() error {
	<-w.judged
	if w.replaced {
		return errHandlerReplaced
	}
	return fmt.Errorf("%w (code %d)", errHandlerLost, w.exit)
}

// post sends one envelope.
func post(ctx context.Context, w *worker, i *invocation, body []byte) (response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url.JoinPath(i.function.Name).String(), bytes.NewReader(body)) //nolint:gosec // the address is that of the handler which this host started
	if err != nil {
		return response{}, fmt.Errorf("call the handler: %w", err)
	}
	request.Header.Set("Content-Type", contentTypeJSON)
	request.Header.Set("User-Agent", userAgent)
	if i.trace != "" {
		request.Header.Set(headerTraceParent, i.trace)
	}
	setHostHeaders(request.Header, i.id)
	r, err := w.client.Do(request) //nolint:gosec // as above
	if err != nil {
		return response{}, fmt.Errorf("%w: %w", errConnectionLost, err)
	}
	defer func() { _ = r.Body.Close() }()
	return readResponse(r)
}

func setHostHeaders(header http.Header, invocationID string) {
	header.Set(headerInvocationID, invocationID)
	header.Set(headerHostVersion, hostVersion)
}
