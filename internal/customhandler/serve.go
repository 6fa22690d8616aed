package customhandler

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
)

// panicError is what a recovered panic becomes.
type panicError struct {
	value any
	stack []byte
}

// Error names the value; the stack is logged beside it.
func (e *panicError) Error() string { return fmt.Sprintf("panic: %v", e.value) }

// serveFunction decodes an envelope, runs the function and answers.
func (s *Server) serveFunction(w http.ResponseWriter, r *http.Request, name string, h Handler) {
	inv, err := decodeInvocation(name, r.Header, r.Body)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), s.Deadline)
	defer cancel()
	ctx = withLogger(ctx, s.log, inv.ID, name)
	ctx, end := s.begin(ctx, inv)
	status := http.StatusOK
	defer func() { end(status, err) }()
	log := Logger(ctx)
	if err != nil {
		status = http.StatusBadRequest
		if tooLong := (*http.MaxBytesError)(nil); errors.As(err, &tooLong) {
			status = http.StatusRequestEntityTooLarge
		}
		log.ErrorContext(ctx, "the envelope cannot be read", "error", err)
		s.logLost(ctx, log, refuse(w, status, err.Error()))
		return
	}

	started := s.now()
	var result Result
	result, err = run(ctx, h, inv)
	took := s.now().Sub(started)
	if err != nil {
		status = http.StatusInternalServerError
		attrs := []any{"error", err, "took", took}
		if p := (*panicError)(nil); errors.As(err, &p) {
			attrs = append(attrs, "stack", string(p.stack))
		}
		log.ErrorContext(ctx, "invocation failed", attrs...)
		s.logLost(ctx, log, refuse(w, status, "the invocation failed, see the log under "+inv.ID))
		return
	}
	log.DebugContext(ctx, "invocation done", "took", took)
	s.logLost(ctx, log, answer(w, status, result))
}

// begin tells Around, if there is one, of an invocation.
func (s *Server) begin(ctx context.Context, inv Invocation) (context.Context, func(status int, err error)) {
	if s.Around == nil {
		return ctx, func(int, error) {}
	}
	return s.Around(ctx, inv)
}

// run calls the function and turns a panic into an error.
func run(ctx context.Context, h Handler, inv Invocation) (result Result, err error) {
	defer func() {
		if value := recover(); value != nil {
			err = &panicError{value: value, stack: debug.Stack()}
		}
	}()
	return h(ctx, inv)
}

// serveHTTPFunction passes a proxied request to its handler. A panic is
// answered with 500 if nothing was written before.
func (s *Server) serveHTTPFunction(w http.ResponseWriter, r *http.Request, name string, h http.Handler) {
	ctx, cancel := context.WithTimeout(r.Context(), s.Deadline)
	defer cancel()
	inv := Invocation{ID: r.Header.Get(headerInvocationID), Function: name, Trace: r.Header.Get(headerTraceParent), Method: r.Method}
	ctx = withLogger(ctx, s.log, inv.ID, name)
	ctx, end := s.begin(ctx, inv)
	answered := &statusWriter{ResponseWriter: w, status: http.StatusOK}
	w = answered
	var failed error
	defer func() { end(answered.status, failed) }()
	defer func() {
		value := recover()
		if value == nil {
			return
		}
		if value == http.ErrAbortHandler { //nolint:errorlint // the value itself is net/http's signal to drop the connection
			panic(value) //nolint:forbidigo // passed on to net/http, which expects it
		}
		failed = &panicError{value: value, stack: debug.Stack()}
		Logger(ctx).ErrorContext(ctx, "request failed", "error", failed, "stack", string(debug.Stack()))
		s.logLost(ctx, Logger(ctx), refuse(w, http.StatusInternalServerError, "the request failed"))
	}()
	h.ServeHTTP(w, r.WithContext(ctx))
}

// statusWriter notes the status that is answered.
type statusWriter struct {
	http.ResponseWriter
	status int
	wrote  bool
}

// WriteHeader notes the first final status.
func (w *statusWriter) WriteHeader(status int) {
	if !w.wrote && status >= http.StatusOK {
		w.status, w.wrote = status, true
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write sends what WriteHeader has not been called for with 200.
func (w *statusWriter) Write(p []byte) (int, error) {
	w.wrote = true
	return w.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController find the writer itself.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
