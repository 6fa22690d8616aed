package flow_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/flow"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

func lookNothing(context.Context, step.Call) (operation.Reconciliation, error) {
	return operation.Reconciliation{}, nil
}

func flowOf(name string, version int, steps ...step.Step) step.Flow {
	if len(steps) == 0 {
		steps = []step.Step{{Name: "only", Effect: step.Read}}
	}
	return step.Flow{Name: name, Version: version, Steps: steps}
}

func TestRegistry_RejectsFlowsThatCannotBeRunSafely(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		flows []step.Flow
		want  string
	}{
		"no steps": {
			[]step.Flow{{Name: "backup", Version: 3}},
			"flow backup version 3 has no steps",
		},
		"two steps of one name": {
			[]step.Flow{flowOf("backup", 1, step.Step{Name: "a"}, step.Step{Name: "b"}, step.Step{Name: "a"})},
			"flow backup version 1 has two steps named a",
		},
		"a Once step without Reconcile": {
			[]step.Flow{flowOf("backup", 1, step.Step{Name: "trigger", Effect: step.Once})},
			"flow backup version 1: step trigger must not run twice, so it needs a Reconcile function",
		},
		"a cancel step that does not exist": {
			[]step.Flow{flowOf("backup", 1, step.Step{Name: "await", OnCancel: "stop"})},
			"flow backup version 1: step await goes to stop on cancel, which is not a step of the flow",
		},
		"one version twice": {
			[]step.Flow{flowOf("backup", 1), flowOf("backup", 2), flowOf("backup", 1)},
			"flow backup version 1 is defined twice",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := flow.NewRegistry(c.flows...)
			require.EqualError(t, err, c.want)
		})
	}
}

func TestRegistry_FindsEveryVersionAndStartsTheNewest(t *testing.T) {
	t.Parallel()
	registry, err := flow.NewRegistry(
		flowOf("backup", 2, step.Step{Name: "trigger", Effect: step.Once, Reconcile: lookNothing}),
		flowOf("protect", 1), flowOf("backup", 10), flowOf("backup", 1),
	)
	require.NoError(t, err)
	for version, known := range map[int]bool{0: false, 1: true, 2: true, 3: false, 10: true} {
		f, ok := registry.Find("backup", version)
		require.Equal(t, known, ok, "version %d", version)
		if known {
			require.Equal(t, version, f.Version)
		}
	}
	newest, ok := registry.Newest("backup")
	require.True(t, ok)
	require.Equal(t, 10, newest.Version)
	_, ok = registry.Newest("restore")
	require.False(t, ok)
	require.Equal(t, []string{"protect", "backup"}, registry.Names())
}

func TestRegistry_FindsNothingWhenItIsEmpty(t *testing.T) {
	t.Parallel()
	registry, err := flow.NewRegistry()
	require.NoError(t, err)
	require.Empty(t, registry.Names())
	_, ok := registry.Find("backup", 1)
	require.False(t, ok)
}
