package httpapi

import (
	"time"

	"azbackupflow/internal/api"
	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/preflight"
	"azbackupflow/internal/rejected"
	"azbackupflow/internal/step"
)

// singleOperation is publicOperation for an answer about one operation, which also
// has the steps that the operation can take.
func (a *API) singleOperation(op operation.Operation) api.Operation {
	public := a.publicOperation(op)
	if f, ok := a.cfg.Flows.Find(op.Flow, op.Version); ok {
		public.Steps = f.StepsOf(op)
	}
	return public
}

// publicOperation returns the wire form of an operation. It leaves out the
// status URLs of Azure, because such a URL grants access without a token.
func (a *API) publicOperation(op operation.Operation) api.Operation {
	public := api.Operation{
		ID: op.ID, Flow: op.Flow, Version: op.Version, Key: op.Key, Status: api.Status(op.Status), Step: op.Step, Seq: op.Seq,
		Labels: op.Labels, JobID: op.Learned["jobId"], Learned: op.Learned, Warnings: op.Warnings, Error: publicError(op.LastError),
		WaitingFor: op.WaitingFor, DueAt: op.DueAt, Deadline: op.Deadline, Attempts: op.Attempts,
		CancelRequested: op.CancelRequested, Paused: op.Paused,
		Bulk: op.Bulk, Round: op.Round, StartedBy: publicActor(op.Cause), Reason: op.Cause.Reason,
		CreatedAt: op.CreatedAt, UpdatedAt: op.UpdatedAt, EndedAt: op.EndedAt, Parameters: op.Parameters,
	}
	public.Vault, public.Item = a.subject(op)
	public.Validation = publicValidation(op.Validation)
	if op.Tracking != nil && op.Tracking.JobID != "" {
		public.JobID = op.Tracking.JobID
	}
	return public
}

func publicValidation(v *operation.Validation) *api.DrillValidation {
	if v == nil {
		return nil
	}
	public := &api.DrillValidation{Target: v.Target, Opened: v.Opened, Closes: v.Closes}
	if v.Answer != nil {
		public.Answer = &api.ValidationAnswer{
			Result: string(v.Answer.Result), Text: v.Answer.Text, By: publicActor(operation.Cause{Actor: v.Answer.By}), At: v.Answer.At,
		}
	}
	return public
}

// publicActor returns the actor of a cause; nil if it is unknown.
func publicActor(c operation.Cause) *api.Actor {
	if c.Actor.Kind == "" {
		return nil
	}
	return &api.Actor{Kind: string(c.Actor.Kind), ID: c.Actor.ID}
}

func publicError(e *operation.Error) *api.Error {
	if e == nil {
		return nil
	}
	return &api.Error{
		Code: e.Code, Message: e.Message, Class: string(e.Class), RecommendedAction: e.RecommendedAction, HTTPStatus: e.HTTPStatus,
		Target: e.Target, InfoType: e.InfoType, ActivityID: e.ActivityID,
		CorrelationID: e.CorrelationID, RetryAfter: int64((e.RetryAfter + time.Second - 1) / time.Second), Ambiguous: e.Ambiguous,
	}
}

// publicEvent returns the wire form of an event. Only events have the detail of
// an error.
func publicEvent(ev operation.Event) api.Event {
	public := api.Event{
		Seq: ev.Seq, At: ev.At, Step: ev.Step, Next: ev.Next, Status: api.Status(ev.Status), What: ev.What, Exchanges: publicExchanges(ev.Exchanges),
		DueAt: ev.DueAt, Err: publicError(ev.Err), WriteID: ev.WriteID,
	}
	if ev.Cause != nil {
		public.Actor, public.Reason = publicActor(*ev.Cause), ev.Cause.Reason
	}
	if public.Err != nil {
		public.Err.Detail = ev.Err.Detail
	}
	return public
}

func publicExchanges(all []operation.Exchange) []api.Exchange {
	var public []api.Exchange
	for _, x := range all {
		public = append(public, api.Exchange(x))
	}
	return public
}

func validation(run engine.DryRunResult, steps []string) api.Validation {
	op := run.Operation
	v := api.Validation{
		Valid: true, Flow: op.Flow, Version: op.Version, Parameters: op.Parameters, Steps: steps,
		OK: run.Problem == nil, Problem: publicError(run.Problem), Incomplete: run.Open,
		DryRun: []api.DryRunStep{},
	}
	for _, s := range run.Steps {
		public := api.DryRunStep{Step: s.Step, Effect: string(s.Effect), Note: s.Note, Made: publicExchanges(s.Made)}
		for _, call := range s.Unsent {
			public.WouldMake = append(public.WouldMake, api.UnsentCall(call))
		}
		v.DryRun = append(v.DryRun, public)
	}
	return v
}

func publicRejected(r rejected.Request) api.RejectedRequest {
	return api.RejectedRequest{
		ID: r.ID, At: r.At, Source: string(r.Source), MessageID: r.MessageID, Key: r.Key, Flow: r.Flow, Reason: r.Reason,
		Fields: fieldErrors(r.Fields), Body: r.Body, BodyType: r.BodyType, BodySize: r.BodySize, BodyEncoding: r.BodyEncoding, Redacted: r.Redacted,
		ReplyTo: r.ReplyTo, ReplayedAt: r.ReplayedAt, ReplayedAs: r.ReplayedAs,
		ReplayedBy: publicActor(r.ReplayedBy), ReplayReason: r.ReplayedBy.Reason,
	}
}

func publicPreflight(r preflight.Report) api.Preflight {
	p := api.Preflight{OK: r.OK, Findings: []api.Finding{}}
	for _, f := range r.Findings {
		p.Findings = append(p.Findings, api.Finding(f))
	}
	return p
}

func fieldErrors(fields []step.FieldError) []api.FieldError {
	var public []api.FieldError
	for _, f := range fields {
		public = append(public, api.FieldError(f))
	}
	return public
}
