package preflight_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/roles"
)

// Each target of drills needs its own permissions, and the restore needs its role.
func TestCheck_NamesWhatDrillTargetsLack(t *testing.T) {
	t.Parallel()
	const group = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/drills"
	const account = group + "/providers/Microsoft.Storage/storageAccounts/drillaccount"
	s := newSite(t)
	s.cfg.RestoreTargets, s.cfg.DrillTargets = nil, []string{" " + account + "/ ", group}
	require.Empty(t, wrong(s.check(t)))
	for _, p := range roles.Drill.Permissions() {
		restore := s.DenyAction(p.Action)
		found := wrong(s.check(t))
		restore()
		require.Len(t, found, 1, p.Action)
		require.Equal(t, []string{p.Action}, found[0].Missing)
		want := account
		if strings.HasPrefix(p.Action, "Microsoft.Compute/") {
			want = group
		}
		require.Equal(t, want, found[0].Subject)
		require.Contains(t, found[0].Do, "azbackupflow Drill Operator")
	}
	s.DenyAction("Microsoft.RecoveryServices/Vaults/backupFabrics/protectionContainers/protectedItems/recoveryPoints/restore/action")
	require.Len(t, wrong(s.check(t)), 1, "a drill restores")
	s.cfg.DrillTargets = nil
	require.Empty(t, wrong(s.check(t)))
}
