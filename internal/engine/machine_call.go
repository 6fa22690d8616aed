package engine

import (
	"time"

	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

// run makes the step's call, not after the given time unless that is zero.
func (m Machine) run(attemptID string, notAfter time.Time) (Machine, Command) {
	m.Phase = calling
	return m, Command{Action: Run, Row: m.Row, AttemptID: attemptID, NotAfter: notAfter}
}

// called saves the result of the step's call.
func (m Machine) called(env Env, r Result) (Machine, Command) {
	op, in := m.Row.Operation, m.stepInput(env)
	var next operation.Operation
	var ev operation.Event
	switch {
	case r.TooLate:
		next, ev = op.ClaimExpired(in)
	case r.Panicked:
		next, ev = op.Parked(r.Err, in)
	case r.Deferral != nil:
		next, ev = op.Defer(r.Deferral, false, in)
	case r.Err != nil:
		next, ev = op.StepFailed(r.Err, in)
	default:
		flow, _ := env.Flow(op.Flow, op.Version)
		next, ev = op.Answered(flow.Plan(), r.Outcome, in)
	}
	next.OnlyRead = next.OnlyRead && m.reads(env)
	ev.Exchanges = r.Exchanges
	return m.saveStep(next, ev)
}

// reads reports whether the current step only reads.
func (m Machine) reads(env Env) bool {
	flow, _ := env.Flow(m.Row.Operation.Flow, m.Row.Operation.Version)
	s, known := flow.Step(m.Row.Operation.Step)
	return known && s.Effect == step.Read
}

// reconciled saves the result of a reconciliation.
func (m Machine) reconciled(env Env, r Result) (Machine, Command) {
	op, in := m.Row.Operation, m.stepInput(env)
	var next operation.Operation
	var ev operation.Event
	switch {
	case r.Panicked:
		next, ev = op.Parked(r.Err, in)
	case r.Deferral != nil:
		next, ev = op.Defer(r.Deferral, true, in)
	case r.Err != nil:
		next, ev = op.ReconcileFailed(r.Err, in)
	default:
		flow, _ := env.Flow(op.Flow, op.Version)
		next, ev = op.Reconciled(flow.Plan(), r.Reconciliation, in)
	}
	next.OnlyRead = false
	ev.Exchanges = r.Exchanges
	return m.saveStep(next, ev)
}
