package functionshost

import (
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

// sharedFolder returns the folder of the project's facts and recordings. It is
// outside of the repository.
func sharedFolder() string {
	if shared := os.Getenv("AZBACKUPFLOW_SHARED"); shared != "" {
		return shared
	}
	return filepath.Join("..", "..", "..", "..", "shared")
}

// sharedPayload reads one of the project's sample envelopes, which lie outside
// of the repository, and skips the test where they are absent.
func sharedPayload(t *testing.T, name string) map[string]map[string]json.RawMessage {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(sharedFolder(), "facts", "host-payloads", name))
	if os.IsNotExist(err) {
		t.Skip("the shared sample payloads are absent")
	}
	require.NoError(t, err)
	var payload map[string]map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(raw, &payload))
	return payload
}

// requireSamePayload compares everything except the values that differ from call to
// call.
func requireSamePayload(t *testing.T, want map[string]map[string]json.RawMessage, i *invocation) {
	t.Helper()
	raw, err := i.envelope(time.Now(), rand.Reader)
	require.NoError(t, err)
	var got map[string]map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(raw, &got))
	for part, values := range want {
		require.Len(t, got[part], len(values), part)
		for name, value := range values {
			if name == "sys" || name == "Client" {
				continue
			}
			require.JSONEq(t, string(value), string(got[part][name]), part+"."+name)
		}
	}
}

func busFunction(name string) *Function {
	return &Function{Name: name, Trigger: Binding{Name: "message", Type: typeServiceBusTrigger}}
}

func pointer[T any](value T) *T { return &value }

func TestEnvelope_OfAMessageEqualsTheSample(t *testing.T) {
	t.Parallel()
	sample := sharedPayload(t, "serviceBusTrigger.json")
	var body string
	require.NoError(t, json.Unmarshal(sample["Data"]["message"], &body))
	require.NoError(t, json.Unmarshal([]byte(body), &body))
	enqueued := time.Date(2026, 11, 20, 10, 15, 0, 123e6, time.UTC)
	message := &azservicebus.ReceivedMessage{
		Body: []byte(body), MessageID: "op-01JD4T0Q8M:poll:3", DeliveryCount: 1, LockToken: uuid.MustParse("6d1fbb0e-3f0a-4a1f-8d43-0c9f7d2a5a11"),
		EnqueuedTime: &enqueued, ExpiresAt: pointer(enqueued.Add(14 * 24 * time.Hour)), ContentType: pointer("application/json"),
		SequenceNumber: pointer(int64(4711)), Subject: pointer("poll"), CorrelationID: pointer("op-01JD4T0Q8M"),
		ApplicationProperties: map[string]any{"Diagnostic-Id": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"},
	}
	i, err := newInvocation(busFunction("BackupStep"), rand.Reader)
	require.NoError(t, err)
	require.NoError(t, fillMessage(i, busClient{}, message))
	requireSamePayload(t, sample, i)
}

func TestEnvelope_OfAnEventEqualsTheSamples(t *testing.T) {
	t.Parallel()
	h := &Host{random: rand.Reader}
	for _, name := range []string{"eventGridTrigger.json", "eventGridCloudEvent.json"} {
		sample := sharedPayload(t, name)
		i, err := h.eventInvocation(&Function{Name: "f", Trigger: Binding{Name: "event"}}, sample["Data"]["event"])
		require.NoError(t, err)
		requireSamePayload(t, sample, i)
	}
}

func TestEnvelope_OfATimerEqualsTheSample(t *testing.T) {
	t.Parallel()
	sample := sharedPayload(t, "timerTrigger.json")
	last := time.Date(2026, 11, 19, 2, 0, 0, 3124400, time.UTC)
	i, err := newInvocation(&Function{Name: "f", Trigger: Binding{Name: "timer"}}, rand.Reader)
	require.NoError(t, err)
	require.NoError(t, fillTimer(i, &timerStatus{Last: last, Next: time.Date(2026, 11, 20, 2, 0, 0, 0, time.UTC), LastUpdated: last}, false))
	requireSamePayload(t, sample, i)
}

func TestEnvelope_BodyReplacesMetadataOfTheSameName(t *testing.T) {
	t.Parallel()
	i, err := newInvocation(busFunction("f"), rand.Reader)
	require.NoError(t, err)
	body := `{"messageId":"mine","flag":true,"count":2.50,"when":"2026-11-20T12:15:00+02:00","none":null,"list":[1],"nested":{"a": [1]},"contentType":null,"myTrigger":"x"}`
	message := &azservicebus.ReceivedMessage{Body: []byte(body), MessageID: "real", DeliveryCount: 3, ContentType: pointer("application/json")}
	require.NoError(t, fillMessage(i, busClient{namespace: "n"}, message))
	raw, err := i.envelope(time.Now(), rand.Reader)
	require.NoError(t, err)
	var got struct{ Metadata map[string]any }
	require.NoError(t, json.Unmarshal(raw, &got))
	want := map[string]any{
		"MessageId": `"mine"`, "flag": `"True"`, "count": `"2.5"`, "ContentType": `"application/json"`, "when": `"11/20/2026 10:15:00"`,
		"DeliveryCount": "3", "nested": map[string]any{"a": []any{1.0}},
	}
	for name, value := range want {
		require.Equal(t, value, got.Metadata[name], name)
	}
	for _, name := range []string{"messageId", "none", "list", "contentType", "myTrigger", "ReplyTo", "DeadLetterSource"} {
		require.NotContains(t, got.Metadata, name)
	}
}

func TestMergeBody_NeedsACompleteObject(t *testing.T) {
	t.Parallel()
	for _, body := range []string{`["messageId"]`, `"messageId"`, `{"messageId":"x",}`, `{"messageId":"x"`, "", "{", "{}"} {
		var metadata jsonObject
		metadata.set("MessageId", encodeText("real"))
		mergeBody(&metadata, body)
		raw, err := metadata.MarshalJSON()
		require.NoError(t, err)
		require.JSONEq(t, `{"MessageId":"\"real\""}`, string(raw), body)
	}
}

func TestFillMessage_BinaryIsBase64AndReplacesNothing(t *testing.T) {
	t.Parallel()
	function := busFunction("f")
	function.Trigger.DataType = "Binary"
	i, err := newInvocation(function, rand.Reader)
	require.NoError(t, err)
	require.NoError(t, fillMessage(i, busClient{}, &azservicebus.ReceivedMessage{Body: []byte(`{"messageId":"x"}`), MessageID: "real"}))
	require.JSONEq(t, `"eyJtZXNzYWdlSWQiOiJ4In0="`, string(i.data.values["message"]))
	require.JSONEq(t, `"\"real\""`, string(i.metadata.values["messageid"]))
}

func TestEncodeText_KeepsHTMLCharacters(t *testing.T) {
	t.Parallel()
	require.Equal(t, `"\"<a&b>\""`, string(encodeText("<a&b>")))
}

func FuzzMergeBody(f *testing.F) {
	for _, seed := range []string{`{"a":1}`, `{"a":{"b":[1]},"c":null}`, `{"a":"2026-11-20T10:15:00Z"}`, `{"a":1}{`, "{", ` {"A":1,"a":2} `} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		var metadata jsonObject
		mergeBody(&metadata, body)
		raw, err := metadata.MarshalJSON()
		require.NoError(t, err)
		require.True(t, json.Valid(raw), string(raw))
	})
}

