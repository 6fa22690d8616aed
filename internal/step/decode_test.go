package step_test

import (
	"encoding/json"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/step"
)

// target has a field of each kind that flows' parameters have.
type target struct {
	Name   string            `json:"name"`
	Count  int               `json:"count,omitempty"`
	Flag   *bool             `json:"flag,omitempty"`
	At     *time.Time        `json:"at,omitempty"`
	Share  *share            `json:"share,omitempty"`
	Shares []share           `json:"shares,omitempty"`
	Tags   map[string]string `json:"tags,omitempty"`
	Rate   float64           `json:"rate,omitempty"`
	Raw    json.RawMessage   `json:"raw,omitempty"`
	Hidden string            `json:"-"`
}

type share struct {
	Account string     `json:"account"`
	Expiry  *time.Time `json:"expiry,omitempty"`
}

func TestDecode_ReadsValidJSON(t *testing.T) {
	t.Parallel()
	var got target
	require.NoError(t, step.Decode([]byte(` {"name":"n","count":2,"flag":false,"at":"2026-01-31T18:00:00+02:00",
		"share":{"account":"a"},"shares":[{"account":"b"}],"tags":{"k":"v"},"raw":[1]} `), &got, "parameters"))
	no := false
	at := time.Date(2026, 1, 31, 16, 0, 0, 0, time.UTC)
	require.True(t, at.Equal(*got.At))
	got.At = nil
	require.Equal(t, target{
		Name: "n", Count: 2, Flag: &no, Share: &share{Account: "a"}, Shares: []share{{Account: "b"}},
		Tags: map[string]string{"k": "v"}, Raw: json.RawMessage("[1]"),
	}, got)
}

func TestDecode_AcceptsAByteOrderMark(t *testing.T) {
	t.Parallel()
	var got target
	require.NoError(t, step.Decode([]byte("\xef\xbb\xbf"+`{"name":"n"}`), &got, ""))
	require.Equal(t, "n", got.Name)
}

func TestDecode_NamesFieldProblemAndValidValues(t *testing.T) {
	t.Parallel()
	const known = "one of name, count, flag, at, share, shares, tags, rate, raw"
	const aTime = "a time such as 2030-01-31T18:00:00Z"
	cases := []struct {
		name, raw            string
		field, problem, want string
	}{
		{"nothing", ``, "parameters", "is empty", "one JSON object"},
		{"white space", " \n ", "parameters", "is empty", "one JSON object"},
		{"text", `hello`, "parameters", "is not JSON: unexpected \"h\" at byte 1 (line 1)", "one JSON object"},
		{"broken on line 3", "{\n\"name\":\n,}", "parameters", "is not JSON: unexpected \",\" at byte 11 (line 3)", "one JSON object"},
		{"broken off", `{"name":"n"`, "parameters", "is not JSON: it ends too early", "one JSON object"},
		{"another case", `{"Name":"n"}`, "parameters.Name", "is spelled in another case", "name"},
		{"a repeated field", `{"name":"n","count":1,"name":"m"}`, "parameters.name", "occurs more than once", "each field once"},
		{"a repeated field further in", `{"shares":[{},{"account":"a","account":"a"}]}`, "parameters.shares[1].account", "occurs more than once", "each field once"},
		{"a repeated field of any JSON", `{"raw":{"a":[{"b":1,"b":2}]}}`, "parameters.raw.a[0].b", "occurs more than once", "each field once"},
		{"a list", `[]`, "parameters", "is an array", "a JSON object"},
		{"a string", `"x"`, "parameters", "is a string", "a JSON object"},
		{"a number", `7`, "parameters", "is a number", "a JSON object"},
		{"two objects", `{} {}`, "parameters", "holds more than one JSON value", "one JSON object"},
		{"an object and more", `{} x`, "parameters", "holds more than one JSON value", "one JSON object"},

		{"an unknown field", `{"label":"n"}`, "parameters.label", "is an unknown field", known},
		{"a field of Go only", `{"Hidden":"n"}`, "parameters.Hidden", "is an unknown field", known},
		{"an unknown field further in", `{"share":{"acount":"a"}}`, "parameters.share.acount", "is an unknown field", "one of account, expiry"},
		{"an empty field name", `{"":1}`, "parameters.", "is an unknown field", known},

		{"a wrong type", `{"name":5}`, "parameters.name", "is a number", "a JSON string"},
		{"a string for a number", `{"count":"5"}`, "parameters.count", "is a string", "a whole number"},
		{"a fraction", `{"count":1.5}`, "parameters.count", "is a number 1.5", "a whole number"},
		{"a string for a flag", `{"flag":"yes"}`, "parameters.flag", "is a string", "a JSON true or false"},
		{"an object for a list", `{"shares":{}}`, "parameters.shares", "is an object", "a JSON array"},
		{"a list for a map", `{"tags":[]}`, "parameters.tags", "is an array", "a JSON object"},
		{"a wrong type in a map", `{"tags":{"a":"b","c":1}}`, "parameters.tags.c", "is a number", "a JSON string"},
		{"a wrong type in a list", `{"shares":[{"account":"a"},{"account":1}]}`, "parameters.shares[1].account", "is a number", "a JSON string"},
		{"a fraction too far", `{"rate":1e400}`, "parameters.rate", "is a number 1e400", "a JSON number"},
		{"a wrong type further in", `{"share":{"account":true}}`, "parameters.share.account", "is a boolean", "a JSON string"},

		{"no time", `{"at":"tomorrow"}`, "parameters.at", `"tomorrow" is not a time`, aTime},
		{"a time without a zone", `{"at":"2026-01-31T18:00:00"}`, "parameters.at", `"2026-01-31T18:00:00" is not a time`, aTime},
		{"a number for a time", `{"at":5}`, "parameters.at", "5 is not a time", aTime},
		{"an object for a time", `{"at":{"a":1}}`, "parameters.at", `{"a":1} is not a time`, aTime},
		{"no time further in", `{"share":{"expiry":"x"}}`, "parameters.share.expiry", `"x" is not a time`, aTime},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var got target
			err := step.Decode([]byte(c.raw), &got, "parameters")
			var invalid *step.Invalid
			require.ErrorAs(t, err, &invalid)
			require.Equal(t, []step.FieldError{{Field: c.field, Problem: c.problem, Want: c.want}}, invalid.Fields)
		})
	}
}

