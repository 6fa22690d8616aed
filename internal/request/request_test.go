package request_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/request"
	"azbackupflow/internal/step"
)

func TestRead_ReadsEveryField(t *testing.T) {
	t.Parallel()
	r, err := request.Read([]byte(`{"flow":"backup-now","key":"nightly 1/ä","parameters":{"itemId":"x"},
		"deadline":"PT6H","labels":{"team":"a b","cost.center_1":"7"},"dryRun":true}`))
	require.NoError(t, err)
	require.Equal(t, request.Request{
		Flow: "backup-now", Key: "nightly 1/ä", Parameters: json.RawMessage(`{"itemId":"x"}`),
		Deadline: "PT6H", Labels: map[string]string{"team": "a b", "cost.center_1": "7"}, DryRun: true,
	}, r)
	timeout, err := r.Timeout()
	require.NoError(t, err)
	require.Equal(t, 6*time.Hour, timeout)
}

func TestRead_NeedsFlowAndParametersOnly(t *testing.T) {
	t.Parallel()
	r, err := request.Read([]byte(`{"flow":"backup-now","parameters":{}}`))
	require.NoError(t, err)
	timeout, err := r.Timeout()
	require.NoError(t, err)
	require.Zero(t, timeout, "the flow's own deadline holds")
}

func TestRead_NamesFieldProblemAndValidValues(t *testing.T) {
	t.Parallel()
	const known = "one of flow, key, parameters, deadline, labels, reason, dryRun"
	const aDeadline = "a duration from 1m to 30d, such as 6h, 7d or PT6H"
	const aName = "names of 1 to 64 letters, digits, '.', '_' or '-'"
	with := func(more string) string { return `{"flow":"f","parameters":{},` + more + `}` }
	labels := func(n int) string {
		var all []string
		for i := range n {
			all = append(all, fmt.Sprintf(`"l%d":"v"`, i))
		}
		return with(`"labels":{` + strings.Join(all, ",") + `}`)
	}
	type fieldError = step.FieldError
	cases := []struct {
		name, raw string
		want      []fieldError
	}{
		{"no JSON", `flow=backup`, []fieldError{{Field: "request", Problem: "is not JSON: unexpected \"l\" at byte 2 (line 1)", Want: "one JSON object"}}},
		{"nothing", ``, []fieldError{{Field: "request", Problem: "is empty", Want: "one JSON object"}}},
		{"a list", `[{}]`, []fieldError{{Field: "request", Problem: "is an array", Want: "a JSON object"}}},
		{"an unknown field", with(`"priority":1`), []fieldError{{Field: "priority", Problem: "is an unknown field", Want: known}}},
		{"a wrong type", with(`"key":7`), []fieldError{{Field: "key", Problem: "is a number", Want: "a JSON string"}}},
		{"a wrong type in labels", with(`"labels":{"team":1}`), []fieldError{{Field: "labels.team", Problem: "is a number", Want: "a JSON string"}}},
		{"null", `null`, []fieldError{
			{Field: "flow", Problem: "is missing", Want: "the name of a flow"},
			{Field: "parameters", Problem: "is missing", Want: "a JSON object with the flow's parameters"},
		}},
		{"parameters that are null", `{"flow":"f","parameters":null}`, []fieldError{{Field: "parameters", Problem: "is missing", Want: "a JSON object with the flow's parameters"}}},
		{"parameters that are too long", `{"flow":"f","parameters":"` + strings.Repeat("x", 32<<10) + `"}`, []fieldError{{Field: "parameters", Problem: "is 32770 bytes long", Want: "at most 32768 bytes"}}},
		{"a key that is too long", with(`"key":"` + strings.Repeat("ä", 201) + `"`), []fieldError{{Field: "key", Problem: "is too long or holds control characters", Want: "at most 200 printable characters"}}},
		{"a key with a line break", with(`"key":"a\nb"`), []fieldError{{Field: "key", Problem: "is too long or holds control characters", Want: "at most 200 printable characters"}}},
		{"too many labels", labels(11), []fieldError{{Field: "labels", Problem: "has 11 entries", Want: "at most 10"}}},
		{"a label's name", with(`"labels":{"my team":"a"}`), []fieldError{{Field: "labels", Problem: `has the name "my team"`, Want: aName}}},
		{"a label without a name", with(`"labels":{"":"a"}`), []fieldError{{Field: "labels", Problem: `has the name ""`, Want: aName}}},
		{"an empty label", with(`"labels":{"team":""}`), []fieldError{{Field: "labels.team", Problem: "is empty, too long or holds control characters", Want: "1 to 128 printable characters"}}},
		{"a label that is too long", with(`"labels":{"team":"` + strings.Repeat("ä", 129) + `"}`), []fieldError{{Field: "labels.team", Problem: "is empty, too long or holds control characters", Want: "1 to 128 printable characters"}}},
		{"all at once", `{"key":"\u0000","deadline":"soon","labels":{"b":"","a":""}}`, []fieldError{
			{Field: "flow", Problem: "is missing", Want: "the name of a flow"},
			{Field: "key", Problem: "is too long or holds control characters", Want: "at most 200 printable characters"},
			{Field: "parameters", Problem: "is missing", Want: "a JSON object with the flow's parameters"},
			{Field: "deadline", Problem: `"soon" is not a duration`, Want: aDeadline},
			{Field: "labels.a", Problem: "is empty, too long or holds control characters", Want: "1 to 128 printable characters"},
			{Field: "labels.b", Problem: "is empty, too long or holds control characters", Want: "1 to 128 printable characters"},
		}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := request.Read([]byte(c.raw))
			var invalid *step.Invalid
			require.ErrorAs(t, err, &invalid)
			require.Equal(t, c.want, invalid.Fields)
		})
	}
}

