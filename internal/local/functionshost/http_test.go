package functionshost

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// serve responds to a request as the host's HTTP server does.
func serve(t *testing.T, h *Host, method, target, body string, header http.Header) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
	for name, values := range header {
		r.Header[http.CanonicalHeaderKey(name)] = values
	}
	w := httptest.NewRecorder()
	h.handler().ServeHTTP(w, r)
	return w
}

// adminRun runs a function by the admin endpoint.
func adminRun(t *testing.T, h *Host, function, input string) {
	t.Helper()
	status, body, _ := call(t, http.MethodPost, h.URL()+"/admin/functions/"+function, `{"input":`+string(quote(input))+`}`, nil)
	require.Equal(t, http.StatusAccepted, status, body)
}

func TestPassOn_SendsTheOriginalRequest(t *testing.T) {
	t.Parallel()
	h := startHost(t, newApp(t, plainHostJSON, map[string]string{"api": httpFunction}), func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		assert.NotEmpty(t, r.Header.Get(headerInvocationID))
		assert.Equal(t, "10.0.0.1, 127.0.0.1", r.Header.Get("X-Forwarded-For"))
		w.Header().Set("Location", "/api/operations/1")
		w.WriteHeader(http.StatusAccepted)
		_, _ = io.WriteString(w, r.Method+" "+r.RequestURI+" "+r.Header.Get("X-Forwarded-Host")+" "+string(body))
	}, nil)
	status, body, header := call(t, http.MethodPost, h.URL()+"/api/operations/a%2Fb?x=1", "hello", http.Header{"X-Forwarded-For": {"10.0.0.1"}})
	require.Equal(t, http.StatusAccepted, status)
	require.Equal(t, "/api/operations/1", header.Get("Location"))
	require.Equal(t, "POST /api/operations/a%252Fb?x=1 "+strings.TrimPrefix(h.URL(), "http://")+" hello", body)

	for target, want := range map[string]int{"/": http.StatusOK, "/api/other": http.StatusNotFound, "/api": http.StatusNotFound} {
		status, _, _ := call(t, http.MethodGet, h.URL()+target, "", nil)
		require.Equal(t, want, status, target)
	}
}

// Other methods are those that function.json does not name, HEAD and OPTIONS included.
func TestServeRoute_RespondsNotFoundToOtherMethods(t *testing.T) {
	t.Parallel()
	h := newIdleHost(t, map[string]string{"api": httpFunction}, func(http.ResponseWriter, *http.Request) {
		assert.Fail(t, "the handler was called")
	}, nil)
	for _, method := range []string{http.MethodDelete, http.MethodPut, http.MethodPatch, http.MethodHead, http.MethodOptions} {
		require.Equal(t, http.StatusNotFound, serve(t, h, method, "/api/operations/1", "", nil).Code, method)
	}
}

func TestProxiedPath_EscapesTheSlashTwice(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/api/a%2Fb/c%20d":          "/api/a%252Fb/c%20d",
		"/api/a%2fb":                "/api/a%252fb",
		"/api/a%252Fb":              "/api/a%252Fb",
		"/api/%C3%A9":               "/api/%C3%A9",
		"/api/operations:bulk":      "/api/operations:bulk",
		"/api/%41%25":               "/api/A%25",
		"/api/a+b(c)~d|e":           "/api/a+b(c)~d%7Ce",
		"/api/operations/%2e%2e/id": "/api/operations/../id",
	} {
		require.Equal(t, want, proxiedPath(path))
	}
}

func TestPassOn_ForwardingLosesABodyWithoutLength(t *testing.T) {
	t.Parallel()
	hostJSON := strings.Replace(plainHostJSON, "enableProxying", "enableForwarding", 1)
	h := startHost(t, newApp(t, hostJSON, map[string]string{"api": httpFunction}), func(w http.ResponseWriter, r *http.Request) {
		_, err := io.Copy(w, r.Body)
		assert.NoError(t, err)
	}, nil)
	_, body, _ := call(t, http.MethodPost, h.URL()+"/api/operations", "whole", nil)
	require.Equal(t, "whole", body)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.URL()+"/api/operations", io.MultiReader(strings.NewReader("in chunks")))
	require.NoError(t, err)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	chunked, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Empty(t, chunked)
}

func TestPassOn_AbortsAnIncompleteResponse(t *testing.T) {
	t.Parallel()
	h := startHost(t, newApp(t, plainHostJSON, map[string]string{"api": httpFunction}), func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, "half")
		assert.NoError(t, http.NewResponseController(w).Flush())
		panic(http.ErrAbortHandler)
	}, nil)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, h.URL()+"/api/operations", nil)
	require.NoError(t, err)
	response, err := http.DefaultClient.Do(request)
	if err == nil {
		_, err = io.ReadAll(response.Body)
		_ = response.Body.Close()
	}
	require.Error(t, err)
	waitReady(t, h)
}

