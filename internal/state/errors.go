package state

import (
	"errors"
	"fmt"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"
)

// tableError is an error answer of Table Storage with a text of one line. The
// text of azcore's own error contains the whole answer.
type tableError struct {
	status int
	code   string
	err    error
}

func (e *tableError) Error() string {
	return fmt.Sprintf("table storage answered HTTP %d %s", e.status, e.code)
}

func (e *tableError) Unwrap() error { return e.err }

// failed wraps an error of aztables with the action that failed.
func failed(action string, err error) error {
	var response *azcore.ResponseError
	if known := (*tableError)(nil); !errors.As(err, &known) && errors.As(err, &response) {
		err = &tableError{status: response.StatusCode, code: response.ErrorCode, err: err}
	}
	return fmt.Errorf("%s: %w", action, err)
}

// hasCode reports whether Table Storage answered with the error code.
func hasCode(err error, code aztables.TableErrorCode) bool {
	var answer *tableError
	if errors.As(err, &answer) {
		return answer.code == string(code)
	}
	var response *azcore.ResponseError
	return errors.As(err, &response) && response.ErrorCode == string(code)
}

// missing reports whether the error means that an entity does not exist. A
// missing table is a different error: the engine must not drop an operation
// because a table is unavailable.
func missing(err error) bool {
	return hasCode(err, aztables.ResourceNotFound) || hasCode(err, aztables.EntityNotFound)
}

// outdated reports whether the error means that an entity has a different ETag.
func outdated(err error) bool {
	return hasCode(err, aztables.UpdateConditionNotSatisfied) || hasCode(err, "ConditionNotMet")
}