func TestDecode_NamesEveryWrongFieldAndDecodesTheOthers(t *testing.T) {
	t.Parallel()
	var got target
	err := step.Decode([]byte(`{"name":5,"count":3,"colour":"red","share":{"account":1,"x":2},"shares":[{"account":"a"},7],"rate":"fast","Flag":true,"count":3}`), &got, "")
	var fields []string
	for _, f := range step.FieldsOf(err) {
		require.NotEmpty(t, f.Want)
		fields = append(fields, f.Field)
	}
	require.ElementsMatch(t, []string{"count", "Flag", "colour", "name", "rate", "share.account", "share.x", "shares[1]"}, fields)
	require.Equal(t, 3, got.Count)
}

func TestJoinInvalid_NamesEachFieldOnce(t *testing.T) {
	t.Parallel()
	invalid := func(fields ...string) error {
		e := &step.Invalid{}
		for _, f := range fields {
			e.Fields = append(e.Fields, step.FieldError{Field: f, Problem: "is wrong"})
		}
		return e
	}
	require.NoError(t, step.JoinInvalid(nil, nil))
	require.EqualError(t, step.JoinInvalid(invalid("a"), nil, invalid("a", "b")), "invalid request: a: is wrong; b: is wrong")
	require.EqualError(t, step.JoinInvalid(invalid("request"), invalid("flow")), "invalid request: request: is wrong", "nothing is known of the fields")
	require.ErrorIs(t, step.JoinInvalid(invalid("a"), io.EOF), io.EOF)
}

// extended embeds structs, as the parameters of flows do.
type extended struct {
	Base
	Parts []part `json:"parts"`
}

type Base struct{ Retries }

type Retries struct {
	RetryFailedJob int `json:"retryFailedJob"`
}

type part struct{ Base }

// The fields of an embedded struct are the object's own, so no error names it.
func TestDecode_NamesNoEmbeddedStruct(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		`{"retryFailedJob":"x"}`:             "p.retryFailedJob: is a string; want a whole number",
		`{"parts":[{"retryFailedJob":"x"}]}`: "p.parts[0].retryFailedJob: is a string; want a whole number",
		`{"parts":7}`:                        "p.parts: is a number; want a JSON array",
	} {
		require.EqualError(t, step.Decode([]byte(raw), &extended{}, "p"), "invalid request: "+want)
	}
}

func TestDecode_NamesTheRequestWithoutAPath(t *testing.T) {
	t.Parallel()
	var got target
	require.EqualError(t, step.Decode(nil, &got, ""), "invalid request: request: is empty; want one JSON object")
	require.EqualError(t, step.Decode([]byte(`{"name":5}`), &got, ""), "invalid request: name: is a number; want a JSON string")
	require.EqualError(t, step.Decode([]byte(`{"x":5} y`), &got, ""), "invalid request: request: holds more than one JSON value; want one JSON object")
}

func TestInvalid_ListsEveryField(t *testing.T) {
	t.Parallel()
	err := &step.Invalid{Fields: []step.FieldError{{Field: "a", Problem: "is missing", Want: "a name"}, {Field: "b.c", Problem: "is odd"}}}
	require.EqualError(t, err, "invalid request: a: is missing; want a name; b.c: is odd")
}

func FuzzDecode(f *testing.F) {
	for _, raw := range []string{
		``, `{}`, `null`, `[]`, `{"name":"n","share":{"account":"a"}}`, `{"at":"x"}`, `{"shares":[{"x":1}]}`, `{"count":1e400}`,
		`{"tags":{"a":null}}`, "{\"name\":\"\xff\"}", `{"name":"n"} {`, `{"share":{"share":{}}}`, `{"NAME":1}`,
	} {
		f.Add([]byte(raw))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var got target
		if err := step.Decode(raw, &got, "parameters"); err != nil {
			requireInvalid(t, err)
		}
	})
}

// requireInvalid checks that an error has everything that its reader needs.
func requireInvalid(t *testing.T, err error) {
	t.Helper()
	var invalid *step.Invalid
	require.ErrorAs(t, err, &invalid)
	require.NotEmpty(t, invalid.Fields)
	for _, f := range invalid.Fields {
		require.Regexp(t, `^parameters`, f.Field)
		require.NotEmpty(t, f.Problem)
		require.NotEmpty(t, f.Want)
	}
}
