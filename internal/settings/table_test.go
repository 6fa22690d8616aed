package settings

import (
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write docs/settings.md")

func TestMarkdown_IsTheSettingsPage(t *testing.T) {
	t.Parallel()
	const page = "../../docs/settings.md"
	if *update {
		require.NoError(t, os.WriteFile(page, []byte(Markdown()), 0o600))
	}
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	require.Equal(t, Markdown(), string(text))
	for _, r := range Table() {
		require.NotEmpty(t, r.Name)
		require.NotEmpty(t, r.Meaning, r.Name)
	}
}

func TestTable_MatchesTheSampleSettings(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../../local.settings.sample.json")
	require.NoError(t, err)
	var sample struct{ Values map[string]string }
	require.NoError(t, json.Unmarshal(raw, &sample))
	known := map[string]bool{}
	for _, r := range Table() {
		// The sample connects by connection strings.
		name, _, identity := strings.Cut(r.Name, "__")
		known[name] = true
		if !identity && !strings.HasPrefix(name, "OTEL_") {
			require.Contains(t, sample.Values, name)
		}
	}
	for name := range sample.Values {
		require.True(t, known[name], "%s is not in the table", name)
	}
}
