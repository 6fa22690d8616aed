package step_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

func TestFlow_ListsItsStepsInOrder(t *testing.T) {
	t.Parallel()
	f := step.Flow{Name: "backup", Version: 1, Steps: []step.Step{{Name: "find"}, {Name: "await"}}}
	require.Equal(t, operation.Plan{"find", "await"}, f.Plan())
	s, ok := f.Step("await")
	require.True(t, ok)
	require.Equal(t, "await", s.Name)
	_, ok = f.Step("Await")
	require.False(t, ok)
}
