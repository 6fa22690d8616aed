package operation

import (
	"errors"
	"fmt"
)

// Unreadable is the error of one stored record that cannot be decoded. Storage is
// available; lists continue after it.
type Unreadable struct {
	// Record names the record, such as the ID of an operation.
	Record string
	Err    error
}

// Error names the record.
func (e *Unreadable) Error() string {
	return fmt.Sprintf("record %s is unreadable: %v", e.Record, e.Err)
}

// Unwrap returns the cause.
func (e *Unreadable) Unwrap() error { return e.Err }

// IsUnreadable reports whether the error is that of an unreadable record.
func IsUnreadable(err error) bool {
	var unreadable *Unreadable
	return errors.As(err, &unreadable)
}
