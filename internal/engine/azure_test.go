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
	// answers are those that a test planned, by step; beyond them each step
	// has its usual one.
	answers map[string][]answer
	// every, if set, is the answer of all calls.
	every answer
	calls []made
	// jobs are the attempt ids of the calls that started one.
	jobs []string
}

// made is a call that was made.
type made struct {
	step    string
	attempt string
	at      time.Time
}

// answer is how one call turns out.
type answer func(*azure, step.Call) (operation.Outcome, error)

// on plans the answers of the next calls of a step, or of its look, which is
// named "look".
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

// made lists the calls of one step, or all in their order.
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

// does makes a step's Run of its usual answer.
func (a *azure) does(name string, usual answer) func(context.Context, step.Call) (operation.Outcome, error) {
	return func(_ context.Context, c step.Call) (operation.Outcome, error) {
		a.mu.Lock()
		a.calls = append(a.calls, made{name, c.AttemptID, a.clock()})
		a.mu.Unlock()
		c.Recorder.Record(operation.Exchange{Method: "GET", Path: "/" + name, Status: 200})
		return a.take(name, usual)(a, c)
	}
}

// says is an answer that is always the same.
func says(out operation.Outcome) answer {
	return func(*azure, step.Call) (operation.Outcome, error) { return out, nil }
}

// fails is an error as the answer.
func fails(err error) answer {
	return func(*azure, step.Call) (operation.Outcome, error) { return operation.Outcome{}, err }
}

// dies ends the process during the call, which has no effect.
func dies(*azure, step.Call) (operation.Outcome, error) { return operation.Outcome{}, die() }

// accepted is what a trigger usually answers: a job starts.
func accepted(a *azure, c step.Call) (operation.Outcome, error) {
	a.startJob(c.AttemptID)
	return operation.Outcome{Kind: operation.Advance, After: 30 * time.Second, Tracking: &operation.Tracking{StatusURL: "https://signed"}}, nil
}

// unanswered is a call whose answer gets lost; started says whether it had
// taken effect.
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

// look finds the job of the attempt.
func (a *azure) look(ctx context.Context, c step.Call) (operation.Reconciliation, error) {
	out, err := a.does("look", func(a *azure, c step.Call) (operation.Outcome, error) {
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
		{Name: "trigger", Effect: step.Once, Reconcile: a.look},
		{Name: "await", Effect: step.Read},
	}
	for i := range steps {
		steps[i].Run = a.does(steps[i].Name, usual(steps[i].Name))
	}
	return step.Flow{Name: "demo", Version: 1, Deadline: 24 * time.Hour, Check: checkDemo, Steps: steps}
}

// usual is what a step of the demo flow is answered when no test says
// otherwise.
func usual(name string) answer {
	switch name {
	case "find":
		return says(operation.Outcome{Kind: operation.Advance, Pace: operation.PaceNow, Learned: map[string]string{"item": "i1"}, Note: "found i1"})
	case "refresh":
		return says(operation.Outcome{Kind: operation.Advance, After: 10 * time.Second})
	case "trigger":
		return accepted
	case "await":
		return says(operation.Outcome{Kind: operation.Advance, Note: "job completed"})
	}
	return says(operation.Outcome{Kind: operation.Advance})
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
