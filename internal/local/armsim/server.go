package armsim

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"azbackupflow/internal/local/fault"
)

const (
	service      = "arm"
	maxBodyBytes = 4 << 20 // ARM's own limit
)

// answer is the answer to a request.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// call is a request in progress, as the handlers see it.
type call struct {
	r          *http.Request
	path       route
	query      url.Values
	apiVersion string
	clientID   string
	body       []byte
	now        time.Time
	effect     Effect
	vault      *vault
	// backupVault is set in place of vault if the path is below a Backup vault.
	backupVault *backupVault
}

// jsonAnswer returns an answer with a JSON body.
func jsonAnswer(status int, v any) answer {
	return answer{
		status: status, body: mustJSON(v),
		header: http.Header{"Content-Type": {"application/json; charset=utf-8"}},
	}
}

// answer returns the error as an answer.
func (e *armError) answer() answer {
	h := http.Header{"Content-Type": {"application/json; charset=utf-8"}}
	maps.Copy(h, e.header)
	if e.userFacing != nil {
		return answer{status: e.status, header: h, body: e.userFacing.body()}
	}
	return answer{status: e.status, header: h, body: errorBody(e.code, e.message, e.target)}
}

// ServeHTTP serves one request: hook, fault, effect, hook, answer, hook.
func (s *Simulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBodyBytes))
	if err != nil {
		return // the client disconnected, or sent a body that ARM would not read
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	path, isARM := parseRoute(r.URL)
	record, effect := s.record(r, path, isARM, body)
	point := fault.Request{Service: service, Kind: record.Kind, Detail: r.Method + " " + r.URL.Path}

	s.config.Fault.At(fault.Before, point)
	answered, served := s.interfere(effect, w, r)
	if !served {
		if effect.kind == effectAnswer {
			answered = s.decorate(r, answer{status: effect.status, header: effect.header.Clone(), body: []byte(effect.body)})
		} else {
			answered = s.serve(r, path, isARM, body, effect)
		}
		if effect.kind == effectResetAfter {
			answered.status = 0
		}
	}
	s.mu.Lock()
	record.Status = answered.status
	s.mu.Unlock()
	if !served {
		s.config.Fault.At(fault.During, point)
		if answered.status == 0 {
			reset(w)
		} else {
			answered.write(w)
		}
	}
	s.config.Logger.Debug("request answered", "kind", record.Kind, "path", record.Path, "status", answered.status)
	s.config.Fault.At(fault.After, point)
}

// record records the request and picks its effect.
func (s *Simulator) record(r *http.Request, path route, isARM bool, body []byte) (*Request, Effect) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := r.URL.Query()
	for _, p := range []string{"t", "c", "s", "h"} {
		q.Del(p)
	}
	kind := r.Method + " " + r.URL.Path
	switch {
	case isARM:
		kind = r.Method + " " + path.last()
	case r.URL.Path == identityPath:
		kind = r.Method + " token"
	}
	record := &Request{
		Time: s.config.Now(), Method: r.Method, Path: r.URL.Path, Kind: kind, Query: q,
		Body: string(body), ClientRequestID: r.Header.Get("x-ms-client-request-id"),
	}
	s.requests = append(s.requests, record)
	return record, s.pickEffect(kind, r)
}

// serve applies the request and returns the answer.
func (s *Simulator) serve(r *http.Request, path route, isARM bool, body []byte, effect Effect) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.config.Now()
	s.world.events.advance(now)
	if r.URL.Path == identityPath {
		return s.serveToken(r)
	}
	c := &call{
		r: r, path: path, query: r.URL.Query(), body: body, now: now, effect: effect,
		apiVersion: r.URL.Query().Get("api-version"), clientID: r.Header.Get("x-ms-client-request-id"),
	}
	a, err := s.dispatch(c, isARM)
	if err != nil {
		a = err.answer()
	}
	return s.decorateLocked(r, a)
}

