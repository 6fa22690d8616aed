package customhandler

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"
)

// Defaults of a Server.
const (
	// DefaultDeadline is how long one invocation may take: below the 5 minutes
	// for which a message is locked, and far below any functionTimeout.
	DefaultDeadline = 120 * time.Second
	// DefaultMaxBody is the longest request body in bytes. A message of 256 KB
	// grows when it is encoded twice and merged into the metadata.
	DefaultMaxBody = 8 << 20
)

// Handler runs one invocation of a function. An error makes the host fail the
// invocation: a queue message is delivered again at once. The context ends at
// the server's deadline; it does not end when the host hangs up, so that what
// was begun is finished.
type Handler func(ctx context.Context, inv Invocation) (Result, error)

// Server dispatches the host's requests to functions. Register all functions
// and set the fields before serving.
type Server struct {
	// Deadline bounds each invocation.
	Deadline time.Duration
	// MaxBody bounds each request's body in bytes; longer ones are answered 413.
	MaxBody int64
	// Around, if set, is told of each invocation, HTTP requests included, before
	// anything is done or logged. The context that it gives is the invocation's;
	// the function is called at the end with the HTTP status of the answer and
	// the error, if any.
	Around func(ctx context.Context, inv Invocation) (context.Context, func(status int, err error))

	log       *slog.Logger
	now       func() time.Time
	functions map[string]Handler
	http      map[string]http.Handler
}

// NewServer returns a server without functions. The clock measures how long
// invocations take, for the log.
func NewServer(log *slog.Logger, now func() time.Time) *Server {
	return &Server{
		Deadline:  DefaultDeadline,
		MaxBody:   DefaultMaxBody,
		log:       log,
		now:       now,
		functions: map[string]Handler{},
		http:      map[string]http.Handler{},
	}
}

// Handle registers the handler of a function that receives envelopes: every
// trigger but those of HandleHTTP.
func (s *Server) Handle(function string, h Handler) { s.functions[function] = h }

// HandleHTTP registers the handler of an HTTP function, whose requests the
// host passes on with their original method, path, query and headers
// (customHandler.enableProxyingHttpRequest). The name is both the function's
// and the host's route prefix: "api" takes "/api" and all paths below it. The
// path is not stripped.
func (s *Server) HandleHTTP(function string, h http.Handler) { s.http[function] = h }

// ServeHTTP answers the host.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, rest, nested := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if name == "" && rest == "" {
		s.ready(w, r)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, s.MaxBody)
	if h, ok := s.http[name]; ok {
		s.serveHTTPFunction(w, r, name, h)
		return
	}
	h, ok := s.functions[name]
	if !ok || nested {
		s.refuse(w, r, http.StatusNotFound, "no such function")
		return
	}
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		s.refuse(w, r, http.StatusMethodNotAllowed, "functions are invoked by POST")
		return
	}
	s.serveFunction(w, r, name, h)
}

// ready answers the host's poll: any answer means that the program listens.
func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		s.refuse(w, r, http.StatusNotFound, "no such function")
		return
	}
	w.WriteHeader(http.StatusOK)
}

// refuse answers an invocation that failed and logs an answer that got lost.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, status int, reason string) {
	s.logLost(r.Context(), s.log, refuse(w, status, reason))
}

func (s *Server) logLost(ctx context.Context, log *slog.Logger, err error) {
	if err != nil {
		log.WarnContext(ctx, "the answer could not be written", "error", err)
	}
}