func TestServeEnvelope_WrapsTheRequest(t *testing.T) {
	t.Parallel()
	var envelope struct {
		Data struct {
			Req struct {
				URL, Method, Body string
				Query, Params     map[string]string
				Headers           map[string][]string
			}
		}
		Metadata map[string]json.RawMessage
	}
	answers := map[string]string{
		"res":     `{"Outputs":{"res":{"statusCode":202,"headers":{"X-A":"b"},"body":"{\"id\":1}"}}}`,
		"object":  `{"Outputs":{"res":{"status":"201","body":{"id":1}}}}`,
		"nothing": `{"Outputs":{}}`,
		"bad":     `{"Outputs":{"res":{"statusCode":7}}}`,
	}
	var mu sync.Mutex
	h := newIdleHost(t, map[string]string{"api": httpFunction}, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		assert.NoError(t, json.NewDecoder(r.Body).Decode(&envelope))
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, answers[envelope.Data.Req.Params["id"]])
	}, nil)
	h.app.Host.ProxyHTTP = false
	w := serve(t, h, http.MethodPost, "http://localhost:7071/api/operations/res?dryRun=true", `{"kind":"x"}`, http.Header{"Accept": {"a", "b"}})
	require.Equal(t, http.StatusAccepted, w.Code)
	require.Equal(t, "b", w.Header().Get("X-A"))
	require.Equal(t, `{"id":1}`, w.Body.String())
	mu.Lock()
	require.Equal(t, "http://localhost:7071/api/operations/res?dryRun=true", envelope.Data.Req.URL)
	require.Equal(t, map[string]string{"dryRun": "true"}, envelope.Data.Req.Query)
	require.Equal(t, []string{"a", "b"}, envelope.Data.Req.Headers["Accept"])
	require.JSONEq(t, `{"kind":"x"}`, envelope.Data.Req.Body)
	require.JSONEq(t, `"\"true\""`, string(envelope.Metadata["dryRun"]))
	require.JSONEq(t, `"\"x\""`, string(envelope.Metadata["kind"]))
	require.JSONEq(t, `"\"res\""`, string(envelope.Metadata["id"]))
	mu.Unlock()
	for id, want := range map[string]int{"object": http.StatusCreated, "nothing": http.StatusNoContent, "bad": http.StatusInternalServerError} {
		require.Equal(t, want, serve(t, h, http.MethodGet, "/api/operations/"+id, "", nil).Code, id)
	}
}

func TestEventGrid_RespondsToHandshakes(t *testing.T) {
	t.Parallel()
	const hook = "/runtime/webhooks/EventGrid?code=anything&functionName=onEvent"
	h := newIdleHost(t, map[string]string{"onEvent": eventFunction, "api": httpFunction}, func(http.ResponseWriter, *http.Request) {
		assert.Fail(t, "the handler received a handshake")
	}, nil)
	kind := func(name string) http.Header { return http.Header{"aeg-event-type": {name}} }
	w := serve(t, h, http.MethodPost, hook, `[{"id":"1","data":{"validationCode":"c-1"}}]`, kind("SubscriptionValidation"))
	require.Equal(t, http.StatusOK, w.Code)
	require.JSONEq(t, `{"validationResponse":"c-1"}`, w.Body.String())
	w = serve(t, h, http.MethodOptions, hook, "", http.Header{"WebHook-Request-Origin": {"eventgrid.azure.net"}})
	require.Equal(t, http.StatusOK, w.Code)
	require.Equal(t, "eventgrid.azure.net", w.Header().Get("Webhook-Allowed-Origin"))
	require.Equal(t, http.StatusAccepted, serve(t, h, http.MethodPost, hook, "[]", kind("Unsubscribe")).Code)
	require.Equal(t, http.StatusBadRequest, serve(t, h, http.MethodPost, hook, "[]", nil).Code)
	require.Equal(t, http.StatusBadRequest, serve(t, h, http.MethodGet, hook, "", nil).Code)
	require.Equal(t, http.StatusBadRequest, serve(t, h, http.MethodPost, hook, "[]", kind("SubscriptionValidation")).Code)
	require.Equal(t, http.StatusBadRequest, serve(t, h, http.MethodPost, hook, `"x"`, kind("Notification")).Code)
	for _, name := range []string{"gone", "api", ""} {
		require.Equal(t, http.StatusNotFound, serve(t, h, http.MethodPost, "/runtime/webhooks/EventGrid?functionName="+name, "[]", kind("Notification")).Code, name)
	}
}

