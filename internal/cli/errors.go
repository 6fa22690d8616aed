// Package cli holds what the commands of azbackupflow share: errors and their
// exit codes, request files, and times in flags.
//
// The package may not know how operations are stored or run: commands talk to
// the HTTP API.
package cli

import (
	"fmt"

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

// SetError is the error of a command about several operations that did not all
// succeed.
type SetError struct {
	// Status counts the operations. Rejected counts targets that never started.
	Status   map[api.Status]int
	Rejected int
}

func (e *SetError) Error() string {
	total, successful := e.Rejected, 0
	for s, n := range e.Status {
		total += n
		if s.Successful() {
			successful += n
		}
	}
	return fmt.Sprintf("%d of %d operations did not succeed", total-successful, total)
}

// common returns the status of all operations that did not succeed; empty if they
// differ.
func (e *SetError) common() api.Status {
	var found api.Status
	for s, n := range e.Status {
		switch {
		case n == 0 || s.Successful() || s == found:
		case found != "" || e.Rejected > 0:
			return ""
		default:
			found = s
		}
	}
	return found
}

// CheckSet returns a *SetError unless all operations of a set succeeded.
func CheckSet(status map[api.Status]int, rejected int) error {
	for s, n := range status {
		if n > 0 && !s.Successful() {
			return &SetError{Status: status, Rejected: rejected}
		}
	}
	if rejected > 0 {
		return &SetError{Status: status, Rejected: rejected}
	}
	return nil
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
type WaitTimeoutError struct {
	OperationID string
	// Set describes the operations if there are several.
	Set string
}

func (e *WaitTimeoutError) Error() string {
	if e.Set != "" {
		return "not all operations have ended before --timeout: " + e.Set
	}
	return "operation " + e.OperationID + " has not ended before --timeout"
}
