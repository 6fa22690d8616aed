package flow_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/flow"
	"azbackupflow/internal/operation"
)

// stepsOf returns the steps that an operation with the parameters can take.
func stepsOf(t *testing.T, name string, parameters any, change func(*operation.Operation)) []string {
	t.Helper()
	registry, err := flow.New(flow.Config{Now: morning})
	require.NoError(t, err)
	f, ok := registry.Newest(name)
	require.True(t, ok)
	raw, err := json.Marshal(parameters)
	require.NoError(t, err)
	op := operation.Operation{Identity: operation.Identity{Flow: name}}
	op.Parameters = raw
	if change != nil {
		change(&op)
	}
	return f.StepsOf(op)
}

func TestStepsOf_AreThoseThatTheParametersAllow(t *testing.T) {
	t.Parallel()
	item, instance := object{"itemId": "/x"}, object{"backupInstanceId": "/x"}
	require.Equal(t, []string{"find-item", "read-item", "trigger-backup", "await-backup", "find-backup-job", "await-backup-job"}, stepsOf(t, "backup-now", item, nil))
	require.Equal(t, []string{"find-item", "read-instance", "pick-rule", "trigger-instance-backup", "await-instance-backup", "find-instance-job", "await-instance-job"},
		stepsOf(t, "backup-now", instance, nil))
	require.Equal(t, []string{"find-item", "read-item", "stop-item", "await-stop", "await-stop-job", "confirm-stopped", "exclude"}, stepsOf(t, "stop-protection", item, nil))
	require.Equal(t, []string{"find-item", "read-instance", "undelete-instance", "await-instance-undelete", "confirm-instance-undeleted", "choose-resume"}, stepsOf(t, "undelete", instance, nil))
	require.Contains(t, stepsOf(t, "undelete", object{"backupInstanceId": "/x", "resume": true}, nil), "confirm-instance-resumed")
	require.NotContains(t, stepsOf(t, "protect-vm", object{}, nil), "trigger-backup")
	require.Contains(t, stepsOf(t, "protect-vm", object{"firstBackup": object{}}, nil), "trigger-backup")
	require.NotContains(t, stepsOf(t, "drill-restore", instance, nil), "share-restore")
	require.Contains(t, stepsOf(t, "drill-restore", item, nil), "share-restore")
	require.NotContains(t, stepsOf(t, "delete-protection", instance, nil), "delete-item")
}

func TestStepsOf_HaveTheCancellationOnlyIfItWasRequested(t *testing.T) {
	t.Parallel()
	item := object{"itemId": "/x"}
	require.NotContains(t, stepsOf(t, "restore-vm", item, nil), "cancel-restore-job")
	require.Contains(t, stepsOf(t, "restore-vm", item, func(op *operation.Operation) { op.CancelRequested = true }), "await-cancellation")
	require.Contains(t, stepsOf(t, "backup-now", item, func(op *operation.Operation) { op.Step = "read-instance" }), "read-instance", "the current step is always among them")
	require.Contains(t, stepsOf(t, "backup-now", "not an object", nil), "read-instance", "nothing is known of parameters that cannot be read")
	require.Contains(t, stepsOf(t, "backup-now", "not an object", nil), "read-item")
}
