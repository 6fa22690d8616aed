package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/cli"
	"azbackupflow/internal/client/clienttest"
)

// variables sets the environment variables of later commands.
func (s *shell) variables(values map[string]string) {
	s.change = func(e *environment) {
		e.lookup = func(name string) (string, bool) { value, ok := values[name]; return value, ok }
	}
}

func TestOutputFormat_OfAVariableIsChecked(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.start(clienttest.Protect("1", "one"))
	s.variables(map[string]string{"AZBACKUPFLOW_OUTPUT": "JSON"})
	r := s.run("list")
	require.Equal(t, cli.ExitUsage, r.code)
	require.Empty(t, r.stdout)
	require.Contains(t, r.stderr, `output format "JSON" is unknown; use one of table, wide, json, yaml, jsonl, id`)
}

func TestContext_NamedByAFlagWinsOverTheVariable(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	op := s.start(clienttest.Protect("1", "one"))
	s.urlFlag = false
	s.succeeds("context", "add", "staging", "--url", "http://127.0.0.1:9")
	s.variables(map[string]string{"AZBACKUPFLOW_URL": s.api.URL})
	require.Equal(t, cli.ExitUnavailable, s.run("--context", "staging", "cancel", op.ID).code, "nothing listens at the address of staging")
	require.Zero(t, s.run("cancel", op.ID).code, "without the flag, the variable wins")
}

func TestContext_ThatDoesNotExistStopsOnlyCommandsThatCallTheApp(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.urlFlag = false
	s.variables(map[string]string{"AZBACKUPFLOW_CONTEXT": "production"})
	for _, command := range [][]string{{"version"}, {"man"}, {"completion", "bash"}, {"errors"}, {"context", "list"}} {
		require.Zero(t, s.run(command...).code, command)
	}
	require.Contains(t, s.run("list").stderr, `context "production" does not exist`)
	s.succeeds("context", "add", "production", "--url", s.api.URL)
	require.Zero(t, s.run("list").code)
}