func TestEventGrid_DeliversABatchInParallelAndFailsAsAWhole(t *testing.T) {
	t.Parallel()
	var meeting sync.WaitGroup
	var mu sync.Mutex
	var seen []string
	fail := false
	h := newIdleHost(t, map[string]string{"onEvent": eventFunction}, func(w http.ResponseWriter, r *http.Request) {
		var envelope struct {
			Data     struct{ Event struct{ ID string } }
			Metadata struct{ Data map[string]any }
		}
		assert.NoError(t, json.NewDecoder(r.Body).Decode(&envelope))
		meeting.Done()
		meeting.Wait() // wait until all have arrived
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, envelope.Data.Event.ID)
		if fail && envelope.Data.Event.ID == "b" {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		assert.Equal(t, map[string]any{"n": 1.0}, envelope.Metadata.Data)
		succeed(w, r)
	}, nil)
	deliver := func(body string, events int) int {
		meeting.Add(events)
		return serve(t, h, http.MethodPost, "/runtime/webhooks/EventGrid?functionName=OnEvent", body, http.Header{"aeg-event-type": {"Notification"}}).Code
	}
	const batch = `[{"id":"a","data":{"n":1}},{"id":"b","data":{"n":1}},{"id":"c","data":{"n":1}}]`
	require.Equal(t, http.StatusAccepted, deliver(batch, 3))
	require.ElementsMatch(t, []string{"a", "b", "c"}, seen)
	require.Equal(t, http.StatusAccepted, deliver(`{"specversion":"1.0","id":"d","data":{"n":1}}`, 1))
	fail = true
	require.Equal(t, http.StatusInternalServerError, deliver(batch, 3))
}

func TestAdmin_ListsAndRunsFunctions(t *testing.T) {
	t.Parallel()
	bodies := make(chan string, 1)
	root := newApp(t, plainHostJSON, map[string]string{"onEvent": eventFunction, "api": httpFunction, "sweep": timerFunction, "run-step": queueFunction})
	h := startHost(t, root, func(w http.ResponseWriter, r *http.Request) {
		raw, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		bodies <- r.URL.Path + " " + string(raw)
		succeed(w, r)
	}, func(c *Config) {
		c.Settings["SWEEP"] = "0 0 0 1 1 *"
		c.Settings["QUEUE"] = "steps"
		c.Settings["ServiceBusConnection"] = "Endpoint=sb://127.0.0.1:1;SharedAccessKeyName=local;SharedAccessKey=x;UseDevelopmentEmulator=true"
		c.Settings["AzureWebJobs.run-step.Disabled"] = "1" // there is no broker
	})
	waitReady(t, h)
	status, body, _ := call(t, http.MethodGet, h.URL()+"/admin/functions", "", nil)
	require.Equal(t, http.StatusOK, status)
	var list []adminFunction
	require.NoError(t, json.Unmarshal([]byte(body), &list))
	require.Len(t, list, 4)
	require.Equal(t, "api", list[0].Name)
	require.Equal(t, h.URL()+"/api/operations/{id?}", list[0].InvokeURLTemplate)
	require.True(t, list[2].IsDisabled)
	require.JSONEq(t, httpFunction, string(list[0].Config))

	status, body, _ = call(t, http.MethodGet, h.URL()+"/admin/host/status", "", nil)
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, body, `"state":"Running"`)

	for function, input := range map[string]string{"onEvent": `{"id":"e-1"}`, "SWEEP": "", "run-step": `{"operation":"op-7"}`} {
		adminRun(t, h, function, input)
		got := <-bodies
		require.True(t, strings.HasPrefix(strings.ToLower(got), "/"+strings.ToLower(function)+" {"), got)
		if function == "run-step" {
			require.Contains(t, got, `\\\"op-7\\\"`)
		}
	}
	for target, want := range map[string]int{"gone": http.StatusNotFound, "api": http.StatusBadRequest, "onEvent": http.StatusBadRequest} {
		status, _, _ := call(t, http.MethodPost, h.URL()+"/admin/functions/"+target, `{"input":"{"}`, nil)
		require.Equal(t, want, status, target)
	}
	for target, want := range map[string]int{"/admin/functions/sweep": http.StatusOK, "/admin/functions/gone": http.StatusNotFound, "/admin/else": http.StatusNotFound} {
		status, _, _ := call(t, http.MethodGet, h.URL()+target, "", nil)
		require.Equal(t, want, status, target)
	}
	status, _, _ = call(t, http.MethodPost, h.URL()+"/admin/functions/sweep", "x", nil)
	require.Equal(t, http.StatusBadRequest, status)
}
