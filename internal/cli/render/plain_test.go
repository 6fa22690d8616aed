package render_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/cli/render"
)

func TestPlain_TextFromOutsideCannotControlTheTerminal(t *testing.T) {
	t.Parallel()
	for text, plain := range map[string]string{
		"orders":                   "orders",
		"\x1b[2Jgone":              " [2Jgone",
		"two\nlines":               "two lines",
		"abc\u202etxt.exe":         `abc\u202etxt.exe`,
		"\u2066isolated\u2069":     `\u2066isolated\u2069`,
		"\u05e9\u05dc\u05d5\u05dd": "\u05e9\u05dc\u05d5\u05dd",
	} {
		require.Equal(t, plain, render.Plain(text))
	}
}
