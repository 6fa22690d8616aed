package operation

import (
	"fmt"
	"slices"
)

// maxRestarts limits how often a corrected request replaces an earlier one.
const maxRestarts = 20

// Restartable reports whether a corrected request may replace the operation's: it
// failed or timed out, and it has made no call that may have changed something in
// Azure. reads reports that the step at which it ended only reads: an answer to
// an earlier call of another step may be lost.
func (op Operation) Restartable(reads bool) bool {
	_, err := op.Status.To(Corrected)
	return err == nil && op.OnlyRead && reads && op.Claim == nil && len(op.EarlierRequests) < maxRestarts
}

// Replaced reports whether a request was replaced by a corrected one.
func (op Operation) Replaced(requestHash string) bool {
	return slices.Contains(op.EarlierRequests, requestHash)
}

// Restarted returns an operation that is Restartable and starts again with a
// corrected request. corrected is the operation that this request would create.
// ID, creation time, history and pending notices stay, as does the bulk unless
// corrected is part of another one.
func (op Operation) Restarted(corrected Operation, in Input) (Operation, Event) {
	next := op.advance(in)
	next.Identity = corrected.Identity
	if next.Bulk == "" {
		next.Bulk = op.Bulk
	}
	next.CreatedAt = op.CreatedAt
	next.EarlierRequests = append(slices.Clone(op.EarlierRequests), op.RequestHash)
	next.Step, next.StepStartedAt = corrected.Step, in.Now
	next.DueAt, next.Deadline = corrected.DueAt, corrected.Deadline
	next.WaitingFor, next.Warnings, next.EndedAt = "", nil, corrected.EndedAt
	next.Failures, next.Validation = nil, nil
	next.CancelRequested, next.CancelCause, next.Paused = false, Cause{}, false
	next.AzureState = corrected.AzureState
	next.Retry = Retry{Round: op.Round + 1, RetriedAt: in.Now}
	next.ReplyTo = corrected.ReplyTo
	next.move(Corrected, in.Now)
	what := fmt.Sprintf("started again with a corrected request; round %d ended %s and had changed nothing in Azure", op.Round, op.Status)
	return next, next.event(what, in).With(corrected.Cause)
}
