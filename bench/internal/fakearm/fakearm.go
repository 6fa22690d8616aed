// Package fakearm simulates Azure Resource Manager for the benchmark. It accepts a
// PUT with 202, answers polls with Retry-After and finally with Succeeded, and
// records the time of each call. It treats all contestants alike. It has no
// resources, checks no tokens and never fails.
package fakearm

import (
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"azbackupflow/bench/internal/work"
)

// urlLength is the length of the signed status URLs of Azure Backup.
const urlLength = 3000

// Config describes the simulated operations.
type Config struct {
	Scenario work.Scenario
	Now      func() time.Time
	// FirstStart is called once, when the first measured operation starts.
	FirstStart func()
}

// Server simulates Azure Resource Manager.
type Server struct {
	http       *httptest.Server
	scenario   work.Scenario
	now        func() time.Time
	firstStart func()

	mu sync.Mutex
	// first is the time of the first call, the warm-up included.
	first      time.Time
	operations map[string]*operation
	// began and last are the times of the first and the last measured call.
	began, last time.Time
	seen        work.ARM
}

type operation struct {
	ends, notBefore time.Time
	polls, calls    int
	ended           bool
}

// New starts a server on a free loopback port. Close stops it.
func New(cfg Config) *Server {
	server := &Server{scenario: cfg.Scenario, now: cfg.Now, firstStart: sync.OnceFunc(cfg.FirstStart), operations: map[string]*operation{}}
	mux := http.NewServeMux()
	const items = "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Bench/items/{id}"
	mux.HandleFunc("PUT "+items, server.start)
	mux.HandleFunc("GET "+items, server.read)
	mux.HandleFunc("GET "+items+"/status", server.poll)
	server.http = httptest.NewServer(mux)
	return server
}

// Path returns the path of an operation's resource.
func Path(id string) string {
	return "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/bench/providers/Microsoft.Bench/items/" + id
}

// Endpoint returns the URL of the server.
func (s *Server) Endpoint() string { return s.http.URL }

// Close stops the server.
func (s *Server) Close() { s.http.Close() }

// FirstCall returns the time of the first call, the warm-up included.
func (s *Server) FirstCall() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.first
}

// Observed returns the figures of the measured operations.
func (s *Server) Observed() work.ARM {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := s.seen
	seen.Lateness = slices.Sorted(slices.Values(seen.Lateness))
	seen.Span = s.last.Sub(s.began)
	for id, op := range s.operations {
		if id != work.WarmUp {
			seen.MaxCalls = max(seen.MaxCalls, op.calls)
		}
	}
	return seen
}

// record records a call and reports whether it is measured.
func (s *Server) record(id string, now time.Time) bool {
	if s.first.IsZero() {
		s.first = now
	}
	if id == work.WarmUp {
		return false
	}
	if s.began.IsZero() {
		s.began = now
	}
	s.last = now
	return true
}

func (s *Server) start(w http.ResponseWriter, r *http.Request) {
	id, now := r.PathValue("id"), s.now()
	if id != work.WarmUp {
		s.firstStart()
	}
	s.mu.Lock()
	measured := s.record(id, now)
	op, again := s.operations[id]
	if !again {
		op = &operation{ends: now.Add(s.scenario.Duration()), notBefore: now.Add(s.scenario.RetryAfter)}
		s.operations[id] = op
	}
	op.calls++
	if measured && again {
		s.seen.DuplicateStarts++
	}
	if measured {
		s.seen.Starts++
	}
	s.mu.Unlock()
	status := "http://" + r.Host + r.URL.Path + "/status?api-version=2025-02-01&t=1&c="
	status += strings.Repeat("c0ffee", (urlLength-len(status))/6)
	w.Header().Set("Azure-AsyncOperation", status)
	w.Header().Set("Location", status)
	s.answer(w, id, http.StatusAccepted, `{"status":"InProgress"}`, true)
}

func (s *Server) poll(w http.ResponseWriter, r *http.Request) {
	id, now := r.PathValue("id"), s.now()
	s.mu.Lock()
	measured := s.record(id, now)
	op, known := s.operations[id]
	if !known {
		s.mu.Unlock()
		s.answer(w, id, http.StatusNotFound, `{"error":{"code":"NotFound","message":"operation not found"}}`, false)
		return
	}
	op.calls++
	op.polls++
	ended := id == work.WarmUp || op.polls >= s.scenario.Polls
	if !s.scenario.ByCount && measured {
		ended = !now.Before(op.ends)
	}
	if measured {
		s.seen.Polls++
		if now.Before(op.notBefore) {
			s.seen.Early++
		}
		if ended && !op.ended {
			s.seen.Ended++
			s.seen.Lateness = append(s.seen.Lateness, float64(now.Sub(op.ends).Microseconds())/1000)
		}
	}
	op.ended = ended
	op.notBefore = now.Add(s.scenario.RetryAfter)
	s.mu.Unlock()
	if ended {
		s.answer(w, id, http.StatusOK, `{"status":"Succeeded"}`, false)
		return
	}
	s.answer(w, id, http.StatusOK, `{"status":"InProgress"}`, true)
}

// read answers with the resource, which azcore reads after the end.
func (s *Server) read(w http.ResponseWriter, r *http.Request) {
	id, now := r.PathValue("id"), s.now()
	s.mu.Lock()
	if op, known := s.operations[id]; known {
		op.calls++
	}
	if s.record(id, now) {
		s.seen.Reads++
	}
	s.mu.Unlock()
	s.answer(w, id, http.StatusOK, `{"properties":{"provisioningState":"Succeeded"}}`, false)
}

func (s *Server) answer(w http.ResponseWriter, id string, status int, body string, again bool) {
	wait := s.scenario.RetryAfter
	if id == work.WarmUp {
		wait = min(wait, 50*time.Millisecond)
	}
	if again {
		// azcore reads whole seconds from Retry-After, and milliseconds from
		// another header.
		w.Header().Set("Retry-After", strconv.FormatFloat(wait.Seconds(), 'f', -1, 64))
		if wait.Seconds() != math.Trunc(wait.Seconds()) {
			w.Header().Set("Retry-After-Ms", strconv.FormatInt(wait.Milliseconds(), 10))
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// The answer to a client that has disconnected does not matter.
	_, _ = fmt.Fprint(w, body)
}
