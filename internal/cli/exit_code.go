package cli

import (
	"errors"

	"azbackupflow/internal/api"
	"azbackupflow/internal/cli/render"
	"azbackupflow/internal/client"
)

// The exit codes of the program.
const (
	ExitDone        = 0
	ExitFailed      = 1
	ExitUsage       = 2
	ExitCanceled    = 3
	ExitTimedOut    = 4
	ExitParked      = 5
	ExitWaitTimeout = 6
	ExitUnavailable = 7
	ExitNotStarted  = 8
	ExitInterrupted = 130
)

// ExitCodesHelp documents the exit codes for --help. Its lines fit a terminal of 60
// columns.
const ExitCodesHelp = `Exit codes:

  0    the command succeeded; for wait, watch and
       start --wait: the operation is Succeeded, or
       SucceededWithWarnings (with a note)
  1    the operation is Failed, or another error occurred
  2    the command line or the request is invalid
  3    the operation is Canceled
  4    the operation is TimedOut: its deadline passed
  5    the operation is Parked: it waits for an operator
  6    --timeout ended the wait; the operation continues
  7    the API is unavailable
  8    with --require-new: nothing was started, because
       the key belongs to an earlier request
  130  interrupted; the operation continues`

// ExitCode returns the exit code of an error.
func ExitCode(err error) int {
	var usage *UsageError
	var failed *OperationError
	var timeout *WaitTimeoutError
	var notStarted *NotStartedError
	var set *SetError
	var signIn *client.SignInError
	var login *client.LoginRedirect
	var problem *client.Problem
	var output *render.OutputError
	switch {
	case err == nil:
		return ExitDone
	case errors.As(err, &usage), errors.As(err, &output):
		return ExitUsage
	case errors.As(err, &failed):
		return exitCodeOf(failed.Operation.Status)
	case errors.As(err, &set):
		return exitCodeOf(set.common())
	case errors.As(err, &timeout):
		return ExitWaitTimeout
	case errors.As(err, &notStarted):
		return ExitNotStarted
	case client.IsUnavailable(err):
		return ExitUnavailable
	case errors.As(err, &problem), errors.As(err, &signIn), errors.As(err, &login):
		return ExitUsage
	}
	return ExitFailed
}

func exitCodeOf(s api.Status) int {
	switch s {
	case api.Succeeded, api.SucceededWithWarnings:
		return ExitDone
	case api.Canceled:
		return ExitCanceled
	case api.TimedOut:
		return ExitTimedOut
	case api.Parked:
		return ExitParked
	case api.Failed, api.Pending, api.Running:
	}
	return ExitFailed
}