// dispatch authenticates, counts and routes the request.
func (s *Simulator) dispatch(c *call, isARM bool) (answer, *armError) {
	if err := s.authenticate(c.r, c.now); err != nil {
		return answer{}, err
	}
	if err := s.authorize(c); err != nil {
		return answer{}, err
	}
	if a, served := s.serveAccess(c); served {
		return a, nil
	}
	if !isARM {
		return answer{}, &armError{status: http.StatusNotFound, code: "InvalidResourceType", message: "The path '" + c.r.URL.Path + "' is not served here."}
	}
	if err := s.checkVersion(c); err != nil {
		return answer{}, err
	}
	h, pathKnown := handlerFor(c.r.Method, c.path)
	if h == nil {
		if pathKnown {
			return answer{}, &armError{status: http.StatusMethodNotAllowed, code: "HttpMethodNotAllowed", message: "The method " + c.r.Method + " is not allowed for this path."}
		}
		return answer{}, &armError{
			status: http.StatusNotFound, code: "InvalidResourceType",
			message: "The resource type '" + strings.Join(c.path.types, "/") + "' could not be found in the namespace '" + c.path.provider + "' for api version '" + c.apiVersion + "'.",
		}
	}
	remaining, err := s.limits.take(c)
	if err != nil {
		return answer{}, err
	}
	a, err := s.serveVault(c, h)
	if err != nil {
		a = err.answer()
	}
	maps.Copy(a.header, remaining)
	return a, nil
}

// serveVault finds the vault that the path names and calls the handler.
func (s *Simulator) serveVault(c *call, h handler) (answer, *armError) {
	if !s.world.hasSubscription(c.path.subscription) {
		return answer{}, &armError{
			status: http.StatusNotFound, code: "SubscriptionNotFound",
			message: "The subscription '" + c.path.subscription + "' could not be found.",
		}
	}
	switch c.path.types[0] {
	case "vaults":
		c.vault = s.world.findVault(c.path.parentID())
		if c.vault == nil {
			return answer{}, c.notFound(1)
		}
	case "backupVaults":
		c.backupVault = s.world.findBackupVault(c.path.parentID())
		if c.backupVault == nil {
			return answer{}, c.notFound(1)
		}
	}
	if len(c.path.types) > 1 && c.path.types[1] == "backupFabrics" && !strings.EqualFold(c.path.names[1], "Azure") {
		return answer{}, invalidInput("fabricName", "%q is not Azure", c.path.names[1])
	}
	return h(s, c)
}

// decode decodes the JSON body of the request.
func (c *call) decode(into any) *armError {
	if t, _, _ := mime.ParseMediaType(c.r.Header.Get("Content-Type")); t != "application/json" {
		return &armError{
			status: http.StatusUnsupportedMediaType, code: "UnsupportedMediaType",
			message: "The content media type '" + t + "' is not supported. Only 'application/json' is supported.",
		}
	}
	if len(c.body) == 0 {
		return &armError{status: http.StatusBadRequest, code: "MissingRequestBody", message: "The request body is missing."}
	}
	if err := json.Unmarshal(c.body, into); err != nil {
		return &armError{status: http.StatusBadRequest, code: "InvalidRequestContent", message: "The request content was invalid and could not be deserialized: '" + err.Error() + "'."}
	}
	return nil
}

// decorate adds the headers of every answer.
func (s *Simulator) decorate(r *http.Request, a answer) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.decorateLocked(r, a)
}

func (s *Simulator) decorateLocked(r *http.Request, a answer) answer {
	if a.header == nil {
		a.header = http.Header{}
	}
	id := s.random.guid()
	now := s.config.Now().UTC()
	defaults := http.Header{
		"Cache-Control": {"no-cache"}, "Pragma": {"no-cache"}, "Expires": {"-1"},
		"Strict-Transport-Security": {"max-age=31536000; includeSubDomains"}, "X-Content-Type-Options": {"nosniff"},
		"X-Ms-Request-Id": {id}, "X-Ms-Correlation-Request-Id": {id},
		"X-Ms-Routing-Request-Id": {"LOCAL:" + now.Format("20060102T150405Z") + ":" + id},
		"Date":                    {now.Format(http.TimeFormat)},
	}
	if given := r.Header.Get("x-ms-correlation-request-id"); given != "" {
		defaults.Set("X-Ms-Correlation-Request-Id", given)
	}
	if given := r.Header.Get("x-ms-client-request-id"); given != "" {
		defaults.Set("X-Ms-Client-Request-Id", given)
	}
	for k, v := range defaults {
		if _, there := a.header[k]; !there {
			a.header[k] = v
		}
	}
	if len(a.body) > 0 && a.header.Get("Content-Type") == "" {
		a.header.Set("Content-Type", "application/json; charset=utf-8")
	}
	return a
}

// write writes the answer to the socket and flushes it.
func (a answer) write(w http.ResponseWriter) {
	maps.Copy(w.Header(), a.header)
	if a.status != http.StatusNoContent {
		w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body) // the client may have disconnected
	_ = http.NewResponseController(w).Flush()
}

// retryAfter returns Azure's Retry-After divided by the speed factor.
func (s *Simulator) retryAfter() string {
	scaled := s.scaled(retryAfter)
	return strconv.Itoa(max(1, int((scaled+time.Second-1)/time.Second)))
}
