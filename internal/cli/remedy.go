package cli

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"azbackupflow/internal/api"
	"azbackupflow/internal/client"
)

// Caller is how a command reaches the API.
type Caller struct {
	// URL is the address of the API; Local reports that it is the default.
	URL   string
	Local bool
	// SignIn is the method of signing in; see package signin. HasKey reports that a
	// function key is sent.
	SignIn string
	HasKey bool
}

// Remedy returns what the user can do about an error; empty if the error's text
// includes it.
func Remedy(err error, c Caller) string {
	var withRemedy interface{ WhatToDo() string }
	var login *client.LoginRedirect
	var usage *UsageError
	var failed *OperationError
	var timeout *WaitTimeoutError
	var set *SetError
	var notStarted *NotStartedError
	var problem *client.Problem
	var unreachable *client.Unreachable
	switch {
	case errors.As(err, &usage):
		return usage.Remedy
	case errors.As(err, &withRemedy):
		return withRemedy.WhatToDo()
	case errors.As(err, &login):
		return "a program cannot use its sign-in page: set --sign-in azure-cli, or another method, and --audience to the application ID URI of the app registration"
	case errors.As(err, &failed):
		return operationRemedy(failed.Operation)
	case errors.As(err, &notStarted):
		return notStartedRemedy(notStarted.Operation)
	case errors.As(err, &set):
		return "azbackupflow list --errors, with the same filter, shows the reasons; azbackupflow retry, with the filter, continues those that can be retried"
	case errors.As(err, &timeout) && timeout.Set != "":
		return "they continue: run the command again"
	case errors.As(err, &timeout):
		return "it continues: azbackupflow watch " + timeout.OperationID
	case errors.As(err, &unreachable) && c.Local && !unreachable.Answered:
		return "start the local stack with azbackupflow local, or set --url, AZBACKUPFLOW_URL or a context for a deployed app"
	case errors.As(err, &unreachable) && unreachable.Answered:
		return "the app, or a proxy in front of it, responded before: look at its log, and run the command again"
	case errors.As(err, &unreachable):
		return "check --url (AZBACKUPFLOW_URL), and that the Functions app runs"
	case errors.As(err, &problem):
		return problemRemedy(problem.Problem, c)
	}
	return ""
}

// notStartedRemedy returns what to do about an operation that a request met.
func notStartedRemedy(op api.Operation) string {
	const afresh = "to start afresh, use another --key, or none"
	switch op.Status {
	case api.Failed, api.TimedOut, api.Parked:
		return "retry it with azbackupflow retry " + op.ID + "; " + afresh
	case api.Pending, api.Running:
		return "wait for it with azbackupflow wait " + op.ID + "; " + afresh
	case api.Succeeded, api.SucceededWithWarnings, api.Canceled:
	}
	return afresh
}

// bySignIn reports whether the caller signs in with Microsoft Entra.
func (c Caller) bySignIn() bool {
	return c.SignIn != "" && c.SignIn != "none" && c.SignIn != "function-key"
}

const compareAudience = "the app does not accept the access token: compare --audience with the application ID URI of the app registration, and the tenant with that of the app"

func problemRemedy(p api.Problem, c Caller) string {
	switch {
	case p.Status == http.StatusUnauthorized && c.bySignIn() && !c.HasKey && p.Type != api.ProblemUnauthorized:
		return "set AZBACKUPFLOW_FUNCTION_KEY to a key that az functionapp keys list shows: a deployed app requires it of callers that sign in, too; if it is not the cause, " + compareAudience
	case p.Status == http.StatusUnauthorized && c.bySignIn():
		return compareAudience
	case p.Status == http.StatusUnauthorized && c.HasKey:
		return "the app does not accept the function key: compare AZBACKUPFLOW_FUNCTION_KEY with az functionapp keys list; if the app requires a sign-in, set --sign-in and --audience"
	case p.Status == http.StatusUnauthorized:
		return "the app requires a sign-in: set a function key in AZBACKUPFLOW_FUNCTION_KEY, or set --sign-in azure-cli and --audience"
	case p.Status == http.StatusForbidden && p.Type == client.ProblemDenied:
		return "the app may be stopped, its network rules may exclude this machine, or its registration may require an assignment of the identity"
	case p.Status == http.StatusForbidden && c.bySignIn():
		return "assign the app role to the identity that signs in, wait some minutes, and sign in again; docs/http-api.md lists the app roles"
	case p.Status == http.StatusForbidden:
		return "this caller needs an app role: set --sign-in azure-cli and --audience; docs/http-api.md lists the app roles"
	case p.Type == api.ProblemRejectedNotFound:
		return "azbackupflow rejected list shows the rejected requests"
	case p.Type == api.ProblemScheduleNotFound:
		return "azbackupflow schedules list shows the schedules of the app"
	case p.Type == api.ProblemBulkNotFound:
		return "azbackupflow describe, with the ID of one of its operations, shows the key"
	case p.Type == api.ProblemNoSuchRoute:
		return "the app may be older than this program; update it"
	case p.Type == api.ProblemNotInAzure:
		return ""
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

// overdueAfter is how late a wake-up may be before the sweep replaces it.
const overdueAfter = 10 * time.Minute

// WhatToDo returns what a user can do about an operation now, in sentences.
func WhatToDo(op api.Operation, now time.Time) []string {
	switch {
	case op.Status == api.Succeeded:
		return []string{"Nothing."}
	case op.Status == api.SucceededWithWarnings:
		return []string{"Read the warnings. The operation has done its work."}
	case op.Status == api.Canceled:
		return []string{"Nothing, unless the work is still wanted: then send a new request."}
	case op.Status.Terminal(), op.Status == api.Parked:
		return endedWhatToDo(op)
	case op.CancelRequested:
		return []string{"Nothing. The operation is being canceled."}
	case op.Paused:
		return []string{"Resume it when it may go on: azbackupflow resume " + op.ID}
	case !op.DueAt.IsZero() && now.Sub(op.DueAt) > overdueAfter:
		return []string{"Its wake-up is overdue. The sweep replaces it; to run the sweep now: azbackupflow rescue"}
	}
	return []string{"Nothing. It continues by itself; to follow it: azbackupflow watch " + op.ID}
}

// endedWhatToDo returns what helps an operation that has failed, or is parked.
func endedWhatToDo(op api.Operation) []string {
	all := []string{}
	if op.Error != nil {
		all = append(all, op.Error.RecommendedAction...)
	}
	retry := "azbackupflow retry " + op.ID
	switch {
	case op.Status == api.Failed && op.Error != nil && op.Error.Class == classFatal:
		return append(all, "A retry cannot succeed until the cause is gone. Then: "+retry)
	case op.Status == api.TimedOut:
		return append(all, "Its deadline has passed. To start it again: "+retry)
	}
	return append(all, "When the cause is gone: "+retry)
}
