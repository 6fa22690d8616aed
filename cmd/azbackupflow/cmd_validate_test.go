package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/cli"
	"azbackupflow/internal/client/clienttest"
	"azbackupflow/internal/operation"
)

func TestValidate_StartsNothingAndShowsTheProblem(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	request := file(t, `{"parameters":`+parametersOfTestshare+`}`)
	require.Contains(t, s.succeeds("validate", "protect-file-share", "-f", request, "-o", "json"), `"ok": true`)
	require.Equal(t, "No operations.\n", s.succeeds("list"))

	s.api.Script("check-policy", clienttest.Answer{Err: &operation.Error{
		Class: operation.UserAction, Code: "AuthorizationFailed", Message: "the identity lacks a role", RecommendedAction: []string{"Assign it."},
	}})
	wrong := s.run("validate", "protect-file-share", "-f", request)
	require.Equal(t, cli.ExitFailed, wrong.code)
	s.golden("validate-problem", wrong.stdout)
	require.Contains(t, wrong.stderr, "would not succeed")
	require.Equal(t, "No operations.\n", s.succeeds("list"))
}
