package replay

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// answer is the answer to a request.
type answer struct {
	status int
	header http.Header
	body   string
}

const maxBodyBytes = 4 << 20

// ServeHTTP answers a request from the recording.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBodyBytes))
	if err != nil {
		return // the client disconnected
	}
	a := s.answer(r, string(body))
	for name, values := range a.header {
		w.Header()[name] = values
	}
	if id := r.Header.Get("x-ms-client-request-id"); id != "" {
		w.Header().Set("x-ms-client-request-id", id)
	}
	started := a.status == http.StatusAccepted || a.status == http.StatusCreated && a.header.Get("Azure-Asyncoperation") != ""
	if started && s.config.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(s.config.RetryAfter))
	}
	w.WriteHeader(a.status)
	_, _ = io.WriteString(w, a.body) // the client may have disconnected
	s.config.Logger.Debug("replayed", "method", r.Method, "path", r.URL.Path, "status", a.status)
}

func (s *Server) answer(r *http.Request, body string) answer {
	if s.config.CheckToken != nil {
		token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !ok || !s.config.CheckToken(token) {
			return failed(http.StatusUnauthorized, "InvalidAuthenticationToken", "The access token is missing or invalid.")
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Method != http.MethodGet {
		return s.write(r, body)
	}
	if id, wantsStatus := operationOf(r.URL.Path); id != "" {
		return s.poll(r, id, wantsStatus)
	}
	if id := jobOf(r.URL.Path); id != "" {
		return s.job(r, id)
	}
	if strings.HasSuffix(strings.ToLower(r.URL.Path), "/backupjobs") {
		return s.listJobs(r)
	}
	return s.read(r)
}

// recorded returns the answer of an interaction, and moves the position to it.
func (s *Server) recorded(n int) answer {
	s.position = max(s.position, s.recording.reach(n))
	return s.copyOf(n)
}

// copyOf returns the answer of an interaction with the host replaced.
func (s *Server) copyOf(n int) answer {
	x := s.recording.all[n]
	a := answer{status: x.status, header: http.Header{}, body: s.localized(x.body)}
	for name, values := range x.header {
		switch name {
		case "Content-Length", "Connection", "Transfer-Encoding", "Content-Encoding":
			continue
		}
		for _, v := range values {
			a.header.Add(name, s.localized(v))
		}
	}
	return a
}

func (s *Server) localized(text string) string {
	return strings.ReplaceAll(text, "https://"+recordedHost, s.endpoint)
}

// mismatch records a request without a recorded answer.
func (s *Server) mismatch(r *http.Request, body, format string, args ...any) answer {
	m := Mismatch{Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery, Body: body, Why: fmt.Sprintf(format, args...)}
	s.mismatches = append(s.mismatches, m)
	status := http.StatusNotFound
	if r.Method != http.MethodGet {
		status = http.StatusConflict
	}
	return failed(status, "ReplayMismatch", m.Why)
}

// failed returns an error in Azure's format.
func failed(status int, code, message string) answer {
	return jsonAnswer(status, map[string]any{"error": map[string]any{"code": code, "message": message}})
}

func jsonAnswer(status int, v any) answer {
	body, err := json.Marshal(v)
	if err != nil {
		body = []byte(`{}`) // cannot happen: the value consists of maps and text
	}
	return answer{status: status, body: string(body), header: http.Header{"Content-Type": {"application/json; charset=utf-8"}}}
}
