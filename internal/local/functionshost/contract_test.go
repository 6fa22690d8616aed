package functionshost

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"azbackupflow/internal/customhandler"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// sentRequest is a request of the Functions host to the handler: one that the real
// host sent, or one of the stand-in.
type sentRequest struct {
	Method  string      `json:"method"`
	URL     string      `json:"url"`
	Headers [][2]string `json:"headers"`
	Body    string      `json:"body"`
}

// envelope returns the parts of the body.
func (r sentRequest) envelope(t *testing.T) (parts struct{ Data, Metadata map[string]json.RawMessage }) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(r.Body), &parts))
	return parts
}

// request returns the request for an http.Handler.
func (r sentRequest) request(t *testing.T) *http.Request {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), r.Method, r.URL, strings.NewReader(r.Body))
	for _, header := range r.Headers {
		request.Header.Set(header[0], header[1])
	}
	return request
}

// recordedRequests returns the requests that the real host sent. They are outside
// of the repository; the test is skipped where they are absent.
func recordedRequests(t *testing.T) []sentRequest {
	t.Helper()
	file, err := os.Open(filepath.Join(sharedFolder(), "recordings", "functions-host.jsonl"))
	if os.IsNotExist(err) {
		t.Skip("the recorded requests of the Functions host are absent")
	}
	require.NoError(t, err)
	defer func() { require.NoError(t, file.Close()) }()
	var all []sentRequest
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var r sentRequest
		require.NoError(t, json.Unmarshal(lines.Bytes(), &r))
		all = append(all, r)
	}
	require.NoError(t, lines.Err())
	require.Len(t, all, 19)
	return all
}

// decoded is everything that a function reads from a message.
type decoded struct {
	payload, messageID string
	deliveryCount      int
	replyTo            string
	reason             string
}

func TestCustomHandler_DecodesEachRecordedRequest(t *testing.T) {
	t.Parallel()
	got := map[string]decoded{}
	var paths []string
	take := func(binding string) customhandler.Handler {
		return func(_ context.Context, inv customhandler.Invocation) (customhandler.Result, error) {
			payload, err := inv.Payload(binding)
			assert.NoError(t, err)
			assert.NotEmpty(t, inv.ID)
			reason, _ := inv.ApplicationProperty("DeadLetterReason")
			key := inv.MessageID()
			if key == "" {
				key = inv.Function
			}
			got[key] = decoded{string(payload), inv.MessageID(), inv.DeliveryCount(), inv.ReplyTo(), reason}
			if binding == "message" {
				assert.Equal(t, time.Date(2026, 11, 29, 12, 16, 55, 0, time.UTC), inv.EnqueuedTime())
			}
			return customhandler.Result{}, nil
		}
	}
	functions := map[string]customhandler.Handler{}
	for name, binding := range map[string]string{
		"start-operation": "message", "dead-letter-requests": "message", "protect-new-resource": "event",
		"sweep": "timer", "schedule-backups": "timer", "sweep-resources": "timer",
	} {
		functions[name] = take(binding)
	}
	server, err := customhandler.New(customhandler.Config{
		Functions: functions, Log: slog.New(slog.DiscardHandler), Now: time.Now,
		HTTP: map[string]http.Handler{"api": http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { paths = append(paths, r.URL.Path) })},
	})
	require.NoError(t, err)
	for _, recorded := range recordedRequests(t) {
		w := httptest.NewRecorder()
		server.ServeHTTP(w, recorded.request(t))
		require.Equal(t, http.StatusOK, w.Code, recorded.URL)
	}
	messages := map[string]decoded{
		"all-properties-2":    {payload: `{"flow":"backup-now"}`, deliveryCount: 1, replyTo: "answers"},
		"text-4":              {payload: "not json", deliveryCount: 1},
		"dead-lettered-10":    {payload: "FAILME", deliveryCount: 11, reason: "MaxDeliveryCountExceeded"},
		"plain-1":             {payload: `{"flow":"backup-now","key":"k1","parameters":{"itemId":"/x"},"labels":{"a":"b"},"deadline":"PT1H"}`, deliveryCount: 1},
		"invalid-utf8-7":      {payload: "\uFFFD\uFFFD\uFFFD", deliveryCount: 1},
		"empty-5":             {deliveryCount: 1},
		"array-6":             {payload: "[1,2]", deliveryCount: 1},
		"byte-order-mark-8":   {payload: "\uFEFF" + `{"a":1}`, deliveryCount: 1},
		"amqp-value-string-9": {payload: `{"a":1}`, deliveryCount: 1},
		"from the body": {
			payload:       `{"MessageId":"from the body","deliverycount":99,"LockToken":"t","sys":{"MethodName":"x"},"ApplicationProperties":{"a":1},"when":"2026-01-02T03:04:05Z","list":[1,2],"nothing":null,"number":1.0}`,
			deliveryCount: 99,
		},
	}
	for id, want := range messages {
		want.messageID = id
		require.Equal(t, want, got[id], id)
	}
	require.Contains(t, got["protect-new-resource"].payload, `"specversion":"1.0"`)
	require.JSONEq(t, `{"Schedule":{"AdjustForDST":true},"ScheduleStatus":null,"IsPastDue":false}`, got["sweep"].payload)
	require.Contains(t, got, "schedule-backups")
	require.Contains(t, got, "sweep-resources")
	require.Equal(t, []string{"/api/operations", "/api/a%2Fb/c d"}, paths)
}

