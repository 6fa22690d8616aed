package main

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/api"
	"azbackupflow/internal/cli"
)

func TestBulk_StartsValidTargetsAndReportsOthers(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.stdin = `{"template":{"flow":"protect-file-share","parameters":` + parametersOfTestshare + `},"targets":[{"fileShare":"one"},{"fileShare":7},{"fileShare":"two"}]}`
	some := s.run("bulk", "-f", "-")
	require.Equal(t, cli.ExitFailed, some.code)
	s.golden("bulk", some.stdout)
	require.Contains(t, some.stderr, "the others are started")
	require.Len(t, s.api.Published, 1)
	require.Equal(t, "requests", s.api.Published[0].Queue)

	var answer api.BulkResult
	s.stdin = `{"template":{"flow":"protect-file-share","parameters":` + parametersOfTestshare + `},"targets":[{"fileShare":"one"}]}`
	require.NoError(t, json.Unmarshal([]byte(s.succeeds("bulk", "-f", "-", "--key", "mine", "-o", "json")), &answer))
	require.Equal(t, "mine", answer.Key)
	require.Len(t, answer.Accepted, 1)
}

func TestBulk_ReportsInvalidFiles(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	for text, want := range map[string]string{
		`{"targets":[{}],"colour":"red"}`: "colour",
		`[]`:                              "request",
		`{"template":{},"targets":[]}`:    "targets",
	} {
		s.stdin = text
		r := s.run("bulk", "-f", "-")
		require.Equal(t, cli.ExitUsage, r.code, text)
		require.Contains(t, r.stderr, want)
	}
	require.Contains(t, s.run("bulk", "-f", "nowhere.json").stderr, "nowhere.json")
}
