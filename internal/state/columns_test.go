package state

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestShortRow_ReadsWhatPackageJSONReads(t *testing.T) {
	t.Parallel()
	op, _ := rowOfRealisticSize()
	for _, note := range []string{"", "plain", `quoted "text" and \ and /`, "a=1&b=<2>", "line\nand\ttab\r\b\f\x01", "\u2028\u2029", "é ü 漢字", "👍 pair", "\ufffd"} {
		op.WaitingFor = note
		record, err := Encode(op)
		require.NoError(t, err)
		text, err := operationEntity(op, `W/"datetime'2026'"`, record)
		require.NoError(t, err)
		var values map[string]any
		require.NoError(t, json.Unmarshal(text, &values))
		escaped, err := json.Marshal(values)
		require.NoError(t, err)
		indented, err := json.MarshalIndent(values, "", "\t")
		require.NoError(t, err)
		for _, form := range [][]byte{text, escaped, indented, bytes.Replace(text, []byte("{"), []byte(`{"flag":true,"n":-1.5e3,"none":null,`), 1)} {
			have, marker, ok := shortRow(form)
			require.True(t, ok || strings.ContainsAny(note, "👍\t\b"), "%s", form)
			if ok {
				require.Equal(t, string(record), string(have))
				require.Equal(t, `W/"datetime'2026'"`, marker)
			}
			have, marker, err = operationOf(form)
			require.NoError(t, err)
			require.Equal(t, string(record), string(have))
			require.Equal(t, `W/"datetime'2026'"`, marker)
		}
	}
}

// A row that shortRow accepts is one that package json reads alike, whatever a
// broken answer contains.
func TestShortRow_LeavesOtherFormsToPackageJSON(t *testing.T) {
	t.Parallel()
	valid := []byte(`{"liveMarker":"m\u0026","operation":"{\"a\":\"\\\\\"}","seq":3}`)
	record, marker, ok := shortRow(valid)
	require.True(t, ok)
	require.JSONEq(t, `{"a":"\\"}`, string(record))
	require.Equal(t, "m&", marker)
	for i := range valid {
		_, _, ok := shortRow(valid[:i])
		require.False(t, ok, "%s", valid[:i])
	}
	for _, text := range []string{
		``, `[]`, `{}`, `null`, `{"operation":""}`, `{"operation":3}`, `{"operation":{}}`, `{"operation":[]}`, `{"a":{},"operation":"x"}`,
		`{"operation":"x","operation2":"y"}`, `{"oper\u0061tion":"x"}`, `{"operation":"\ud83d\udc4d"}`, `{"operation":"\u00"}`, `{"operation":"\x"}`,
		`{"operation":"x",}`, `{"operation":"x"}}`, `{"operation":"x"} y`, `{"operation" "x"}`, `{operation:"x"}`, `{"operation":"x","liveMarker":null}`,
	} {
		_, _, ok := shortRow([]byte(text))
		require.False(t, ok, text)
	}
}
