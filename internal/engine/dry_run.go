package engine

import (
	"context"
	"fmt"
	"time"

	"azbackupflow/internal/operation"
	"azbackupflow/internal/request"
	"azbackupflow/internal/step"
)

// DryRunResult describes what an operation would do, as far as that can be known
// without doing it.
type DryRunResult struct {
	// Operation is the operation that Start would create. It is not saved.
	Operation operation.Operation
	Steps     []DryRunStep
	// Problem is the error that the operation would meet now. Nil means none.
	Problem *operation.Error
	// Open is the reason why the remaining steps are unknown. It is empty if
	// the dry run reached the operation's end.
	Open string
}

// DryRunStep is one step of a dry run.
type DryRunStep struct {
	Step   string
	Effect step.Effect
	// Note explains Azure's answer.
	Note string
	// Made are the read calls, Unsent the write calls, which were not sent.
	Made   []operation.Exchange
	Unsent []step.Unsent
}

// Limits of a dry run. Flows may go back, so that the number of steps has no
// other limit.
const (
	maxDryRunTime  = 60 * time.Second
	maxDryRunSteps = 40
)

// DryRun runs an operation's steps against Azure. It saves nothing and sends no
// write call. It sends read calls. It lists each write call with its body and
// continues with the following steps as if the call had been made, as far as
// those steps allow. Errors that the sender can correct are *step.Invalid.
func (e *Engine) DryRun(ctx context.Context, r request.Request) (DryRunResult, error) {
	op, err := e.Prepare(r)
	if err != nil {
		return DryRunResult{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, maxDryRunTime)
	defer cancel()
	flow, _ := e.cfg.Flows.Find(op.Flow, op.Version)
	run := dryRun{engine: e, flow: flow, op: op}
	result := DryRunResult{Operation: op}
	result.Problem, result.Open = run.steps(ctx)
	result.Steps = run.done
	return result, nil
}

// dryRun is a dry run in progress.
type dryRun struct {
	engine *Engine
	flow   step.Flow
	// op is the operation as it would be now.
	op   operation.Operation
	done []DryRunStep
	// assumed is true after a write call that was not sent: the following steps
	// assume that it was.
	assumed bool
}

// steps runs steps until the operation would end, or until the rest is unknown.
func (r *dryRun) steps(ctx context.Context) (problem *operation.Error, open string) {
	for range maxDryRunSteps {
		s, _ := r.flow.Step(r.op.Step)
		out := operation.Outcome{Kind: operation.Advance}
		if !s.AwaitsResult || !r.assumed {
			answer, unsent, err := r.run(ctx, s)
			switch {
			case unsent:
				r.assumed = true
			case err != nil && r.assumed:
				return nil, dependsOnAzure(s, err.Message)
			case err != nil:
				return err, ""
			default:
				out = answer
			}
		} else if s.FinishesOperation {
			return nil, ""
		}
		r.op, _ = r.op.Answered(r.flow.Plan(), out, r.engine.input())
		switch {
		case r.op.Status.Successful():
			return nil, ""
		case out.Kind != operation.Advance:
			return r.stopped(s, out)
		}
	}
	return nil, "the steps repeat; the rest depends on Azure"
}

// stopped returns the end of a dry run whose operation would neither advance nor
// succeed.
func (r *dryRun) stopped(s step.Step, out operation.Outcome) (*operation.Error, string) {
	why := out.Note
	if r.op.LastError != nil {
		why = r.op.LastError.Message
	}
	switch {
	case r.assumed:
		return nil, dependsOnAzure(s, why)
	case r.op.LastError != nil:
		return r.op.LastError, ""
	case out.Kind == operation.Wait:
		return nil, fmt.Sprintf("step %s would wait: %s", s.Name, why)
	}
	return nil, fmt.Sprintf("step %s would stop: %s", s.Name, why)
}

func dependsOnAzure(s step.Step, why string) string {
	return fmt.Sprintf("step %s depends on Azure's answers to the calls before it: %s", s.Name, why)
}

// run runs one step. unsent reports that the step made a write call.
func (r *dryRun) run(ctx context.Context, s step.Step) (out operation.Outcome, unsent bool, failed *operation.Error) {
	calls, recorder := &step.DryRun{}, &step.Recorder{}
	defer func() {
		if p := recover(); p != nil {
			failed = panicError(s.Name, p)
		}
		line := DryRunStep{Step: s.Name, Effect: s.Effect, Note: out.Note, Made: recorder.Exchanges(), Unsent: calls.Calls()}
		unsent = len(line.Unsent) > 0
		if failed != nil && !unsent {
			line.Note = failed.Message
		}
		r.done = append(r.done, line)
	}()
	out, err := s.Run(ctx, step.Call{
		Operation: r.op, Now: r.engine.cfg.Now(), AttemptID: r.engine.cfg.NewID(), Recorder: recorder, DryRun: calls,
	})
	return out, false, asError(err)
}