func TestReadResponse_IsAsStrictAsTheHost(t *testing.T) {
	t.Parallel()
	read := func(status int, kind, body string) (response, error) {
		r := &http.Response{StatusCode: status, Status: http.StatusText(status), Header: http.Header{"Content-Type": {kind}}, Body: io.NopCloser(strings.NewReader(body))}
		defer func() { _ = r.Body.Close() }()
		return readResponse(r)
	}
	a, err := read(200, "application/json; charset=utf-8", `{"outputs":{"res":{"a":1}},"Logs":["x"],"ReturnValue":7}`)
	require.NoError(t, err)
	require.JSONEq(t, `{"a":1}`, string(a.Outputs["res"]))
	require.Equal(t, []string{"x"}, a.Logs)
	require.Equal(t, "7", string(a.ReturnValue))

	for _, body := range []string{"", " null "} {
		_, err = read(200, "application/json", body)
		require.ErrorIs(t, err, errNoResponse)
	}
	_, err = read(204, "", "")
	require.ErrorIs(t, err, errNoResponse)
	for name, bad := range map[string]struct {
		status     int
		kind, body string
	}{
		"a sniffed type":   {200, "text/plain; charset=utf-8", "{}"},
		"no type":          {200, "", "{}"},
		"no JSON":          {200, "application/json", "ok"},
		"a wrong shape":    {200, "application/json", `{"Logs":"x"}`},
		"a list":           {200, "application/json", "[]"},
		"a bare string":    {200, "application/json", `"x"`},
		"a failure":        {500, "application/json", `{"Outputs":{}}`},
		"a redirect":       {302, "application/json", "{}"},
		"an informational": {199, "application/json", "{}"},
	} {
		_, err = read(bad.status, bad.kind, bad.body)
		require.Error(t, err, name)
		require.NotErrorIs(t, err, errNoResponse, name)
	}
}
