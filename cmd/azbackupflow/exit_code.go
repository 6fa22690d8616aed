package main

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"azbackupflow/internal/api"
	"azbackupflow/internal/client"
)

// The exit codes.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitCanceled    = 3
	exitTimedOut    = 4
	exitParked      = 5
	exitCut         = 6
	exitAway        = 7
	exitInterrupted = 130
)

// exitCodes documents them, for --help.
const exitCodes = `Exit codes:

  0    done; for wait, watch and start --wait: Succeeded, or
       SucceededWithWarnings (with a note)
  1    Failed, or something else went wrong
  2    the command line or the request is wrong
  3    Canceled
  4    TimedOut: the operation's deadline passed
  5    Parked: a person must look
  6    the waiting was cut short by --timeout; the operation goes on
  7    the API is out of reach
  130  interrupted; the operation goes on`

// usage is a command line that is wrong.
type usage struct{ text, advice string }

func (u *usage) Error() string { return u.text }

// unsuccessful is an operation that did not come to a good end.
type unsuccessful struct{ view api.Operation }

func (u *unsuccessful) Error() string {
	text := fmt.Sprintf("operation %s is %s", u.view.ID, u.view.Status)
	if u.view.Error != nil {
		text += ": " + u.view.Error.Error()
	}
	return text
}

// cut is a wait that --timeout ended.
type cut struct{ id string }

func (c *cut) Error() string { return "operation " + c.id + " has not ended yet" }

// outcome is the error of an operation that has ended; nil for a good end.
func outcome(v api.Operation) error {
	if v.Status.Successful() {
		return nil
	}
	return &unsuccessful{view: v}
}

// codeOf gives the exit code of an error.
func codeOf(err error) int {
	var wrong *usage
	var bad *unsuccessful
	var short *cut
	var problem *client.Problem
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &wrong):
		return exitUsage
	case errors.As(err, &bad):
		return codeOfStatus(bad.view.Status)
	case errors.As(err, &short):
		return exitCut
	case client.IsUnavailable(err):
		return exitAway
	case errors.As(err, &problem):
		return exitUsage
	}
	return exitFailed
}

func codeOfStatus(s api.Status) int {
	switch s {
	case api.Succeeded, api.SucceededWithWarnings:
		return exitDone
	case api.Canceled:
		return exitCanceled
	case api.TimedOut:
		return exitTimedOut
	case api.Parked:
		return exitParked
	case api.Failed, api.Pending, api.Running:
	}
	return exitFailed
}

// advise says what to do about an error; empty where its text does already.
func advise(err error, url string) string {
	var wrong *usage
	var bad *unsuccessful
	var short *cut
	var problem *client.Problem
	var away *client.Unreachable
	switch {
	case errors.As(err, &wrong):
		return wrong.advice
	case errors.As(err, &bad):
		return adviseOperation(bad.view)
	case errors.As(err, &short):
		return "it goes on: azbackupflow watch " + short.id
	case errors.As(err, &away) && strings.Contains(url, "127.0.0.1"):
		return "is the local stack up (azbackupflow local)? Another one: --url or AZBACKUPFLOW_URL"
	case errors.As(err, &away):
		return "check --url (AZBACKUPFLOW_URL), and that the Functions app runs"
	case errors.As(err, &problem):
		switch problem.Status {
		case http.StatusUnauthorized, http.StatusForbidden:
			return "give a key with --function-key or AZBACKUPFLOW_FUNCTION_KEY"
		case http.StatusNotFound:
			return "azbackupflow list shows the operations"
		}
	}
	return ""
}

func adviseOperation(v api.Operation) string {
	if v.Error != nil && len(v.Error.RecommendedAction) > 0 {
		return "what to do: " + strings.Join(v.Error.RecommendedAction, " ")
	}
	switch v.Status {
	case api.Failed, api.TimedOut, api.Parked:
		return "see azbackupflow history " + v.ID + "; azbackupflow retry " + v.ID + " sets it going again"
	case api.Pending, api.Running, api.Succeeded, api.SucceededWithWarnings, api.Canceled:
	}
	return ""
}
