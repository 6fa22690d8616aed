package backupjob

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestStateOf_ReadsBothProvidersStatuses(t *testing.T) {
	t.Parallel()
	for status, want := range map[string]State{
		"Completed": Completed, "Success": Completed, "CompletedWithWarnings": CompletedWithWarnings,
		"SuccessWithWarning": CompletedWithWarnings, "Failed": Failed, "Cancelled": Cancelled, "canceled": Cancelled,
		"InProgress": Running, "Started": Running, "Cancelling": Running, "Paused": Running, "": Running,
	} {
		require.Equal(t, want, StateOf(status), status)
	}
}
