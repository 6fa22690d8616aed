package customhandler

import (
	"context"
	"log/slog"
	"slices"
	"sync"
)

// scopeKey is the context key of the running invocation's scope.
type scopeKey struct{}

// scope holds the log attributes of one invocation. All code of the invocation
// shares it, so an attribute that one part adds is on all later lines.
type scope struct {
	log *slog.Logger

	mu    sync.Mutex
	attrs []slog.Attr
}

// set adds attributes and replaces those with the same key.
func (s *scope) set(attrs []slog.Attr) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range attrs {
		if n := slices.IndexFunc(s.attrs, func(b slog.Attr) bool { return a.Key == b.Key }); n >= 0 {
			s.attrs[n] = a
			continue
		}
		s.attrs = append(s.attrs, a)
	}
}

// missing returns the attributes whose keys are not taken.
func (s *scope) missing(taken func(string) bool) []slog.Attr {
	s.mu.Lock()
	defer s.mu.Unlock()
	var attrs []slog.Attr
	for _, a := range s.attrs {
		if !taken(a.Key) {
			attrs = append(attrs, a)
		}
	}
	return attrs
}

// LogHandler adds invocationId, function and the attributes of Annotate to every
// record that is logged with an invocation's context. Code without knowledge of
// this package then logs them too. An attribute of the record itself wins.
type LogHandler struct {
	next slog.Handler
	// scope belongs to a logger of one invocation. If it is nil, Handle takes the
	// scope from the context.
	scope *scope
	// bound are the keys of the attributes that next has already.
	bound []string
}

// NewLogHandler wraps a handler, usually slog.NewJSONHandler on stdout, because
// the host shows every line on stderr as an error.
func NewLogHandler(next slog.Handler) *LogHandler { return &LogHandler{next: next} }

// Enabled implements slog.Handler.
func (h *LogHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.next.Enabled(ctx, level)
}

// Handle adds the invocation's attributes and passes the record to the wrapped
// handler.
func (h *LogHandler) Handle(ctx context.Context, record slog.Record) error {
	s := h.scope
	if s == nil {
		s, _ = ctx.Value(scopeKey{}).(*scope)
	}
	if s != nil {
		taken := slices.Clone(h.bound)
		record.Attrs(func(a slog.Attr) bool { taken = append(taken, a.Key); return true })
		record = record.Clone()
		record.AddAttrs(s.missing(func(key string) bool { return slices.Contains(taken, key) })...)
	}
	return h.next.Handle(ctx, record)
}

// WithAttrs implements slog.Handler.
func (h *LogHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	bound := slices.Clone(h.bound)
	for _, a := range attrs {
		bound = append(bound, a.Key)
	}
	return &LogHandler{next: h.next.WithAttrs(attrs), scope: h.scope, bound: bound}
}

// WithGroup implements slog.Handler.
func (h *LogHandler) WithGroup(name string) slog.Handler {
	return &LogHandler{next: h.next.WithGroup(name), scope: h.scope}
}

// Logger returns the logger of the context's invocation. It adds the invocation's
// attributes to every line, with or without a context. Outside an invocation
// Logger returns a logger that discards everything.
func Logger(ctx context.Context) *slog.Logger {
	if s, ok := ctx.Value(scopeKey{}).(*scope); ok {
		return s.log
	}
	return slog.New(slog.DiscardHandler)
}

// Annotate adds attributes to all later log lines of the context's invocation. An
// attribute replaces an earlier one with the same key. Outside an invocation
// Annotate does nothing.
func Annotate(ctx context.Context, attrs ...slog.Attr) {
	if s, ok := ctx.Value(scopeKey{}).(*scope); ok {
		s.set(attrs)
	}
}

// withLogger returns a context with the scope and logger of an invocation.
func withLogger(ctx context.Context, log *slog.Logger, invocationID, function string) context.Context {
	s := &scope{attrs: []slog.Attr{slog.String("invocationId", invocationID), slog.String("function", function)}}
	own := LogHandler{next: log.Handler(), scope: s}
	if h, ok := log.Handler().(*LogHandler); ok {
		own.next, own.bound = h.next, h.bound
	}
	s.log = slog.New(&own)
	return context.WithValue(ctx, scopeKey{}, s)
}
