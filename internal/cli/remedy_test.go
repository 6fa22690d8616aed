package cli

import (
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/api"
)

func TestRemedy_SuggestsARetryOnlyWhereItCanHelp(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status  api.Status
		class   string
		actions []string
		retry   bool
	}{
		"a transient error":            {api.Failed, "Transient", nil, true},
		"an operator has acted":        {api.Failed, "UserAction", nil, true},
		"a fatal error":                {api.Failed, "Fatal", nil, false},
		"parked with a fatal error":    {api.Parked, "Fatal", nil, true},
		"timed out":                    {api.TimedOut, "Fatal", nil, true},
		"Azure says what to do":        {api.Failed, "Transient", []string{"Delete the instance."}, false},
		"succeeded":                    {api.Succeeded, "", nil, false},
		"fatal, Azure says what helps": {api.Failed, "Fatal", []string{"Delete the instance."}, false},
	} {
		op := api.Operation{ID: "op1", Status: c.status, Error: &api.Error{Class: c.class, RecommendedAction: c.actions}}
		remedy := Remedy(&OperationError{Operation: op}, Caller{})
		if c.retry {
			require.Contains(t, remedy, "azbackupflow retry op1", name)
		} else {
			require.NotContains(t, remedy, "azbackupflow retry", name)
		}
		for _, action := range c.actions {
			require.Contains(t, remedy, action, name)
		}
	}
}
