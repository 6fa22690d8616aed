package filter

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestParseAction_RejectsInvalidStatements(t *testing.T) {
	t.Parallel()
	for expression, problem := range map[string]string{
		"":                              "expected SET or REMOVE: unexpected end",
		";":                             `unexpected ";"`,
		"SET a":                         "expected =",
		"SET a =":                       "unexpected end",
		"SET a = 1 SET b = 2":           `unexpected "SET"`,
		"REMOVE":                        "unexpected end",
		"REMOVE a b":                    `unexpected "b"`,
		"SET sys.Nope = 1":              `unknown system property "Nope"`,
		"REMOVE sys.EnqueuedTimeUtc":    `"enqueuedtimeutc" cannot be changed`,
		"SET a = b = c":                 `unexpected "="`,
		strings.Repeat("REMOVE a;", 33): "more than 32 statements",
		"SET a = '" + strings.Repeat("x", 1024) + "'": "more than 1024 characters",
	} {
		_, err := ParseAction(expression, nil)
		require.ErrorContains(t, err, problem, expression)
	}
}

func TestAction_StatementsSeeEarlierChanges(t *testing.T) {
	t.Parallel()
	a, err := ParseAction("SET sys.label = 7; SET x = sys.Subject; REMOVE color; SET y = color; SET user.z = size / 0", nil)
	require.NoError(t, err)
	require.Equal(t, []Change{
		{System: true, Name: "label", Value: "7"}, {Name: "x", Value: "7"}, {Name: "color", Remove: true}, {Name: "y"}, {Name: "z"},
	}, a.Changes(sample()))
}

func TestParse_UsesParameters(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	parameters := map[string]any{"@Color": "red", "n": 7, "name": "color", "noon": noon, "more": noon.Add(time.Hour)}
	for expression, want := range map[string]bool{
		"color = @color": true, "size = @N": true, "size < @n": false, "property(@name) = 'red'": true, "@noon < @more": true, "@noon = @more": false,
		"@noon > 'x'": false, "NOT @noon > 'x'": false, "@n IN (1, 7)": true,
	} {
		f, err := Parse(expression, parameters)
		require.NoError(t, err, expression)
		require.Equal(t, want, f.Match(sample()), expression)
	}
}

// Parsing must neither panic nor take long, whatever a client sends.
func FuzzParseAction(f *testing.F) {
	f.Add("SET a = 1 + @x; REMOVE [b c], SET sys.to = p('x')")
	f.Fuzz(func(_ *testing.T, expression string) {
		if a, err := ParseAction(expression, map[string]any{"x": 1}); err == nil {
			a.Changes(sample())
		}
	})
}
