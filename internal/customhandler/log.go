package customhandler

import (
	"context"
	"log/slog"
)

// invocationKey is the context key of the running invocation's log attributes.
type invocationKey struct{}

// logContext is what a context knows about its invocation.
type logContext struct {
	attrs []slog.Attr
	log   *slog.Logger
}

// LogHandler adds invocationId and function to every record that is logged
// with an invocation's context, so that code which knows nothing of this
// package logs them too.
type LogHandler struct{ next slog.Handler }

// NewLogHandler wraps a handler, usually slog.NewJSONHandler on stdout: the
// host takes every line on stderr for an error.
func NewLogHandler(next slog.Handler) *LogHandler { return &LogHandler{next: next} }

// Enabled asks the wrapped handler.
func (h *LogHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.next.Enabled(ctx, level)
}

// Handle adds the invocation's attributes and passes the record on.
func (h *LogHandler) Handle(ctx context.Context, record slog.Record) error {
	if c, ok := ctx.Value(invocationKey{}).(logContext); ok {
		record = record.Clone()
		record.AddAttrs(c.attrs...)
	}
	return h.next.Handle(ctx, record)
}

// WithAttrs returns a handler whose records carry the attributes.
func (h *LogHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &LogHandler{next: h.next.WithAttrs(attrs)}
}

// WithGroup returns a handler that puts what follows into a group.
func (h *LogHandler) WithGroup(name string) slog.Handler {
	return &LogHandler{next: h.next.WithGroup(name)}
}

// Logger returns the logger of the invocation that ctx belongs to, which adds
// invocationId and function to each line. Outside an invocation it returns a
// logger that writes nothing.
func Logger(ctx context.Context) *slog.Logger {
	if c, ok := ctx.Value(invocationKey{}).(logContext); ok {
		return c.log
	}
	return slog.New(slog.DiscardHandler)
}

// withLogger returns a context that knows its invocation.
func withLogger(ctx context.Context, log *slog.Logger, invocationID, function string) context.Context {
	attrs := []slog.Attr{slog.String("invocationId", invocationID), slog.String("function", function)}
	handler := log.Handler()
	if h, ok := handler.(*LogHandler); ok {
		handler = h.next // else each line would carry the attributes twice
	}
	return context.WithValue(ctx, invocationKey{}, logContext{attrs: attrs, log: slog.New(handler.WithAttrs(attrs))})
}
