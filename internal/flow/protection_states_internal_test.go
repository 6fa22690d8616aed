package flow

import (
	"testing"

	dp "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/dataprotection/armdataprotection/v3"
	rs "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/recoveryservices/armrecoveryservicesbackup/v4"
	"github.com/stretchr/testify/require"

	"azbackupflow/internal/arm/dataprotection"
)

// The SDK is generated from the API descriptions.
func TestStates_HaveARowForEachStateOfTheDescriptions(t *testing.T) {
	t.Parallel()
	for _, state := range rs.PossibleProtectionStateValues() {
		row, ok := itemStates()[string(state)]
		require.True(t, ok, "itemStates has no row for %s", state)
		for _, by := range []treatment{row.protect, row.backup, row.stop, row.suspend, row.resume, row.change, row.remove} {
			require.NotEmpty(t, by, state)
		}
	}
	recorded := []dp.CurrentProtectionState{"BackupsSuspended"} // in no description
	for _, state := range append(recorded, dp.PossibleCurrentProtectionStateValues()...) {
		row, ok := instanceStates()[string(state)]
		require.True(t, ok, "instanceStates has no row for %s", state)
		for _, by := range []treatment{row.protect, row.backup, row.restore, row.stop, row.suspend, row.resume, row.change, row.remove} {
			require.NotEmpty(t, by, state)
		}
	}
}

func TestStates_RejectionsNameWhatHelps(t *testing.T) {
	t.Parallel()
	for state := range instanceStates() {
		err := rejectedInstance(dataprotection.Instance{Name: "i", FriendlyName: "f", CurrentProtectionState: state}, reject)
		require.NotNil(t, err, state)
		require.NotEmpty(t, err.RecommendedAction, state)
		require.Nil(t, rejectedInstance(dataprotection.Instance{CurrentProtectionState: state}, proceed), state)
	}
}
