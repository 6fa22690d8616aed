package arm

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAValueIsReadAsTextWhateverItIs(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]Text{`"a"`: "a", `5`: "5", `true`: "true", `null`: "", `{"a":[1]}`: `{"a":[1]}`} {
		var got Text
		require.NoError(t, json.Unmarshal([]byte(raw), &got))
		require.Equal(t, want, got)
	}
	require.True(t, Text("True").Flag())
	require.False(t, Text("").Flag())
	require.Equal(t, 15*24*time.Hour, Text("P15D").Length())
	require.Zero(t, Text("00:00:00").Length())
}

func TestATimeThatHasNotComeIsZero(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]time.Time{
		`"2024-06-26T07:49:42.515338Z"`: time.Date(2024, 6, 26, 7, 49, 42, 515338000, time.UTC),
		`"2024-06-26T09:49:42+02:00"`:   time.Date(2024, 6, 26, 7, 49, 42, 0, time.UTC),
		`"2024-06-26T07:49:42"`:         time.Date(2024, 6, 26, 7, 49, 42, 0, time.UTC),
		`"0001-01-01T00:00:00"`:         {},
		`"0001-01-01T00:00:00Z"`:        {},
		`null`:                          {},
		`"soon"`:                        {},
		`5`:                             {},
	} {
		var got Moment
		require.NoError(t, json.Unmarshal([]byte(raw), &got))
		require.Equal(t, want, got.Time, raw)
	}
}

func TestAJobsStatusTellsItsStateWhicheverProviderRunsIt(t *testing.T) {
	t.Parallel()
	for status, want := range map[string]JobState{
		"Completed": JobCompleted, "Success": JobCompleted, "CompletedWithWarnings": JobCompletedWithWarnings,
		"SuccessWithWarning": JobCompletedWithWarnings, "Failed": JobFailed, "Cancelled": JobCancelled, "canceled": JobCancelled,
		"InProgress": JobRunning, "Started": JobRunning, "Cancelling": JobRunning, "Paused": JobRunning, "": JobRunning,
	} {
		require.Equal(t, want, JobStateOf(status), status)
	}
}

func TestNamesAreFoundInAResourceID(t *testing.T) {
	t.Parallel()
	require.Equal(t, "c", NameAfter("/x/ProtectionContainers/c/y", "protectionContainers"))
	require.Empty(t, NameAfter("/x/protectionContainers", "protectionContainers"))
	require.Equal(t, "j", LastName("/x/BackupJobs/j"))
	require.Equal(t, "j", LastName("j"))
	_, err := PathBelow("/x", "a/b")
	require.Equal(t, CodeMalformedRequest, asError(t, err).Code)
	path, err := PathBelow("/x", "a", "b")
	require.NoError(t, err)
	require.Equal(t, "/x/a/b", path)
}
