package request_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/request"
	"azbackupflow/internal/step"
)

const template = `{"flow":"backup-now","parameters":{"fileShare":{"vaultId":"v","name":"?"},"tags":{"a":"1"}},"deadline":"PT2H","labels":{"team":"files"}}`

func bulk(t *testing.T, targets ...string) request.Bulk {
	t.Helper()
	b, err := request.ReadBulk([]byte(`{"key":"nightly","template":` + template + `,"targets":[` + strings.Join(targets, ",") + `]}`))
	require.NoError(t, err)
	return b
}

func TestBulk_TargetsChangeTheTemplatesParameters(t *testing.T) {
	t.Parallel()
	b := bulk(t, `{"fileShare":{"name":"one"}}`, `{"tags":null,"fileShare":{"name":"two"}}`, `{"fileShare":"x","eTag":"12345678901234567890"}`)
	var got []string
	for i := range b.Targets {
		r, err := b.Request(i)
		require.NoError(t, err)
		require.Equal(t, "backup-now", r.Flow)
		require.Equal(t, "PT2H", r.Deadline)
		require.Equal(t, map[string]string{"team": "files"}, r.Labels)
		require.Regexp(t, `^nightly/[0-9a-f]{16}$`, r.Key)
		require.NoError(t, r.Check())
		got = append(got, string(r.Parameters))
	}
	require.Equal(t, []string{
		`{"fileShare":{"name":"one","vaultId":"v"},"tags":{"a":"1"}}`,
		`{"fileShare":{"name":"two","vaultId":"v"}}`,
		`{"eTag":"12345678901234567890","fileShare":"x","tags":{"a":"1"}}`,
	}, got)
}

// The example of RFC 7396, appendix A, as far as both are objects.
func TestBulk_TargetsAreMergePatches(t *testing.T) {
	t.Parallel()
	for _, c := range [][3]string{
		{`{"a":"b"}`, `{"a":"c"}`, `{"a":"c"}`},
		{`{"a":"b"}`, `{"b":"c"}`, `{"a":"b","b":"c"}`},
		{`{"a":"b"}`, `{"a":null}`, `{}`},
		{`{"a":"b","b":"c"}`, `{"a":null}`, `{"b":"c"}`},
		{`{"a":["b"]}`, `{"a":"c"}`, `{"a":"c"}`},
		{`{"a":"c"}`, `{"a":["b"]}`, `{"a":["b"]}`},
		{`{"a":{"b":"c"}}`, `{"a":{"b":"d","c":null}}`, `{"a":{"b":"d"}}`},
		{`{"a":[{"b":"c"}]}`, `{"a":[1]}`, `{"a":[1]}`},
		{`{"e":null}`, `{"a":1}`, `{"a":1,"e":null}`},
		{`{}`, `{"a":{"bb":{"ccc":null}}}`, `{"a":{"bb":{}}}`},
		{`{"a":12345678901234567890}`, `{}`, `{"a":12345678901234567890}`},
	} {
		b := request.Bulk{Key: "k", Template: request.Template{Flow: "f", Parameters: json.RawMessage(c[0])}, Targets: []json.RawMessage{json.RawMessage(c[1])}}
		r, err := b.Request(0)
		require.NoError(t, err)
		require.Equal(t, c[2], string(r.Parameters), "%s changed by %s", c[0], c[1])
	}
}

func TestBulk_KeyIgnoresPositionAndFormatOfATarget(t *testing.T) {
	t.Parallel()
	b := bulk(t, `{"a":1,"b":{"c":2,"d":3}}`, `{ "b" : {"d":3, "c":2}, "a":1 }`, `{"a":1,"b":{"c":2,"d":4}}`)
	var keys []string
	for i := range b.Targets {
		r, err := b.Request(i)
		require.NoError(t, err)
		keys = append(keys, r.Key)
	}
	require.Equal(t, keys[0], keys[1])
	require.NotEqual(t, keys[0], keys[2])
}

