package engine

import (
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/operation"
)

// cleaning returns the rules of a flow that cleans up after a failure.
func cleaning() rules {
	r := soundRules()
	r.cleans = true
	return r
}

// A flow that cleans up never ends before it has: whatever fails, and
// whenever it is canceled.
func TestModel_CleansUpBeforeEveryEnd(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes seconds: explores every interleaving")
	}
	for name, f := range map[string]faults{
		"nothing goes wrong":           {},
		"crashes":                      {crashes: 1},
		"lost answers":                 {lostAnswers: 2},
		"canceled twice":               {cancels: 2},
		"canceled and the answer lost": {cancels: 1, lostAnswers: 1},
		"canceled and unknown save":    {cancels: 1, savesUnknown: 1},
		"table away and canceled":      {outages: 1, cancels: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checkWith(t, cleaning(), f, 200_000)
		})
	}
}

// The call was made before, so that the exploration ends in seconds.
func TestModel_CleansUpAfterAStart(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes seconds: explores every interleaving")
	}
	for name, f := range map[string]faults{
		"canceled and crash":  {cancels: 1, crashes: 1},
		"canceled, duplicate": {cancels: 1, duplicates: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := cleaning()
			r.started = true
			checkWith(t, r, f, 200_000)
		})
	}
}

func TestModel_FindsAMissingCleanUp(t *testing.T) {
	t.Parallel()
	r := cleaning()
	r.noCleanUp = true
	v := explore(r, faults{cancels: 1}, 200_000)
	require.Contains(t, v.wrong, "without a clean-up")
}

// notCleaned reports an operation that ended without a clean-up after its start.
func notCleaned(r rules, w world) bool {
	return r.cleans && w.row.Status.Terminal() && !w.cleaned
}

// endedAsItFailed reports an operation that cleaned up and ended as it would have
// without that.
func endedAsItFailed(op operation.Operation) bool {
	return len(op.Failures) > 0 && op.Failures[0].Status == op.Status
}
