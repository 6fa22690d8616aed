package e2e

import (
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/api"
	"azbackupflow/internal/local/armsim"
	"azbackupflow/internal/local/stack"
)

// seenSecrets collects the tokens and signatures that were on the wire.
type seenSecrets struct {
	mu  sync.Mutex
	all map[string]string // the secret, and its kind
}

// look records the secrets of a request. It matches no rule.
func (s *seenSecrets) look(r *http.Request) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, token, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok {
		s.all[token] = "an access token"
		s.all[token[strings.LastIndexByte(token, '.')+1:]] = "an access token's signature"
	}
	for _, name := range []string{"s", "h", "t", "c"} {
		if value := r.URL.Query().Get(name); len(value) > 15 {
			s.all[value] = "a poll URL's " + name
		}
	}
	return false
}

func (s *seenSecrets) add(what, connection, field string) {
	_, value, _ := strings.Cut(connection, field+"=")
	value, _, _ = strings.Cut(value, ";")
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all[value] = what
}

// kinds counts the recorded secrets by kind.
func (s *seenSecrets) kinds() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Compact(slices.Sorted(maps.Values(s.all)))
}

// secretMarks matches the marks of secrets, whatever their value.
var secretMarks = regexp.MustCompile(`(?i)bearer\s+[\w-]{8}|eyJ[\w-]{8,}\.|[?&](s|h|sig|se)=|SharedAccessKey=|AccountKey=|SharedAccessSignature\s|SharedKey(Lite)? \w`) // a compiled constant

// requireNone asserts that a text contains no secret.
func (s *seenSecrets) requireNone(t *testing.T, where, text string) {
	t.Helper()
	if found := secretMarks.FindStringIndex(text); found != nil {
		require.Failf(t, "a secret", "%s: ...%s...", where, text[max(0, found[0]-80):min(len(text), found[1]+40)])
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for secret, what := range s.all {
		require.NotContains(t, text, secret, where+" contains "+what)
	}
}

// TestSecrets_AreNeverLoggedShownOrSent breaks everything with every line
// logged. No token, key or signature of a poll URL is in the output of the
// handler, in the answers of the API, or in a message.
func TestSecrets_AreNeverLoggedShownOrSent(t *testing.T) {
	t.Parallel()
	world := armsim.DemoWorld()
	fresh, failing, foreign := newSite(&world, "secretfresh", undiscovered), newSite(&world, "secretfails", protected), newSite(&world, "secretforeign", protected)
	telling := newSite(&world, "secrettells", protected)
	secrets := &seenSecrets{all: map[string]string{}}
	collector := newCollector(t)
	settings := collector.settings()
	settings["AZBACKUPFLOW_LOG_LEVEL"] = "DEBUG"
	settings["OTEL_EXPORTER_OTLP_HEADERS"] = "x-collector-key=c29tZWJvZHkncyBrZXk"
	l := startInTurn(t, stack.Config{SpeedFactor: 120, World: &world, Settings: settings})
	l.ARM.Inject(armsim.Rule{Match: secrets.look})
	secrets.add("the bus's key", l.Broker.ConnectionString(), "SharedAccessKey")
	secrets.add("the storage account's key", l.Tables.ConnectionString(), "AccountKey")
	secrets.add("the collector's key", "key=c29tZWJvZHkncyBrZXk", "key")
	secrets.add("the identity header", "IDENTITY_HEADER="+l.ARM.IdentityHeader(), "IDENTITY_HEADER")

	// Polls break, fail, expire and point elsewhere; answers repeat the request.
	l.goesWrong(fresh, "GET operationsStatus", armsim.Callback(breakOff))
	l.goesWrong(fresh, "POST inquire", armsim.ExpiredStatus())
	l.goesWrong(fresh, "PUT protectedItems", armsim.ResetAfter())
	l.goesWrong(failing, "GET operationsStatus", armsim.Answer(http.StatusBadGateway, gatewayPage, html()))
	l.goesWrong(failing, "GET protectedItems", armsim.Callback(repeat(http.StatusInternalServerError)))
	l.goesWrong(foreign, "POST backup", armsim.ForeignStatus("backup.invalid"))
	l.goesWrong(telling, "GET operationsStatus", armsim.Callback(repeat(http.StatusBadRequest)))
	l.goesWrong(telling, "GET operationResults", armsim.Callback(repeat(http.StatusBadRequest)))
	ids := map[string]api.Status{
		l.begin(fresh.protect()):  api.Succeeded,
		l.begin(failing.backup()): api.Succeeded,
		l.begin(foreign.backup()): api.SucceededWithWarnings,
		l.begin(telling.backup()): api.SucceededWithWarnings,
	}
	l.send("requests", message("refused", `{"flow":"backup-now","parameters":{"itemId":7}}`))
	var sent []string
	for id, status := range ids {
		require.Eventually(t, func() bool {
			for _, m := range append(l.Broker.Messages("steps"), l.Broker.Messages("rejected")...) {
				sent = append(sent, m.MessageID+" "+string(m.Body))
			}
			v, ok := l.get(id)
			return ok && v.Status == status
		}, maxWait, 20*time.Millisecond, "operation %s does not become %s", id, status)
	}
	// Unavailable stores cause errors of their own.
	l.Tables.SetAvailable(false)
	_, away, err := l.try(http.MethodGet, "/operations", nil)
	require.NoError(t, err)
	l.Tables.SetAvailable(true)
	l.Broker.SetAvailable(false)
	_, mute, err := l.try(http.MethodPost, "/operations", backup("mute", demoAccount, "testshare"))
	require.NoError(t, err)
	l.Broker.SetAvailable(true)

	require.Equal(t, []string{
		"a poll URL's c", "a poll URL's h", "a poll URL's s", "a poll URL's t", "an access token", "an access token's signature",
		"the bus's key", "the collector's key", "the identity header", "the storage account's key",
	}, secrets.kinds())
	shown := map[string]string{"answer without a table": string(away), "answer without a bus": string(mute)}
	paths := []string{"/operations", "/rejected", "/flows"}
	for id := range ids {
		paths = append(paths, "/operations/"+id, "/operations/"+id+"/history")
	}
	for _, path := range paths {
		res, body, err := l.try(http.MethodGet, path, nil)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, res.StatusCode, path)
		shown["GET "+path] = string(body)
	}
	require.NotEmpty(t, sent)
	for i, m := range sent {
		shown[fmt.Sprintf("message %d", i)] = m
	}
	// The messages of Azure are shown without secrets.
	require.Contains(t, shown["GET /operations"], "cannot serve https://")
	l.says(`"level":"DEBUG"`)
	for i, line := range l.output() {
		shown[fmt.Sprintf("line %d", i)] = line
	}
	// Failed calls are in the exported telemetry too.
	require.Eventually(t, func() bool {
		for _, s := range collector.spans() {
			if s.text("azbackupflow.error.code") == "Repeated" {
				return true
			}
		}
		return false
	}, maxWait, 20*time.Millisecond)
	for n, text := range collector.texts() {
		shown[fmt.Sprintf("export %d", n)] = text
	}
	for where, text := range shown {
		secrets.requireNone(t, where, text)
	}
}

// repeat answers with an error whose message repeats the request, its token and
// its URL, as some gateways do.
func repeat(status int) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, `{"error":{"code":"Repeated","message":"cannot serve https://%s%s with Authorization: %s"}}`,
			r.Host, r.URL.RequestURI(), r.Header.Get("Authorization"))
		return true
	}
}
