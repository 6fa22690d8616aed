package step_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

func look(context.Context, step.Call) (operation.Finding, error) { return operation.Finding{}, nil }

func flow(name string, version int, steps ...step.Step) step.Flow {
	if len(steps) == 0 {
		steps = []step.Step{{Name: "only", Effect: step.Read}}
	}
	return step.Flow{Name: name, Version: version, Steps: steps}
}

func TestA_book_refuses_flows_that_could_not_be_run_safely(t *testing.T) {
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
			[]step.Flow{flow("backup", 1, step.Step{Name: "a"}, step.Step{Name: "b"}, step.Step{Name: "a"})},
			"flow backup version 1 has two steps named a",
		},
		"a call that must happen once and cannot be looked for": {
			[]step.Flow{flow("backup", 1, step.Step{Name: "trigger", Effect: step.Once})},
			"flow backup version 1: step trigger must not happen twice, so it needs a Look",
		},
		"a cancel that leads nowhere": {
			[]step.Flow{flow("backup", 1, step.Step{Name: "await", OnCancel: "stop"})},
			"flow backup version 1: step await goes to stop on cancel, which is no step",
		},
		"one version twice": {
			[]step.Flow{flow("backup", 1), flow("backup", 2), flow("backup", 1)},
			"flow backup version 1 is defined twice",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := step.NewBook(c.flows...)
			require.EqualError(t, err, c.want)
		})
	}
}

func TestA_book_finds_every_version_and_starts_the_newest(t *testing.T) {
	t.Parallel()
	book, err := step.NewBook(
		flow("backup", 2, step.Step{Name: "trigger", Effect: step.Once, Look: look}),
		flow("protect", 1), flow("backup", 10), flow("backup", 1),
	)
	require.NoError(t, err)
	for version, known := range map[int]bool{0: false, 1: true, 2: true, 3: false, 10: true} {
		f, ok := book.Find("backup", version)
		require.Equal(t, known, ok, "version %d", version)
		if known {
			require.Equal(t, version, f.Version)
		}
	}
	newest, ok := book.Newest("backup")
	require.True(t, ok)
	require.Equal(t, 10, newest.Version)
	_, ok = book.Newest("restore")
	require.False(t, ok)
	require.Equal(t, []string{"protect", "backup"}, book.Names())
}

func TestAn_empty_book_knows_nothing(t *testing.T) {
	t.Parallel()
	book, err := step.NewBook()
	require.NoError(t, err)
	require.Empty(t, book.Names())
	_, ok := book.Find("backup", 1)
	require.False(t, ok)
}

func TestA_flow_lists_its_steps_in_order(t *testing.T) {
	t.Parallel()
	f := flow("backup", 1, step.Step{Name: "find"}, step.Step{Name: "await"})
	require.Equal(t, operation.Plan{"find", "await"}, f.Plan())
	s, ok := f.Step("await")
	require.True(t, ok)
	require.Equal(t, "await", s.Name)
	_, ok = f.Step("Await")
	require.False(t, ok)
}
