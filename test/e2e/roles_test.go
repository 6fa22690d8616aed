package e2e

import (
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/local/armsim"
	"azbackupflow/internal/roles"
)

// requireGranted asserts that the deployed custom roles allow the request. A
// role that only reads allows polls.
func requireGranted(t *testing.T, r armsim.Request) {
	t.Helper()
	action := roles.ActionOf(r.Method, r.Path)
	p, ok := roles.Find(action)
	require.True(t, ok, "%s %s needs %s, which no role grants", r.Method, r.Path, action)
	if poll(r.Path) {
		require.Contains(t, []roles.Role{roles.Read, roles.Status}, p.Role, action)
	}
}