func TestRead_AcceptsValuesAtTheLimit(t *testing.T) {
	t.Parallel()
	long := request.Request{
		Flow: "f", Key: strings.Repeat("ä", request.MaxKey),
		Parameters: json.RawMessage(`"` + strings.Repeat("x", request.MaxParameters-2) + `"`),
		Labels:     map[string]string{strings.Repeat("n", 64): strings.Repeat("ä", request.MaxLabelValue)},
	}
	for i := 1; i < request.MaxLabels; i++ {
		long.Labels[fmt.Sprint(i)] = "v"
	}
	require.NoError(t, long.Check())
	long.Labels[strings.Repeat("n", 65)] = "v"
	require.Error(t, long.Check())
}

func TestTimeout_AcceptsOneMinuteToThirtyDays(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"PT1M": time.Minute, "PT60S": time.Minute, "PT90M": 90 * time.Minute, "PT1H30M": 90 * time.Minute,
		"P1D": 24 * time.Hour, "P1DT12H": 36 * time.Hour, "P2W": 14 * 24 * time.Hour, "P30D": 30 * 24 * time.Hour,
		"6h": 6 * time.Hour, "7d": 7 * 24 * time.Hour, "1d12h": 36 * time.Hour, "90m": 90 * time.Minute, "2w": 14 * 24 * time.Hour, "60s": time.Minute,
		"PT720H": 720 * time.Hour, "P1M": 30 * 24 * time.Hour, "1.5h": 90 * time.Minute, "PT90.5S": 90*time.Second + 500*time.Millisecond,
	} {
		got, err := request.Request{Deadline: text}.Timeout()
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	for text, problem := range map[string]string{
		"PT59S": "is out of range", "P31D": "is out of range", "P1Y": "is out of range", "P2M": "is out of range",
		"PT0S": "is out of range", "P": "is not a duration", "PT": "is not a duration", "P99999999Y": "is not a duration",
		"-PT6H": "is not a duration", "6": "is not a duration", "6x": "is not a duration", "1,5h": "is not a duration", "6H": "is not a duration",
		"59s": "is out of range", "31d": "is out of range", "5w": "is out of range", "99999999999999999999h": "is not a duration", "30d1s": "is out of range", "PT6": "is not a duration", "PT6H30": "is not a duration",
		"PP1D": "is not a duration", "PT1H1H": "is not a duration", "P1W1D": "is not a duration", "P1H": "is not a duration",
		"pt6h": "is not a duration", " PT6H": "is not a duration", "PT6H\n": "is not a duration", "PT٦H": "is not a duration",
		"PT1.2.3S": "is not a duration", "one hour": "is not a duration",
	} {
		_, err := request.Request{Deadline: text}.Timeout()
		require.EqualError(t, err, problem, text)
	}
}

func FuzzRead(f *testing.F) {
	for _, raw := range []string{
		``, `null`, `{}`, `[]`, `{"flow":"f","parameters":{}}`, `{"flow":"f","parameters":{},"deadline":"P1DT6H"}`,
		`{"flow":"f","parameters":[],"labels":{"a":"b"},"key":"k","dryRun":false}`, `{"flow":1}`, `{"x":{"y":1}}`, `{"flow":"f"} {}`,
		`{"deadline":"P99999999999999999999Y"}`, "{\"key\":\"\xff\xfe\"}",
	} {
		f.Add([]byte(raw))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		r, err := request.Read(raw)
		if err == nil {
			require.NotEmpty(t, r.Flow)
			require.True(t, json.Valid(r.Parameters))
			require.LessOrEqual(t, len(r.Labels), request.MaxLabels)
			timeout, err := r.Timeout()
			require.NoError(t, err)
			require.True(t, timeout == 0 || timeout >= time.Minute && timeout <= 30*24*time.Hour)
			return
		}
		var invalid *step.Invalid
		require.ErrorAs(t, err, &invalid)
		require.NotEmpty(t, invalid.Fields)
		for _, wrong := range invalid.Fields {
			require.NotEmpty(t, wrong.Problem)
			require.NotEmpty(t, wrong.Want)
		}
	})
}
