package customhandler

import (
	"context"
	"errors"
	"net/http"
)

// serveFunction decodes an envelope, runs the function and responds.
func (s *Server) serveFunction(w http.ResponseWriter, r *http.Request, name string, h Handler) {
	inv, err := decodeInvocation(name, r.Header, r.Body)
	ctx := withLogger(context.WithoutCancel(r.Context()), s.cfg.Log, inv.ID, name)
	ctx, end := s.begin(ctx, inv)
	status := http.StatusOK
	defer func() { end(status, err) }()
	log := Logger(ctx)
	if err != nil {
		status = http.StatusBadRequest
		if tooLong := (*http.MaxBytesError)(nil); errors.As(err, &tooLong) {
			status = http.StatusRequestEntityTooLarge
		}
		log.ErrorContext(ctx, "envelope not readable", "error", err)
		s.logUnsent(ctx, log, reject(w, status, err.Error()))
		return
	}

	started := s.cfg.Now()
	results := make(chan Result, 1)
	err = s.bounded(ctx, func(ctx context.Context) error {
		result, err := h(ctx, inv)
		results <- result
		return err
	})
	took := s.cfg.Now().Sub(started)
	if err != nil {
		status = http.StatusInternalServerError
		log.ErrorContext(ctx, "invocation failed", append(logAttrs(err), "took", took)...)
		s.logUnsent(ctx, log, reject(w, status, "invocation failed; see the log of invocation "+inv.ID))
		return
	}
	log.DebugContext(ctx, "invocation done", "took", took)
	s.logUnsent(ctx, log, respond(w, status, <-results))
}

// begin calls Around, if it is set.
func (s *Server) begin(ctx context.Context, inv Invocation) (context.Context, func(status int, err error)) {
	if s.cfg.Around == nil {
		return ctx, func(int, error) {}
	}
	return s.cfg.Around(ctx, inv)
}

// serveHTTPFunction passes a proxied request to its handler. A panic becomes a
// 500, and a handler that is overdue a 503 with Retry-After.
func (s *Server) serveHTTPFunction(w http.ResponseWriter, r *http.Request, name string, h http.Handler) {
	inv := Invocation{ID: r.Header.Get(headerInvocationID), Function: name, Trace: r.Header.Get(headerTraceParent), Method: r.Method}
	ctx := withLogger(r.Context(), s.cfg.Log, inv.ID, name)
	ctx, end := s.begin(ctx, inv)
	log := Logger(ctx)
	buffer := newResponseBuffer()
	err := s.bounded(ctx, func(ctx context.Context) error {
		h.ServeHTTP(buffer, r.WithContext(ctx))
		return nil
	})
	status := http.StatusInternalServerError
	switch {
	case err == nil:
		status = buffer.code()
		s.logUnsent(ctx, log, buffer.sendTo(w))
	case errors.Is(err, http.ErrAbortHandler):
		end(status, nil)
		panic(http.ErrAbortHandler) //nolint:forbidigo // passed on to net/http, which expects it
	default:
		if errors.Is(err, errOverdue) {
			status = http.StatusServiceUnavailable
		}
		log.ErrorContext(ctx, "request failed", logAttrs(err)...)
		s.logUnsent(ctx, log, writeProblem(w, status, inv.ID))
	}
	end(status, err)
}
