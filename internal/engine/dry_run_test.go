package engine_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/operation"
	"azbackupflow/internal/request"
	"azbackupflow/internal/step"
)

// scripted returns a flow whose steps have the given outcomes, in order. Each
// step records the operation that it sees.
func scripted(seen *[]operation.Operation, outcomes ...operation.Outcome) func(*azure) step.Flow {
	return func(*azure) step.Flow {
		f := step.Flow{
			Name: "scripted", Version: 1, Deadline: time.Hour,
			Check: func(p json.RawMessage) (json.RawMessage, error) { return p, nil },
		}
		for i, out := range outcomes {
			f.Steps = append(f.Steps, step.Step{
				Name: string(rune('a' + i)), Effect: step.Read,
				Run: func(_ context.Context, c step.Call) (operation.Outcome, error) {
					*seen = append(*seen, c.Operation)
					return out, nil
				},
			})
		}
		return f
	}
}

// A dry run interprets outcomes with the same transitions as a real run.
func TestDryRun_FollowsTheTransitions(t *testing.T) {
	t.Parallel()
	scriptedRequest := request.Request{Flow: "scripted", Parameters: json.RawMessage(`{}`)}
	fatal := &operation.Error{Code: "No", Class: operation.Fatal, Message: "not possible"}

	t.Run("an empty tracking record removes the tracking", func(t *testing.T) {
		t.Parallel()
		var seen []operation.Operation
		r := newRig(t, scripted(&seen,
			operation.Outcome{Kind: operation.Advance, Tracking: &operation.Tracking{JobID: "j1"}, Learned: map[string]string{"item": "i1"}},
			operation.Outcome{Kind: operation.Advance, Tracking: &operation.Tracking{}, Learned: map[string]string{"item": ""}},
			operation.Outcome{Kind: operation.Finish},
		))
		result, err := r.engine.DryRun(r.ctx(), scriptedRequest)
		require.NoError(t, err)
		require.Nil(t, result.Problem)
		require.Empty(t, result.Open)
		require.Len(t, seen, 3)
		require.Equal(t, "j1", seen[1].Tracking.JobID)
		require.Equal(t, map[string]string{"item": "i1"}, seen[1].Learned)
		require.Nil(t, seen[2].Tracking)
		require.Empty(t, seen[2].Learned)
		require.Equal(t, operation.Pending, result.Operation.Status)
		require.Nil(t, result.Operation.Learned, "the dry run does not change the prepared operation")
	})

	ends := map[string]struct {
		outcome operation.Outcome
		problem *operation.Error
		open    string
	}{
		"an advance beyond the last step succeeds": {operation.Outcome{Kind: operation.Advance}, nil, ""},
		"a warning succeeds":                       {operation.Outcome{Kind: operation.Finish, Warnings: []string{"slow"}}, nil, ""},
		"a wait is open":                           {operation.Outcome{Kind: operation.Wait, Note: "job j1"}, nil, "step a would wait: job j1"},
		"a stop is open":                           {operation.Outcome{Kind: operation.Stop, Note: "canceled"}, nil, "step a would stop: canceled"},
		"going back is a problem":                  {operation.Outcome{Kind: operation.Back, Next: "a", Err: fatal}, fatal, ""},
		"an unclear outcome is a problem":          {operation.Outcome{Kind: operation.Unclear, Err: fatal}, fatal, ""},
	}
	for name, c := range ends {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var seen []operation.Operation
			r := newRig(t, scripted(&seen, c.outcome))
			result, err := r.engine.DryRun(r.ctx(), scriptedRequest)
			require.NoError(t, err)
			require.Equal(t, c.problem, result.Problem)
			require.Equal(t, c.open, result.Open)
			require.Len(t, result.Steps, 1)
			require.Empty(t, r.queue.Waiting(), "a dry run sends nothing")
			require.Empty(t, r.live(), "a dry run saves nothing")
		})
	}
}

// dependent returns a flow whose first step writes, and whose second reads with an
// error, and one whose first step follows work that already runs.
func dependent(fails *operation.Error, looked *bool) func(*azure) step.Flow {
	return func(*azure) step.Flow {
		return step.Flow{
			Name: "dependent", Version: 1, Deadline: time.Hour,
			Check: func(p json.RawMessage) (json.RawMessage, error) { return p, nil },
			Steps: []step.Step{
				{Name: "look", Effect: step.Read, AwaitsResult: true, Run: func(context.Context, step.Call) (operation.Outcome, error) {
					*looked = true
					return operation.Outcome{Kind: operation.Advance}, nil
				}},
				{Name: "write", Effect: step.Idempotent, Run: func(_ context.Context, c step.Call) (operation.Outcome, error) {
					c.DryRun.Add(step.Unsent{Method: "PUT", Path: "/x"})
					return operation.Outcome{Kind: operation.Advance}, nil
				}},
				{Name: "read", Effect: step.Read, Run: func(context.Context, step.Call) (operation.Outcome, error) {
					return operation.Outcome{}, fails
				}},
			},
		}
	}
}

// An error after a call that was not sent may only be due to that. A step that
// follows work is run if no call was unsent before it: the work really runs.
func TestDryRun_DependsOnTheCallsThatItDoesNotSend(t *testing.T) {
	t.Parallel()
	looked := false
	r := newRig(t, dependent(&operation.Error{Code: "NotFound", Class: operation.Fatal, Message: "x does not exist"}, &looked))
	result, err := r.engine.DryRun(r.ctx(), request.Request{Flow: "dependent", Parameters: json.RawMessage(`{}`)})
	require.NoError(t, err)
	require.True(t, looked)
	require.Nil(t, result.Problem)
	require.Equal(t, "step read depends on Azure's answers to the calls before it: x does not exist", result.Open)
	require.Len(t, result.Steps, 3)
	require.Equal(t, []step.Unsent{{Method: "PUT", Path: "/x"}}, result.Steps[1].Unsent)
}
