package e2e

import (
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/local/armsim"
	"azbackupflow/internal/roles"
)

// requireGranted: the custom roles that are deployed allow the request. Polls
// are allowed to who only reads.
func requireGranted(t *testing.T, r armsim.Request) {
	t.Helper()
	action := roles.ActionOf(r.Method, r.Path)
	p, ok := roles.Find(action)
	require.True(t, ok, "%s %s asks for %s, which no role grants", r.Method, r.Path, action)
	if poll(r.Path) {
		require.Contains(t, []roles.Role{roles.Read, roles.Status}, p.Role, action)
	}
}
