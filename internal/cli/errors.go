// Package cli holds what the commands of azbackupflow share: errors and their
// exit codes, request files, and times in flags.
//
// The package may not know how operations are stored or run: commands talk to
// the HTTP API.
package cli

import (
	"azbackupflow/internal/api"
)

// UsageError is an error in the command line, or in a file that it names.
type UsageError struct {
	Text string
	// Remedy describes what the user can do; empty if Text includes it.
	Remedy string
}

func (e *UsageError) Error() string { return e.Text }

// OperationError is the error of a command whose operation did not succeed.
type OperationError struct{ Operation api.Operation }

func (e *OperationError) Error() string {
	text := "operation " + e.Operation.ID + " is " + string(e.Operation.Status)
	if e.Operation.Error != nil {
		text += ": " + e.Operation.Error.Error()
	}
	return text
}

// CheckSucceeded returns an *OperationError unless the operation succeeded.
func CheckSucceeded(op api.Operation) error {
	if op.Status.Successful() {
		return nil
	}
	return &OperationError{Operation: op}
}

// NotStartedError is the error of a command that had to start something new and met
// an operation of the same key.
type NotStartedError struct {
	Operation api.Operation
	// Text describes the operation.
	Text string
}

func (e *NotStartedError) Error() string { return e.Text }

// WaitTimeoutError is the error of a command that waited until --timeout.
type WaitTimeoutError struct{ OperationID string }

func (e *WaitTimeoutError) Error() string {
	return "operation " + e.OperationID + " has not ended before --timeout"
}