// standIn is a host whose requests a test reads.
type standIn struct {
	*Host
	sent chan sentRequest
}

func newStandIn(t *testing.T) *standIn {
	t.Helper()
	s := &standIn{sent: make(chan sentRequest, 1)}
	s.Host = newIdleHost(t, map[string]string{"api": `{"bindings":[{"type":"httpTrigger","direction":"in","name":"req","route":"{*path}"},{"type":"http","direction":"out","name":"res"}]}`}, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		request := sentRequest{Method: r.Method, URL: r.RequestURI, Body: string(body)}
		for name, values := range r.Header {
			request.Headers = append(request.Headers, [2]string{name, strings.Join(values, ",")})
		}
		request.Headers = append(request.Headers, [2]string{"Host", r.Host})
		s.sent <- request
		succeed(w, r)
	}, nil)
	return s
}

// send makes the stand-in send the recorded request.
func (s *standIn) send(t *testing.T, recorded sentRequest) sentRequest {
	t.Helper()
	switch {
	case recorded.URL == "/":
		w, err := s.gate.wait(t.Context())
		require.NoError(t, err)
		require.True(t, w.responds(t.Context()))
	case strings.HasPrefix(recorded.URL, "/api"):
		original := recorded
		original.URL = strings.ReplaceAll(recorded.URL, "%252F", "%2F")
		original.Headers = slices.DeleteFunc(slices.Clone(recorded.Headers), func(h [2]string) bool {
			return h[0] == "Host" || h[0] == "x-ms-invocation-id" || strings.HasPrefix(h[0], "X-Azure-") || strings.HasPrefix(h[0], "X-Forwarded-") || strings.HasPrefix(h[1], "00-a0682ebb")
		})
		request := original.request(t)
		request.RequestURI = original.URL
		request.Host, request.RemoteAddr = "localhost:7071", "127.0.0.1:40000"
		s.handler().ServeHTTP(httptest.NewRecorder(), request)
	default:
		_, err := s.invoke(t.Context(), s.invocation(t, recorded))
		require.NoError(t, err)
	}
	return <-s.sent
}

// invocation returns the invocation for the recorded message, event or timer.
func (s *standIn) invocation(t *testing.T, recorded sentRequest) *invocation {
	t.Helper()
	parts := recorded.envelope(t)
	function := &Function{Name: strings.TrimPrefix(recorded.URL, "/")}
	if event, ok := parts.Data["event"]; ok {
		function.Trigger = Binding{Name: "event", Type: typeEventGridTrigger}
		i, err := s.eventInvocation(function, event)
		require.NoError(t, err)
		return i
	}
	i, err := newInvocation(function, rand.Reader)
	require.NoError(t, err)
	if timer, ok := parts.Data["timer"]; ok {
		function.Trigger = Binding{Name: "timer", Type: typeTimerTrigger}
		var value struct{ ScheduleStatus *timerStatus }
		require.NoError(t, json.Unmarshal(timer, &value))
		require.NoError(t, fillTimer(i, value.ScheduleStatus, false))
		return i
	}
	function.Trigger = Binding{Name: "message", Type: typeServiceBusTrigger}
	require.NoError(t, fillMessage(i, busClient{namespace: "127.0.0.1", identifier: "127.0.0.1-" + uuid.NewString()}, recordedMessage(t, recorded)))
	return i
}

