package customhandler

import (
	"context"
	"log/slog"
	"slices"
	"sync"
)

// scopeKey is the context key of the running invocation's scope.
type scopeKey struct{}

// scope is what every line of one invocation says beside its own words. It is
// shared by all that the invocation does, so that what becomes known on the way
// is on every line from then on.
type scope struct {
	log *slog.Logger

	mu    sync.Mutex
	attrs []slog.Attr
}

// set adds attributes, or replaces those of the same key.
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

// missing are the attributes whose keys are not taken.
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

// LogHandler adds invocationId, function and what Annotate was given to every
// record that is logged with an invocation's context, so that code which knows
// nothing of this package logs them too. An attribute that the record has of
// its own is not added again.
type LogHandler struct {
	next slog.Handler
	// scope is that of a logger made for one invocation; else the context says
	// it.
	scope *scope
	// bound are the keys that next adds of itself.
	bound []string
}

// NewLogHandler wraps a handler, usually slog.NewJSONHandler on stdout: the
// host takes every line on stderr for an error.
func NewLogHandler(next slog.Handler) *LogHandler { return &LogHandler{next: next} }

// Enabled asks the wrapped handler.
func (h *LogHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.next.Enabled(ctx, level)
}

// Handle adds the invocation's attributes and passes the record on.
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

// WithAttrs returns a handler whose records carry the attributes.
func (h *LogHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	bound := slices.Clone(h.bound)
	for _, a := range attrs {
		bound = append(bound, a.Key)
	}
	return &LogHandler{next: h.next.WithAttrs(attrs), scope: h.scope, bound: bound}
}

// WithGroup returns a handler that puts what follows into a group.
func (h *LogHandler) WithGroup(name string) slog.Handler {
	return &LogHandler{next: h.next.WithGroup(name), scope: h.scope}
}

// Logger returns the logger of the invocation that ctx belongs to, which adds
// what LogHandler adds to each line, whether or not the line is logged with a
// context. Outside an invocation it returns a logger that writes nothing.
func Logger(ctx context.Context) *slog.Logger {
	if s, ok := ctx.Value(scopeKey{}).(*scope); ok {
		return s.log
	}
	return slog.New(slog.DiscardHandler)
}

// Annotate puts attributes on every line that the invocation of ctx logs from
// now on; an earlier attribute of the same key is replaced. Outside an
// invocation it does nothing.
func Annotate(ctx context.Context, attrs ...slog.Attr) {
	if s, ok := ctx.Value(scopeKey{}).(*scope); ok {
		s.set(attrs)
	}
}

// withLogger returns a context that knows its invocation.
func withLogger(ctx context.Context, log *slog.Logger, invocationID, function string) context.Context {
	s := &scope{attrs: []slog.Attr{slog.String("invocationId", invocationID), slog.String("function", function)}}
	own := LogHandler{next: log.Handler(), scope: s}
	if h, ok := log.Handler().(*LogHandler); ok {
		own.next, own.bound = h.next, h.bound
	}
	s.log = slog.New(&own)
	return context.WithValue(ctx, scopeKey{}, s)
}
