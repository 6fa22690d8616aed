package cli

import (
	"errors"
	"net/http"
	"strings"

	"azbackupflow/internal/api"
	"azbackupflow/internal/client"
)

// Remedy returns what the user can do about an error; empty if the error's text
// includes it. url is the address of the API.
func Remedy(err error, url string) string {
	var usage *UsageError
	var failed *OperationError
	var timeout *WaitTimeoutError
	var problem *client.Problem
	var unreachable *client.Unreachable
	switch {
	case errors.As(err, &usage):
		return usage.Remedy
	case errors.As(err, &failed):
		return operationRemedy(failed.Operation)
	case errors.As(err, &timeout):
		return "it continues: azbackupflow watch " + timeout.OperationID
	case errors.As(err, &unreachable) && strings.Contains(url, "127.0.0.1"):
		return "start the local stack with azbackupflow local, or set --url or AZBACKUPFLOW_URL"
	case errors.As(err, &unreachable):
		return "check --url (AZBACKUPFLOW_URL), and that the Functions app runs"
	case errors.As(err, &problem):
		return problemRemedy(problem.Problem)
	}
	return ""
}

func problemRemedy(p api.Problem) string {
	switch {
	case p.Status == http.StatusUnauthorized, p.Status == http.StatusForbidden:
		return "set a key with --function-key or AZBACKUPFLOW_FUNCTION_KEY"
	case p.Type == api.ProblemRejectedNotFound:
		return "azbackupflow rejected list shows the rejected requests"
	case p.Status == http.StatusNotFound:
		return "azbackupflow list shows the operations"
	}
	return ""
}

// classFatal is the class of errors that no retry resolves.
const classFatal = "Fatal"

func operationRemedy(op api.Operation) string {
	if op.Error != nil && len(op.Error.RecommendedAction) > 0 {
		return "what to do: " + strings.Join(op.Error.RecommendedAction, " ")
	}
	switch op.Status {
	case api.Failed, api.TimedOut, api.Parked:
		if op.Status == api.Failed && op.Error != nil && op.Error.Class == classFatal {
			return "see azbackupflow history " + op.ID + "; a retry cannot succeed: resolve the cause, then send a new request"
		}
		return "see azbackupflow history " + op.ID + "; retry with azbackupflow retry " + op.ID
	case api.Pending, api.Running, api.Succeeded, api.SucceededWithWarnings, api.Canceled:
	}
	return ""
}
