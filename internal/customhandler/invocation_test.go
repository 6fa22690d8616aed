package customhandler

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func envelope(t testing.TB, name string) Invocation {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("testdata", "envelopes", name+".json"))
	require.NoError(t, err)
	inv, err := decodeInvocation("run-step", http.Header{}, bytes.NewReader(body))
	require.NoError(t, err)
	return inv
}

func TestPayload_IsTheSameForEveryEncodingOfTheHost(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"servicebus", "servicebus-once", "servicebus-object"} {
		body, err := envelope(t, name).Payload("message")
		require.NoError(t, err, name)
		require.JSONEq(t, `{"operation":"op-7","seq":4,"trace":{"id":"t"},"hints":["x"]}`, string(body), name)
	}
}

func TestPayload_ReturnsTheBytesOfTextAndBinaryBodies(t *testing.T) {
	t.Parallel()
	text, err := envelope(t, "servicebus-text").Payload("message")
	require.NoError(t, err)
	require.Equal(t, "not json at all", string(text))
	binary, err := envelope(t, "servicebus-binary").Payload("message")
	require.NoError(t, err)
	require.Equal(t, []byte{0xff, 0x00, 0xfe, 'a'}, binary)
}

func TestPayload_MissingOrNullIsErrNoPayload(t *testing.T) {
	t.Parallel()
	inv := Invocation{Data: map[string]json.RawMessage{"nothing": json.RawMessage(" null ")}}
	for _, binding := range []string{"nothing", "absent"} {
		_, err := inv.Payload(binding)
		require.ErrorIs(t, err, ErrNoPayload, binding)
		require.ErrorContains(t, err, binding)
	}
}

func TestMetadata_IsDecodedFromOneAndTwoLayers(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"servicebus", "servicebus-once"} {
		inv := envelope(t, name)
		require.Equal(t, 2, inv.DeliveryCount(), name)
		require.Equal(t, "op-7:4", inv.MessageID(), name)
		require.Equal(t, time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC), inv.EnqueuedTime(), name)
	}
	inv := envelope(t, "servicebus")
	require.Equal(t, "answers", inv.ReplyTo())
	retries, ok := inv.ApplicationProperty("RETRIES")
	require.True(t, ok)
	require.Equal(t, "3", retries)
}

func TestMetadata_MissingValuesAreZero(t *testing.T) {
	t.Parallel()
	inv := envelope(t, "timer")
	require.Zero(t, inv.DeliveryCount())
	require.Empty(t, inv.MessageID())
	require.Empty(t, inv.ReplyTo())
	require.True(t, inv.EnqueuedTime().IsZero())
	_, ok := inv.String("sys")
	require.False(t, ok, "an object is not text")
	_, ok = inv.Time("sys")
	require.False(t, ok)
}

func TestMetadata_NamesIgnoreCase(t *testing.T) {
	t.Parallel()
	inv := Invocation{Metadata: map[string]json.RawMessage{"messageID": json.RawMessage(`"b"`), "messageid": json.RawMessage(`"c"`)}}
	require.Equal(t, "b", inv.MessageID())
	inv.Metadata["MessageId"] = json.RawMessage(`"a"`)
	require.Equal(t, "a", inv.MessageID())
}

func TestTrace_ComesFromTheRequestOrElseFromTheMessage(t *testing.T) {
	t.Parallel()
	require.Equal(t, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", envelope(t, "servicebus").Trace)
	inv, err := decodeInvocation("f", http.Header{"Traceparent": {"00-1-2-01"}, http.CanonicalHeaderKey(headerInvocationID): {"i"}}, strings.NewReader(`{}`))
	require.NoError(t, err)
	require.Equal(t, "i", inv.ID)
	require.Equal(t, "00-1-2-01", inv.Trace)
}

func TestDecodeInvocation_RejectsABodyThatIsNotAnEnvelope(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"", "null", "[]", `"x"`, "{", `{"Data":3}`, `{"Metadata":[]}`} {
		_, err := decodeInvocation("f", http.Header{}, strings.NewReader(body))
		require.ErrorIs(t, err, errNotAnEnvelope, body)
	}
}

func FuzzDecodeInvocation(f *testing.F) {
	files, err := filepath.Glob("testdata/envelopes/*.json")
	require.NoError(f, err)
	require.NotEmpty(f, files)
	for _, file := range files {
		body, err := os.ReadFile(filepath.Clean(file))
		require.NoError(f, err)
		f.Add(body)
	}
	f.Fuzz(func(_ *testing.T, body []byte) {
		inv, err := decodeInvocation("f", http.Header{}, bytes.NewReader(body))
		if err != nil {
			return
		}
		for name := range inv.Data {
			_, _ = inv.Payload(name)
		}
		for name := range inv.Metadata {
			_, _ = inv.String(name)
			_, _ = inv.Int(name)
			_, _ = inv.Time(name)
		}
	})
}

// FuzzPayloadRoundTrip checks that Payload reverses the encodings of the host.
func FuzzPayloadRoundTrip(f *testing.F) {
	for _, seed := range []string{`{"a":1}`, "plain", `"quoted"`, "", "12345678", "null", "\u2028<>&", `[1]`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		if !utf8.ValidString(body) {
			t.Skip("the host sends text as UTF-8")
		}
		quoted, err := json.Marshal(body)
		require.NoError(t, err)
		twice, err := json.Marshal(string(quoted))
		require.NoError(t, err)
		inv := Invocation{Data: map[string]json.RawMessage{"m": twice}}
		got, err := inv.Payload("m")
		require.NoError(t, err)
		require.Equal(t, body, string(got))

		binary := base64.StdEncoding.EncodeToString([]byte(body))
		if json.Valid([]byte(binary)) {
			return // digits only: read as the number that they are
		}
		inv.Data["m"] = json.RawMessage(strconv.Quote(binary))
		got, err = inv.Payload("m")
		require.NoError(t, err)
		require.Equal(t, body, string(got))
	})
}

func TestTime_IsInUTC(t *testing.T) {
	t.Parallel()
	inv := Invocation{Metadata: map[string]json.RawMessage{"At": json.RawMessage(`"2026-03-01T10:00:00+02:00"`)}}
	at, ok := inv.Time("At")
	require.True(t, ok)
	require.Equal(t, time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC), at)
}

func TestString_IsOneValue(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{`["a"]`: "", `{"a":1}`: "", `null`: "", `12`: "12", `true`: "true", `"a"`: "a", `"\"a\""`: "a"} {
		inv := Invocation{Metadata: map[string]json.RawMessage{"MessageId": json.RawMessage(raw)}}
		require.Equal(t, want, inv.MessageID(), raw)
	}
}

// Text that is JSON is not decoded as base64, although 1234 is valid base64.
func TestPayload_JSONIsNotBase64(t *testing.T) {
	t.Parallel()
	inv := Invocation{Data: map[string]json.RawMessage{"message": json.RawMessage(`"1234"`)}}
	body, err := inv.Payload("message")
	require.NoError(t, err)
	require.Equal(t, "1234", string(body))
}
