package handlers

import (
	"context"
	"fmt"

	"azbackupflow/internal/customhandler"
	"azbackupflow/internal/settings"
)

// DeadLettered handles the dead-letter queue of `requests`: a request that was
// delivered too often is refused like one that is wrong, so that it is seen.
func (r Requests) DeadLettered(ctx context.Context, inv customhandler.Invocation) (customhandler.Result, error) {
	reason, description := inv.DeadLetterReason()
	raw, err := inv.Payload(binding)
	if err != nil {
		customhandler.Logger(ctx).WarnContext(ctx, "a dead-lettered request has no body", "messageId", inv.MessageID(), "error", err)
	}
	return customhandler.Result{}, r.Refuse.Refuse(ctx, Refused{
		Source: settings.RequestsQueue + "/$DeadLetterQueue", MessageID: inv.MessageID(), At: inv.EnqueuedTime(), Body: raw,
		Err: fmt.Errorf("the request was dead-lettered: %s %s", reason, description),
	})
}
