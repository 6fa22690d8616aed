package engine

import (
	"context"
	"fmt"
	"maps"
	"runtime/debug"
	"time"

	"azbackupflow/internal/operation"
	"azbackupflow/internal/request"
	"azbackupflow/internal/step"
)

// Rehearsal is what an operation would do, as far as that can be known without
// doing it.
type DryRunResult struct {
	// Operation is what Start would create. Nothing of it is saved.
	Operation operation.Operation
	Steps     []DryRunStep
	// Problem is what would go wrong now; nil where nothing was seen.
	Problem *operation.Error
	// Open says why what follows cannot be known; empty where the rehearsal came
	// to the operation's end.
	Open string
}

// RehearsedStep is one step of a rehearsal.
type DryRunStep struct {
	Step   string
	Effect step.Effect
	// Note says what Azure's answer meant.
	Note string
	// Made are the calls that only read, Unsent those that were not made.
	Made   []operation.Exchange
	Unsent []step.Unsent
}

// rehearsalLimit bounds a rehearsal, and mostRehearsed its steps: flows go back.
const (
	maxDryRunTime  = 60 * time.Second
	maxDryRunSteps = 40
)

// Rehearse runs an operation's steps against Azure without saving anything and
// without any call that changes something. Reads are made. A call that would
// change something is listed with its body, and the rehearsal goes on with the
// steps after it as if it had been made, as far as they can tell. Errors that
// the sender can mend are *step.Invalid.
func (e *Engine) DryRun(ctx context.Context, r request.Request) (DryRunResult, error) {
	op, err := e.Prepare(r)
	if err != nil {
		return DryRunResult{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, maxDryRunTime)
	defer cancel()
	flow, _ := e.cfg.Flows.Find(op.Flow, op.Version)
	run := dryRun{engine: e, flow: flow, op: op}
	run.op.Learned = maps.Clone(op.Learned)
	result := DryRunResult{Operation: op}
	result.Problem, result.Open = run.steps(ctx)
	result.Steps = run.done
	return result, nil
}

// rehearsal is a rehearsal under way.
type dryRun struct {
	engine *Engine
	flow   step.Flow
	// op is the operation as it would stand.
	op   operation.Operation
	done []DryRunStep
	// assumed says that a call was not made: what follows goes on as if it had
	// been.
	assumed bool
}

// steps runs steps until the operation would end, or nothing more can be known.
func (r *dryRun) steps(ctx context.Context) (problem *operation.Error, open string) {
	for range maxDryRunSteps {
		s, ok := r.flow.Step(r.op.Step)
		if !ok {
			return nil, "" // beyond the last step
		}
		if s.AwaitsResult && r.assumed {
			if s.FinishesOperation {
				return nil, ""
			}
			r.op.Step = r.after(s.Name)
			continue
		}
		out, unsent, err := r.run(ctx, s)
		switch {
		case unsent:
			r.assumed = true
			r.op.Step = r.after(s.Name)
			continue
		case err != nil && r.assumed:
			return nil, fmt.Sprintf("step %s depends on what Azure makes of the calls before it: %s", s.Name, err.Message)
		case err != nil:
			return err, ""
		}
		switch out.Kind {
		case operation.Advance:
			r.learn(out)
			r.op.Step = out.Next
			if out.Next == "" {
				r.op.Step = r.after(s.Name)
			}
		case operation.Finish:
			return nil, ""
		case operation.Wait, operation.Back, operation.Stop, operation.Unclear:
			return stops(s, out, r.assumed)
		}
	}
	return nil, "the steps go round; what follows depends on Azure"
}

// stops is what a rehearsal ends with where the operation would not simply go
// on.
func stops(s step.Step, out operation.Outcome, assumed bool) (*operation.Error, string) {
	why := out.Note
	if out.Err != nil {
		why = out.Err.Message
	}
	switch {
	case assumed:
		return nil, fmt.Sprintf("step %s depends on what Azure makes of the calls before it: %s", s.Name, why)
	case out.Kind == operation.Wait:
		return nil, fmt.Sprintf("step %s would wait: %s", s.Name, why)
	case out.Err != nil:
		return out.Err, ""
	}
	return nil, fmt.Sprintf("step %s would stop: %s", s.Name, why)
}

// run runs one step; unsent reports that it made a call that was not sent.
func (r *dryRun) run(ctx context.Context, s step.Step) (out operation.Outcome, unsent bool, failed *operation.Error) {
	calls, recorder := &step.DryRun{}, &step.Recorder{}
	defer func() {
		if p := recover(); p != nil {
			failed = &operation.Error{Code: "Panic", Class: operation.Fatal, Message: fmt.Sprintf("step %s panicked: %v\n%s", s.Name, p, debug.Stack())}
		}
		line := DryRunStep{Step: s.Name, Effect: s.Effect, Note: out.Note, Made: recorder.Exchanges(), Unsent: calls.Calls()}
		unsent = len(line.Unsent) > 0
		if failed != nil && !unsent {
			line.Note = failed.Message
		}
		r.done = append(r.done, line)
	}()
	out, err := s.Run(ctx, step.Call{Operation: r.op, Now: r.engine.cfg.Now(), AttemptID: r.engine.cfg.NewID(), Recorder: recorder, DryRun: calls})
	return out, false, asError(err)
}

// learn takes over what a step found out.
func (r *dryRun) learn(out operation.Outcome) {
	known := maps.Clone(r.op.Learned)
	if known == nil {
		known = map[string]string{}
	}
	for name, value := range out.Learned {
		if known[name] = value; value == "" {
			delete(known, name)
		}
	}
	r.op.Learned = known
	if out.Tracking != nil {
		r.op.Tracking = out.Tracking
	}
}

// after names the step that follows; empty after the last.
func (r *dryRun) after(name string) string {
	plan := r.flow.Plan()
	for i := range len(plan) - 1 {
		if plan[i] == name {
			return plan[i+1]
		}
	}
	return ""
}
