package customhandler

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"
)

// Defaults of Config.
const (
	// DefaultDeadline is below the 5 minutes of a message lock, and far below any
	// functionTimeout.
	DefaultDeadline = 120 * time.Second
	// DefaultMaxBody allows for a message of 256 KB, which grows when the host
	// encodes it twice and merges it into the metadata.
	DefaultMaxBody = 8 << 20
)

// Handler runs one invocation of a function. After an error the host fails the
// invocation, and a queue message is redelivered at once. The context ends at the
// server's deadline. It does not end when the host hangs up, so that an
// invocation can finish its work.
type Handler func(ctx context.Context, inv Invocation) (Result, error)

// Config holds the functions of a Server.
type Config struct {
	// Functions are the functions that receive an invocation envelope, by name.
	Functions map[string]Handler
	// HTTP are the functions whose HTTP requests the host passes on with their
	// original method, path, query and headers
	// (customHandler.enableProxyingHttpRequest). The name is both the function's
	// name and the host's route prefix: "api" serves "/api" and all paths below
	// it. The path keeps the prefix.
	HTTP map[string]http.Handler
	// Around, if set, runs before each invocation, HTTP requests included. The
	// invocation uses the context that it returns. The returned function runs
	// after the invocation, with the HTTP status of the response and the error.
	Around func(ctx context.Context, inv Invocation) (context.Context, func(status int, err error))
	// Deadline limits each invocation; DefaultDeadline if zero. An invocation that
	// is still running after another tenth of it still gets a response: 500,
	// or 503 for an HTTP request.
	Deadline time.Duration
	// MaxBody limits each request body, in bytes; DefaultMaxBody if zero. A longer
	// body gets a 413.
	MaxBody int64
	Log     *slog.Logger
	// ParentPID, if set, returns the process id of the program's parent, usually
	// os.Getppid. Serve ends when it is not HostPID, because the Functions host has
	// ended then.
	ParentPID func() int
	// HostPID is the process id of the Functions host. Read it before anything else:
	// the host may end while the program starts.
	HostPID int
	// Now is the clock that measures the duration of invocations for the log.
	Now func() time.Time
}

// Server dispatches the host's requests to functions.
type Server struct{ cfg Config }

// New returns a server. It fails if the configuration has no logger or clock.
func New(c Config) (*Server, error) {
	if c.Log == nil || c.Now == nil {
		return nil, errors.New("customhandler: Config needs Log and Now")
	}
	if c.Deadline == 0 {
		c.Deadline = DefaultDeadline
	}
	if c.MaxBody == 0 {
		c.MaxBody = DefaultMaxBody
	}
	return &Server{cfg: c}, nil
}

// ServeHTTP implements http.Handler for the host's requests.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, rest, nested := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if name == "" && rest == "" {
		s.ready(w, r)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, s.cfg.MaxBody)
	if h, ok := s.cfg.HTTP[name]; ok {
		s.serveHTTPFunction(w, r, name, h)
		return
	}
	h, ok := s.cfg.Functions[name]
	if !ok || nested {
		s.reject(w, r, http.StatusNotFound, "no such function")
		return
	}
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		s.reject(w, r, http.StatusMethodNotAllowed, "functions are invoked by POST")
		return
	}
	s.serveFunction(w, r, name, h)
}

// ready responds to the host's readiness poll. Any response means that the
// program listens.
func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		s.reject(w, r, http.StatusNotFound, "no such function")
		return
	}
	w.WriteHeader(http.StatusOK)
}

// reject responds that the invocation failed.
func (s *Server) reject(w http.ResponseWriter, r *http.Request, status int, reason string) {
	s.logUnsent(r.Context(), s.cfg.Log, reject(w, status, reason))
}

// logUnsent logs a response that did not reach the host.
func (s *Server) logUnsent(ctx context.Context, log *slog.Logger, err error) {
	if err != nil {
		log.WarnContext(ctx, "response not sent", "error", err)
	}
}
