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

func TestPercent_ReadsNumbersFrom0To100(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		"63": 63, "63.0": 63, "94.99": 94, "0": 0, "100": 100, " 7 % ": 7, "12%": 12,
		"": -1, "null": -1, "-1": -1, "101": -1, "NaN": -1, "Inf": -1, "1e3": -1, "half": -1, "{}": -1, "%": -1,
	} {
		require.Equal(t, want, Percent(text), "%q", text)
	}
}
