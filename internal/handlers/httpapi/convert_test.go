package httpapi

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/flow"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

func TestConvert_DetailOfAnErrorIsInTheHistoryOnly(t *testing.T) {
	t.Parallel()
	e := &operation.Error{Code: "c", Detail: "HTTP/1.1 500", Target: "t", InfoType: "UserFacingError", ActivityID: "a"}
	op := (&API{cfg: Config{Flows: noFlows{}}}).publicOperation(operation.Operation{Retry: operation.Retry{LastError: e}})
	require.Empty(t, op.Error.Detail)
	require.Equal(t, []string{"t", "UserFacingError", "a"}, []string{op.Error.Target, op.Error.InfoType, op.Error.ActivityID})
	require.Equal(t, e.Detail, publicEvent(operation.Event{Err: e}).Err.Detail)
	require.Nil(t, publicEvent(operation.Event{}).Err)
}

// A drill of a machine locks its resource group. Its item is the machine: lists and
// the page of items find the drill by it.
func TestSubject_DrillOfAMachineHasTheMachineAsItem(t *testing.T) {
	t.Parallel()
	flows, err := flow.New(flow.Config{Now: time.Now, Guardrails: flow.ExampleGuardrails()})
	require.NoError(t, err)
	const vault = "/subscriptions/s/resourceGroups/g/providers/Microsoft.RecoveryServices/vaults/v"
	const item = vault + "/backupFabrics/Azure/protectionContainers/c/protectedItems/VM;iaasvmcontainerv2;g;vm1"
	op := operation.Operation{Identity: operation.Identity{
		Flow: "drill-restore", Version: 1, Parameters: json.RawMessage(`{"type":"VM","itemId":"` + item + `","target":{"resourceGroupId":"/subscriptions/s/resourceGroups/drills"}}`),
	}}
	op.Learned = map[string]string{"groupReadAt": "2026-03-01T08:00:00Z"}
	_, got := (&API{cfg: Config{Flows: flows}}).subject(op)
	require.Equal(t, item, got)
}

// noFlows knows no flow.
type noFlows struct{ Flows }

func (noFlows) Find(string, int) (step.Flow, bool) { return step.Flow{}, false }
