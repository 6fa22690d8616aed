package e2e

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/api"
	"azbackupflow/internal/local/stack"
)

func TestProtectFileShare_DiscoversRegistersProtectsAndBacksUp(t *testing.T) {
	t.Parallel()
	l := start(t, stack.Config{})
	var accepted api.Operation
	res := l.call(http.MethodPost, "/operations", protect("first"), &accepted)
	require.Equal(t, http.StatusAccepted, res.StatusCode)
	require.Equal(t, "/api/operations/"+accepted.ID, res.Header.Get("Location"))
	require.NotEmpty(t, res.Header.Get("Retry-After"))

	done := l.succeeds(accepted.ID)

	backups := l.ARM.Backups()
	require.Len(t, backups, 1)
	require.Equal(t, done.JobID, backups[0].JobID)
	items := l.ARM.ProtectedItems()
	var names []string
	for _, item := range items {
		names = append(names, item.FriendlyName+" under "+item.Policy)
	}
	require.Contains(t, names, "testshare under schedule1")

	t.Run("its history has every step", func(t *testing.T) { //nolint:paralleltest // reads what the parent made
		var steps []string
		for _, ev := range l.history(accepted.ID) {
			require.NotEmpty(t, ev.What)
			if len(steps) == 0 || steps[len(steps)-1] != ev.Step {
				steps = append(steps, ev.Step)
			}
		}
		require.Equal(t, []string{
			"check-policy", "find-item", "find-registration", "refresh", "await-refresh", "find-container", "register", "await-registration",
			"inquire", "await-inquiry", "find-share", "find-item-again", "enable-protection", "await-protection", "await-protection-job",
			"confirm-protection", "trigger-backup", "await-backup", "await-backup-job",
		}, steps)
	})
	t.Run("the same request under another key finds it protected", func(t *testing.T) { //nolint:paralleltest // builds on the parent
		parameters := fileShare{demoAccount, "testshare"}.parameters()
		delete(parameters, "firstBackup")
		again := map[string]any{"flow": "protect-file-share", "key": "second", "parameters": parameters}
		require.Equal(t, api.Succeeded, l.succeeds(l.begin(again)).Status)
		require.Len(t, l.ARM.Backups(), 1)
	})
	t.Run("the same request under the same key is the same operation", func(t *testing.T) { //nolint:paralleltest // builds on the parent
		require.Equal(t, accepted.ID, l.begin(protect("first")))
		require.Len(t, l.ARM.Backups(), 1)
	})
}