// recordedMessage returns the message that the real host received.
func recordedMessage(t *testing.T, recorded sentRequest) *azservicebus.ReceivedMessage {
	t.Helper()
	server := map[string]customhandler.Invocation{}
	handler := func(_ context.Context, inv customhandler.Invocation) (customhandler.Result, error) {
		server["it"] = inv
		return customhandler.Result{}, nil
	}
	s, err := customhandler.New(customhandler.Config{
		Functions: map[string]customhandler.Handler{strings.TrimPrefix(recorded.URL, "/"): handler}, Log: slog.New(slog.DiscardHandler), Now: time.Now,
	})
	require.NoError(t, err)
	s.ServeHTTP(httptest.NewRecorder(), recorded.request(t))
	inv := server["it"]
	body, err := inv.Payload("message")
	require.NoError(t, err)
	sequence, _ := inv.Int("SequenceNumber")
	m := &azservicebus.ReceivedMessage{
		Body: body, MessageID: inv.MessageID(), DeliveryCount: uint32(inv.DeliveryCount()),
		EnqueuedTime: pointer(inv.EnqueuedTime()), SequenceNumber: &sequence,
	}
	if token, err := uuid.Parse(text(inv, "LockToken")); err == nil {
		m.LockToken = token
	}
	for name, field := range map[string]**string{"ContentType": &m.ContentType, "ReplyTo": &m.ReplyTo, "Subject": &m.Subject, "CorrelationId": &m.CorrelationID} {
		if value, ok := inv.String(name); ok {
			*field = &value
		}
	}
	require.NoError(t, json.Unmarshal(inv.Metadata["UserProperties"], &m.ApplicationProperties))
	switch m.MessageID {
	case "invalid-utf8-7":
		m.Body = []byte{0xff, 0xfe, 0xfd}
	case "amqp-value-string-9":
		m.RawAMQPMessage = &azservicebus.AMQPAnnotatedMessage{Body: azservicebus.AMQPAnnotatedMessageBody{Value: string(body)}}
		m.Body = nil
	case "from the body": // the members of the body replaced these
		m.MessageID, m.DeliveryCount = "overwritten-3", 1
	}
	return m
}

func text(inv customhandler.Invocation, name string) string {
	value, _ := inv.String(name)
	return value
}

// volatile matches the parts of a request that differ from call to call.
var volatile = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|2026-[0-9-]+T[0-9:]+\.[0-9]{1,7}Z|00-[0-9a-f]{32}-[0-9a-f]{16}-00|4\.1045\.200\.25556|` + regexp.QuoteMeta(hostVersion))

func stable(text string) string { return volatile.ReplaceAllString(text, "…") }

func TestStandIn_SendsRequestsLikeTheRecordedOnes(t *testing.T) {
	t.Parallel()
	s := newStandIn(t)
	for _, recorded := range recordedRequests(t) {
		sent := s.send(t, recorded)
		require.Equal(t, recorded.Method, sent.Method)
		require.Equal(t, recorded.URL, sent.URL)
		requireSameHeaders(t, recorded, sent)
		if !strings.Contains(recorded.Body, `"Metadata"`) {
			require.Equal(t, recorded.Body, sent.Body)
			continue
		}
		want, got := recorded.envelope(t), sent.envelope(t)
		requireSameMembers(t, recorded.URL+" Data", want.Data, got.Data)
		requireSameMembers(t, recorded.URL+" Metadata", want.Metadata, got.Metadata)
		requireSameOrder(t, recorded, sent)
	}
}

func requireSameMembers(t *testing.T, where string, want, got map[string]json.RawMessage) {
	t.Helper()
	require.Len(t, got, len(want), where)
	for name, value := range want {
		require.JSONEq(t, stable(string(value)), stable(string(got[name])), where+"."+name)
	}
}

func requireSameOrder(t *testing.T, recorded, sent sentRequest) {
	t.Helper()
	var want, got struct{ Data, Metadata json.RawMessage }
	require.NoError(t, json.Unmarshal([]byte(recorded.Body), &want))
	require.NoError(t, json.Unmarshal([]byte(sent.Body), &got))
	require.Equal(t, memberNames(t, want.Metadata), memberNames(t, got.Metadata), recorded.URL)
}

func requireSameHeaders(t *testing.T, recorded, sent sentRequest) {
	t.Helper()
	headers := func(r sentRequest) map[string]string {
		all := map[string]string{}
		for _, h := range r.Headers {
			name := http.CanonicalHeaderKey(h[0])
			if name == "Content-Length" || name == "Host" {
				continue // they depend on the lengths of numbers and on the port
			}
			all[name] = stable(h[1])
		}
		return all
	}
	require.Equal(t, headers(recorded), headers(sent), recorded.URL)
}

// memberNames returns the names of an object's members, in order.
func memberNames(t *testing.T, object json.RawMessage) (names []string) {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(object))
	_, err := decoder.Token()
	require.NoError(t, err)
	for decoder.More() {
		name, err := decoder.Token()
		require.NoError(t, err)
		text, ok := name.(string)
		require.True(t, ok)
		names = append(names, text)
		var value json.RawMessage
		require.NoError(t, decoder.Decode(&value))
	}
	return names
}
