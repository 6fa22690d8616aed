package httpapi

import (
	"testing"

	"github.com/stretchr/testify/require"

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

// noFlows knows no flow.
type noFlows struct{ Flows }

func (noFlows) Find(string, int) (step.Flow, bool) { return step.Flow{}, false }
