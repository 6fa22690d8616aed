package customhandler

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
)

// panicError is the error of a recovered panic.
type panicError struct {
	value any
	stack []byte
}

// Error returns the panic's value. The log has the stack in an attribute of its
// own.
func (e *panicError) Error() string { return fmt.Sprintf("panic: %v", e.value) }

// serveFunction decodes an envelope, runs the function and responds.
func (s *Server) serveFunction(w http.ResponseWriter, r *http.Request, name string, h Handler) {
	inv, err := decodeInvocation(name, r.Header, r.Body)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), s.cfg.Deadline)
	defer cancel()
	ctx = withLogger(ctx, s.cfg.Log, inv.ID, name)
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
	var result Result
	result, err = run(ctx, h, inv)
	took := s.cfg.Now().Sub(started)
	if err != nil {
		status = http.StatusInternalServerError
		attrs := []any{"error", err, "took", took}
		if p := (*panicError)(nil); errors.As(err, &p) {
			attrs = append(attrs, "stack", string(p.stack))
		}
		log.ErrorContext(ctx, "invocation failed", attrs...)
		s.logUnsent(ctx, log, reject(w, status, "invocation failed; see the log of invocation "+inv.ID))
		return
	}
	log.DebugContext(ctx, "invocation done", "took", took)
	s.logUnsent(ctx, log, respond(w, status, result))
}

// begin calls Around, if it is set.
func (s *Server) begin(ctx context.Context, inv Invocation) (context.Context, func(status int, err error)) {
	if s.cfg.Around == nil {
		return ctx, func(int, error) {}
	}
	return s.cfg.Around(ctx, inv)
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

// serveHTTPFunction passes a proxied request to its handler. A panic becomes a
// 500, unless the handler has written already.
func (s *Server) serveHTTPFunction(w http.ResponseWriter, r *http.Request, name string, h http.Handler) {
	ctx, cancel := context.WithTimeout(r.Context(), s.cfg.Deadline)
	defer cancel()
	inv := Invocation{ID: r.Header.Get(headerInvocationID), Function: name, Trace: r.Header.Get(headerTraceParent), Method: r.Method}
	ctx = withLogger(ctx, s.cfg.Log, inv.ID, name)
	ctx, end := s.begin(ctx, inv)
	written := &statusWriter{ResponseWriter: w, status: http.StatusOK}
	w = written
	var failed error
	defer func() { end(written.status, failed) }()
	defer func() {
		value := recover()
		if value == nil {
			return
		}
		if value == http.ErrAbortHandler { //nolint:errorlint // net/http compares the value itself to drop the connection
			panic(value) //nolint:forbidigo // passed on to net/http, which expects it
		}
		failed = &panicError{value: value, stack: debug.Stack()}
		Logger(ctx).ErrorContext(ctx, "request failed", "error", failed, "stack", string(debug.Stack()))
		s.logUnsent(ctx, Logger(ctx), reject(w, http.StatusInternalServerError, "request failed"))
	}()
	h.ServeHTTP(w, r.WithContext(ctx))
}

// statusWriter records the status of the response.
type statusWriter struct {
	http.ResponseWriter
	status int
	wrote  bool
}

// WriteHeader records the first final status.
func (w *statusWriter) WriteHeader(status int) {
	if !w.wrote && status >= http.StatusOK {
		w.status, w.wrote = status, true
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write sends the status 200 if WriteHeader was not called.
func (w *statusWriter) Write(p []byte) (int, error) {
	w.wrote = true
	return w.ResponseWriter.Write(p)
}

// Unwrap returns the writer for http.ResponseController.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