func TestBulk_RejectsTargetThatIsNotAnObject(t *testing.T) {
	t.Parallel()
	b := bulk(t, `{}`, `"share"`, `null`, `[]`, `7`)
	_, err := b.Request(0)
	require.NoError(t, err)
	for i := 1; i < len(b.Targets); i++ {
		_, err := b.Request(i)
		fields := step.FieldsOf(err)
		require.Len(t, fields, 1)
		require.Equal(t, fmt.Sprintf("targets[%d]", i), fields[0].Field)
	}
}

func TestReadBulk_NamesInvalidField(t *testing.T) {
	t.Parallel()
	for body, field := range map[string]string{
		`{"template":` + template + `}`:                                                                 "targets",
		`{"template":` + template + `,"targets":[]}`:                                                    "targets",
		`{"template":` + template + `,"targets":{}}`:                                                    "targets",
		`{"template":` + template + `,"targets":[` + strings.Repeat("{},", request.MaxTargets) + `{}]}`: "targets",
		`{"targets":[{}]}`:                                                                                       "template.flow",
		`{"template":{"flow":"f"},"targets":[{}]}`:                                                               "template.parameters",
		`{"template":{"flow":"f","parameters":[]},"targets":[{}]}`:                                               "template.parameters",
		`{"template":{"flow":"f","parameters":{},"deadline":"soon"},"targets":[{}]}`:                             "template.deadline",
		`{"template":{"flow":"f","parameters":{},"labels":{"":"x"}},"targets":[{}]}`:                             "template.labels",
		`{"template":{"flow":"f","parameters":{},"key":"x"},"targets":[{}]}`:                                     "template.key",
		`{"key":"` + strings.Repeat("k", request.MaxBulkKey+1) + `","template":` + template + `,"targets":[{}]}`: "key",
		`{"key":"a\nb","template":` + template + `,"targets":[{}]}`:                                              "key",
		`{"dryRun":true,"template":` + template + `,"targets":[{}]}`:                                             "dryRun",
		strings.Repeat(" ", request.MaxBulk) + `{}`:                                                              "request",
	} {
		_, err := request.ReadBulk([]byte(body))
		fields := step.FieldsOf(err)
		require.NotEmptyf(t, fields, "%.80s", body)
		require.Equalf(t, field, fields[0].Field, "%.80s", body)
		require.NotEmpty(t, fields[0].Want)
	}
}

func TestIsBulk_DistinguishesBulksFromRequests(t *testing.T) {
	t.Parallel()
	require.True(t, request.IsBulk([]byte(`{"template":{}}`)))
	require.True(t, request.IsBulk([]byte(`{"targets":[]}`)))
	require.False(t, request.IsBulk([]byte(`{"flow":"backup-now","parameters":{}}`)))
	require.False(t, request.IsBulk([]byte(`[]`)))
	require.False(t, request.IsBulk([]byte(`<`)))
}

func TestBulk_LongestKeyYieldsValidKeys(t *testing.T) {
	t.Parallel()
	b := bulk(t, `{}`)
	b.Key = strings.Repeat("ü", request.MaxBulkKey)
	require.NoError(t, b.Check())
	r, err := b.Request(0)
	require.NoError(t, err)
	require.NoError(t, r.Check())
}

func TestCheckDepth_CountsBracketsOutsideOfTexts(t *testing.T) {
	t.Parallel()
	nested := func(n int) []byte { return []byte(strings.Repeat("[", n) + strings.Repeat("]", n)) }
	require.NoError(t, request.CheckDepth(nested(request.MaxDepth)))
	require.Error(t, request.CheckDepth(nested(request.MaxDepth+1)))
	brackets := strings.Repeat("[", 2*request.MaxDepth)
	for _, text := range []string{`{"a":"` + brackets + `"}`, `{"a":"\"` + brackets + `"}`, `{"a":"\\","b":"` + brackets + `"}`} {
		require.NoError(t, request.CheckDepth([]byte(text)), text)
	}
	require.Error(t, request.CheckDepth([]byte(`{"a":"\\",`+brackets)), "the quotation mark is not escaped")
}
