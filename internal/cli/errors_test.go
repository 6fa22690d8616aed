package cli

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/api"
	"azbackupflow/internal/client"
)

func TestRemedy_AsksForTheLocalStackOnlyIfNothingHasAnswered(t *testing.T) {
	t.Parallel()
	silent := &client.Unreachable{URL: "http://127.0.0.1:7071", Err: errors.New("connection refused")}
	answered := &client.Unreachable{URL: "http://127.0.0.1:7071", Err: errors.New("HTTP 502"), Answered: true}
	local := Caller{URL: "http://127.0.0.1:7071", Local: true}
	require.Contains(t, Remedy(silent, local), "start the local stack with azbackupflow local")
	require.NotContains(t, Remedy(answered, local), "start the local stack")
	require.Contains(t, Remedy(answered, local), "look at its log")
	require.Contains(t, Remedy(silent, Caller{URL: "https://name.example"}), "check --url")
}

func TestRemedy_SaysWhatToDoAboutAnExistingOperation(t *testing.T) {
	t.Parallel()
	for status, want := range map[api.Status]string{
		api.Failed: "azbackupflow retry op1", api.TimedOut: "azbackupflow retry op1", api.Parked: "azbackupflow retry op1",
		api.Running: "azbackupflow wait op1", api.Pending: "azbackupflow wait op1", api.Succeeded: "to start afresh", api.Canceled: "to start afresh",
	} {
		err := &NotStartedError{Operation: api.Operation{ID: "op1", Status: status}, Text: "Nothing was started"}
		require.Contains(t, Remedy(err, Caller{}), want, status)
		require.Contains(t, Remedy(err, Caller{}), "use another --key", status)
		require.Equal(t, ExitNotStarted, ExitCode(err))
	}
}

func TestCheckSet_HasTheExitCodeOfTheCommonStatus(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status   map[api.Status]int
		rejected int
		code     int
		says     string
	}{
		"all succeeded":     {map[api.Status]int{api.Succeeded: 2, api.SucceededWithWarnings: 1, api.Failed: 0}, 0, ExitDone, ""},
		"one failed":        {map[api.Status]int{api.Succeeded: 2, api.Failed: 1}, 0, ExitFailed, "1 of 3 operations did not succeed"},
		"some canceled":     {map[api.Status]int{api.Succeeded: 2, api.Canceled: 2}, 0, ExitCanceled, "2 of 4"},
		"all parked":        {map[api.Status]int{api.Parked: 2}, 0, ExitParked, "2 of 2"},
		"some timed out":    {map[api.Status]int{api.TimedOut: 1, api.Succeeded: 1}, 0, ExitTimedOut, "1 of 2"},
		"two statuses":      {map[api.Status]int{api.TimedOut: 1, api.Canceled: 1}, 0, ExitFailed, "2 of 2"},
		"rejected":          {map[api.Status]int{api.Succeeded: 1}, 1, ExitFailed, "1 of 2"},
		"canceled, refused": {map[api.Status]int{api.Canceled: 1}, 1, ExitFailed, "2 of 2"},
	} {
		err := CheckSet(c.status, c.rejected)
		require.Equal(t, c.code, ExitCode(err), name)
		if c.code != ExitDone {
			require.ErrorContains(t, err, c.says, name)
			require.Contains(t, Remedy(err, Caller{}), "azbackupflow list --errors", name)
		}
	}
}
