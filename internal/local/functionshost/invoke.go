package functionshost

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"azbackupflow/internal/local/fault"
)

// hostVersion is the version that the stand-in calls itself by on the wire.
const hostVersion = "4.0.0-standin"

// Headers of a request to the handler.
const (
	headerInvocationID = "X-Azure-Functions-InvocationId"
	headerHostVersion  = "X-Azure-Functions-HostVersion"
	userAgent          = "Azure-Functions-Host/" + hostVersion
)

// Why an invocation failed.
var (
	errFunctionTimeout = errors.New("the function's time is over, and the handler was killed")
	errHandlerLost     = errors.New("the handler ended during the invocation")
	errConnectionLost  = errors.New("the connection to the handler broke")
)

// lostGrace is how long after a broken connection the host waits for the
// handler to be found dead: else an abandoned message, which comes back at
// once, would be sent to the dead handler again and again.
const lostGrace = 100 * time.Millisecond

// invoke sends an invocation to the handler and returns its answer. An error
// means that the invocation failed, for whatever reason.
func (h *Host) invoke(ctx context.Context, i *invocation) (answer, error) {
	request := fault.Request{Service: "host", Kind: "invoke " + i.function.Name, Detail: i.detail}
	h.fault.At(fault.Before, request)
	started := h.now()
	a, err := h.send(ctx, i)
	h.fault.At(fault.During, request)
	took := h.now().Sub(started)
	if err != nil {
		h.log.ErrorContext(ctx, "invocation failed", "function", i.function.Name, "invocationId", i.id, "took", took, "error", err)
	} else {
		for _, line := range a.Logs {
			h.emit(HandlerLine{Stream: StreamLogs, Text: line})
		}
		h.log.DebugContext(ctx, "invocation succeeded", "function", i.function.Name, "invocationId", i.id, "took", took)
	}
	h.fault.At(fault.After, request)
	return a, err
}

// send posts the envelope to the handler that is ready, bounded by the
// function's time.
func (h *Host) send(ctx context.Context, i *invocation) (answer, error) {
	if err := i.addSystem(h.now(), h.random); err != nil {
		return answer{}, err
	}
	body, err := i.envelope()
	if err != nil {
		return answer{}, err
	}
	w, err := h.gate.wait(ctx)
	if err != nil {
		return answer{}, fmt.Errorf("wait for the handler: %w", err)
	}
	var a answer
	err = h.bounded(ctx, w, func(ctx context.Context) error {
		var err error
		a, err = post(ctx, w, i, body)
		return err
	})
	return a, err
}

// bounded runs a call to the handler and kills the handler when the function's
// time is over, with everything else that it was doing.
func (h *Host) bounded(ctx context.Context, w *worker, call func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var limit <-chan time.Time
	if h.app.Host.FunctionTimeout > 0 {
		limit = h.after(h.app.Host.FunctionTimeout)
	}
	var err error // of the call, once it is finished
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		err = call(ctx)
	}()
	waiting := finished // nil while the host waits for the time to be over
	for {
		select {
		case <-waiting:
			switch {
			case errors.Is(err, errNoAnswer):
				h.log.WarnContext(ctx, "the handler's answer is empty, waiting until the function's time is over")
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
			w.restart.Store(true)
			w.kill()
			cancel()
			<-finished
			return errFunctionTimeout
		case <-w.ended:
			// What the handler sent before it ended counts.
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

// lost is the error of an invocation whose handler ended. It is known to the
// caller only when the host has drawn its conclusions: what is abandoned before
// would come back to a host that is about to stop.
func (w *worker) lost() error {
	<-w.judged
	return fmt.Errorf("%w (code %d)", errHandlerLost, w.exit)
}

// post sends one envelope.
func post(ctx context.Context, w *worker, i *invocation, body []byte) (answer, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url.JoinPath(i.function.Name).String(), bytes.NewReader(body)) //nolint:gosec // the address is that of the handler which this host started
	if err != nil {
		return answer{}, fmt.Errorf("call the handler: %w", err)
	}
	request.Header.Set("Content-Type", "application/json")
	setHostHeaders(request.Header, i.id)
	request.Header.Set("User-Agent", userAgent)
	response, err := w.client.Do(request) //nolint:gosec // as above
	if err != nil {
		return answer{}, fmt.Errorf("%w: %w", errConnectionLost, err)
	}
	defer func() { _ = response.Body.Close() }()
	return readAnswer(response)
}

func setHostHeaders(header http.Header, invocationID string) {
	header.Set(headerInvocationID, invocationID)
	header.Set(headerHostVersion, hostVersion)
}
