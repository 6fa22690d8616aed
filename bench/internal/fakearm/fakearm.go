// Package fakearm is the Azure Resource Manager of the benchmark: it accepts a
// PUT with 202, answers polls with Retry-After and in the end Succeeded, and
// notes when what came. It is the same for every contestant.
//
// What it is not: it knows no resources, checks no tokens and never fails.
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

// urlLength is that of the signed poll URLs which Azure Backup gives.
const urlLength = 3000

// Server is a running fake.
type Server struct {
	http     *httptest.Server
	scenario work.Scenario
	now      func() time.Time
	begun    func()

	mu          sync.Mutex
	first       time.Time // call of all
	operations  map[string]*operation
	began, last time.Time // of the calls that are measured
	seen        work.ARM
}

type operation struct {
	ends, notBefore time.Time
	polls, calls    int
	ended           bool
}

// Start serves on a free loopback port. begun is called once, when the first
// operation that is measured begins.
func Start(s work.Scenario, now func() time.Time, begun func()) *Server {
	server := &Server{scenario: s, now: now, begun: sync.OnceFunc(begun), operations: map[string]*operation{}}
	mux := http.NewServeMux()
	const items = "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Bench/items/{id}"
	mux.HandleFunc("PUT "+items, server.start)
	mux.HandleFunc("GET "+items, server.read)
	mux.HandleFunc("GET "+items+"/status", server.poll)
	server.http = httptest.NewServer(mux)
	return server
}

// Path is that of an operation's resource.
func Path(id string) string {
	return "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/bench/providers/Microsoft.Bench/items/" + id
}

// Endpoint is where it serves.
func (s *Server) Endpoint() string { return s.http.URL }

// Close ends it.
func (s *Server) Close() { s.http.Close() }

// FirstCall is when the first call of all came, the warm-up's.
func (s *Server) FirstCall() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.first
}

// Seen is what came.
func (s *Server) Seen() work.ARM {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := s.seen
	seen.Lateness = slices.Sorted(slices.Values(seen.Lateness))
	seen.Span = s.last.Sub(s.began)
	for id, op := range s.operations {
		if id != work.WarmUp {
			seen.Most = max(seen.Most, op.calls)
		}
	}
	return seen
}

// note notes a call and reports whether it is measured.
func (s *Server) note(id string, now time.Time) bool {
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
		s.begun()
	}
	s.mu.Lock()
	measured := s.note(id, now)
	op, again := s.operations[id]
	if !again {
		op = &operation{ends: now.Add(s.scenario.Duration()), notBefore: now.Add(s.scenario.RetryAfter)}
		s.operations[id] = op
	}
	op.calls++
	if measured && again {
		s.seen.Twice++
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
	measured := s.note(id, now)
	op, known := s.operations[id]
	if !known {
		s.mu.Unlock()
		s.answer(w, id, http.StatusNotFound, `{"error":{"code":"NotFound","message":"no such operation"}}`, false)
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

// read answers with the resource, which azcore asks for after the end.
func (s *Server) read(w http.ResponseWriter, r *http.Request) {
	id, now := r.PathValue("id"), s.now()
	s.mu.Lock()
	if op, known := s.operations[id]; known {
		op.calls++
	}
	if s.note(id, now) {
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
		// azcore reads whole seconds, or milliseconds in a header of their own.
		w.Header().Set("Retry-After", strconv.FormatFloat(wait.Seconds(), 'f', -1, 64))
		if wait.Seconds() != math.Trunc(wait.Seconds()) {
			w.Header().Set("Retry-After-Ms", strconv.FormatInt(wait.Milliseconds(), 10))
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// A client that is gone is not measured.
	_, _ = fmt.Fprint(w, body)
}
