package azjson

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestText_AcceptsAnyValue(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]Text{`"a"`: "a", `5`: "5", `true`: "true", `null`: "", `{"a":[1]}`: `{"a":[1]}`} {
		var got Text
		require.NoError(t, json.Unmarshal([]byte(raw), &got))
		require.Equal(t, want, got)
	}
	require.True(t, Text("True").Bool())
	require.False(t, Text("").Bool())
	require.Equal(t, 15*24*time.Hour, Text("P15D").Duration())
	require.Zero(t, Text("00:00:00").Duration())
}

func TestTime_IsZeroBeforeItHappens(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]time.Time{
		`"2024-06-26T07:49:42.515338Z"`: time.Date(2024, 6, 26, 7, 49, 42, 515338000, time.UTC),
		`"2024-06-26T09:49:42+02:00"`:   time.Date(2024, 6, 26, 7, 49, 42, 0, time.UTC),
		`"2024-06-26T07:49:42"`:         time.Date(2024, 6, 26, 7, 49, 42, 0, time.UTC),
		`"0001-01-01T00:00:00"`:         {},
		`"0001-01-01T00:00:00Z"`:        {},
		`null`:                          {},
		`"soon"`:                        {},
		`5`:                             {},
	} {
		var got Time
		require.NoError(t, json.Unmarshal([]byte(raw), &got))
		require.Equal(t, want, got.Time, raw)
	}
}
