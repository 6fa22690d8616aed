package flow_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/local/armsim"
)

// The error of a cluster says which prerequisite is missing, and how to add it.
func TestProtectCluster_SaysWhichPrerequisiteIsMissing(t *testing.T) {
	t.Parallel()
	for code, want := range map[string][]string{
		"UserErrorBackupExtensionNotInstalled":       {"Install the Backup extension"},
		"UserErrorTrustedAccessNotEnabled":           {"trusted access"},
		"UserErrorMissingRequiredPermissions":        {"Reader on the snapshot resource group for the vault's identity", "Contributor on the snapshot resource group for the cluster's identity"},
		"UserErrorSomethingThatNobodyKnowsOfCluster": {"Install the Backup extension", "trusted access", "Contributor on the snapshot resource group"},
	} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			r, sim := simulated(t, armsim.DemoWorld())
			sim.AddOutcome(armsim.Outcome{Operation: "ValidateForBackup", OperationCode: code, Times: 100})
			s := demoSources()["cluster"]
			err := r.fails(s.flow, s.parameters)
			require.Equal(t, code, err.Code)
			advice := strings.Join(err.RecommendedAction, " ")
			for _, part := range want {
				require.Contains(t, advice, part)
			}
			require.Empty(t, sim.Backups())
		})
	}
}
