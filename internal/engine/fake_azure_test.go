package engine_test

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
	"time"

	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

// azure answers the calls of the tests' flows.
type azure struct {
	clock func() time.Time
	mu    sync.Mutex
	// answers are the planned answers by step. After them each step has its
	// usual answer.
	answers map[string][]answer
	// every, if set, is the answer of all calls.
	every answer
	calls []made
	// jobs holds the attempt IDs of the calls that started a job.
	jobs []string
}

// made records a call.
type made struct {
	step    string
	attempt string
	at      time.Time
}

// answer produces the result of one call.
type answer func(*azure, step.Call) (operation.Outcome, error)

// on plans the answers of the next calls of a step, or of its reconciliation,
// which is named "reconcile".
func (a *azure) on(name string, next ...answer) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.answers == nil {
		a.answers = map[string][]answer{}
	}
	a.answers[name] = append(a.answers[name], next...)
}

func (a *azure) take(name string, usual answer) answer {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.every != nil {
		return a.every
	}
	if next := a.answers[name]; len(next) > 0 {
		a.answers[name] = next[1:]
		return next[0]
	}
	return usual
}

// made returns the calls of one step, or all calls, in order.
func (a *azure) made(name string) (found []made) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, c := range a.calls {
		if name == "" || c.step == name {
			found = append(found, c)
		}
	}
	return found
}

func (a *azure) startJob(attempt string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.jobs = append(a.jobs, attempt)
}

func (a *azure) hasJob(attempt string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Contains(a.jobs, attempt)
}

// does returns a step's Run with the given usual answer.
func (a *azure) does(name string, usual answer) func(context.Context, step.Call) (operation.Outcome, error) {
	return func(_ context.Context, c step.Call) (operation.Outcome, error) {
		a.mu.Lock()
		a.calls = append(a.calls, made{name, c.AttemptID, a.clock()})
		a.mu.Unlock()
		c.Recorder.Record(operation.Exchange{Method: "GET", Path: "/" + name, Status: 200})
		return a.take(name, usual)(a, c)
	}
}

// returns is an answer with a constant outcome.
func returns(out operation.Outcome) answer {
	return func(*azure, step.Call) (operation.Outcome, error) { return out, nil }
}

// fails is an answer with an error.
func fails(err error) answer {
	return func(*azure, step.Call) (operation.Outcome, error) { return operation.Outcome{}, err }
}

// dies ends the process during a call without effect.
func dies(*azure, step.Call) (operation.Outcome, error) { return operation.Outcome{}, die() }

// accepted is the usual answer of a trigger: a job starts.
func accepted(a *azure, c step.Call) (operation.Outcome, error) {
	a.startJob(c.AttemptID)
	return operation.Outcome{Kind: operation.Advance, After: 30 * time.Second, Tracking: &operation.Tracking{StatusURL: "https://signed"}}, nil
}

// unanswered is a call whose answer is lost. started is true if the call took
// effect.
func unanswered(started bool) answer {
	return func(a *azure, c step.Call) (operation.Outcome, error) {
		if started {
			a.startJob(c.AttemptID)
		}
		return operation.Outcome{}, &operation.Error{Code: "NoAnswer", Class: operation.Transient, Message: "reset", Ambiguous: true}
	}
}

func throttled(after time.Duration) answer {
	return fails(&operation.Error{Code: "ResourceRequestsThrottled", Class: operation.Throttled, HTTPStatus: 429, RetryAfter: after})
}

// reconcile finds the job of the attempt.
func (a *azure) reconcile(ctx context.Context, c step.Call) (operation.Reconciliation, error) {
	out, err := a.does("reconcile", func(a *azure, c step.Call) (operation.Outcome, error) {
		if a.hasJob(c.AttemptID) {
			return operation.Outcome{Kind: operation.Advance, Tracking: &operation.Tracking{JobID: c.AttemptID}}, nil
		}
		return operation.Outcome{}, nil
	})(ctx, c)
	switch {
	case err != nil:
		return operation.Reconciliation{}, err
	case out.Kind == operation.Unclear:
		return operation.Reconciliation{Result: operation.Ambiguous, Err: out.Err}, nil
	case out.Kind == "":
		return operation.Reconciliation{Result: operation.NotFound}, nil
	}
	return operation.Reconciliation{Result: operation.Found, Outcome: out}, nil
}

// demo is a flow with one step of each effect, and a job at its end.
func demo(a *azure) step.Flow {
	steps := []step.Step{
		{Name: "find", Effect: step.Read},
		{Name: "refresh", Effect: step.Repeatable},
		{Name: "protect", Effect: step.Idempotent},
		{Name: "trigger", Effect: step.Once, Reconcile: a.reconcile},
		{Name: "await", Effect: step.Read},
	}
	for i := range steps {
		steps[i].Run = a.does(steps[i].Name, usual(steps[i].Name))
	}
	return step.Flow{Name: "demo", Version: 1, Deadline: 24 * time.Hour, Check: checkDemo, Steps: steps}
}

// usual returns the usual answer for a step of the demo flow.
func usual(name string) answer {
	switch name {
	case "find":
		return returns(operation.Outcome{Kind: operation.Advance, Pace: operation.PaceNow, Learned: map[string]string{"item": "i1"}, Note: "found i1"})
	case "refresh":
		return returns(operation.Outcome{Kind: operation.Advance, After: 10 * time.Second})
	case "trigger":
		return accepted
	case "await":
		return returns(operation.Outcome{Kind: operation.Advance, Note: "job completed"})
	}
	return returns(operation.Outcome{Kind: operation.Advance})
}

type demoParameters struct {
	Share string `json:"share"`
}

func checkDemo(raw json.RawMessage) (json.RawMessage, error) {
	var p demoParameters
	if err := step.Decode(raw, &p, "parameters"); err != nil {
		return nil, err
	}
	if p.Share == "" {
		return nil, &step.Invalid{Fields: []step.FieldError{{Field: "parameters.share", Problem: "is missing", Want: "a file share"}}}
	}
	return json.Marshal(p)
}
