package state

import (
	"errors"
	"fmt"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"
)

// tableError is an answer of Table Storage in one line: azcore's own text is
// the whole answer.
type tableError struct {
	status int
	code   string
	err    error
}

func (e *tableError) Error() string {
	return fmt.Sprintf("table storage answered HTTP %d %s", e.status, e.code)
}

func (e *tableError) Unwrap() error { return e.err }

// failed wraps an error of aztables with what was being done.
func failed(doing string, err error) error {
	var response *azcore.ResponseError
	if known := (*tableError)(nil); !errors.As(err, &known) && errors.As(err, &response) {
		err = &tableError{status: response.StatusCode, code: response.ErrorCode, err: err}
	}
	return fmt.Errorf("%s: %w", doing, err)
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

// missing reports whether the error says that an entity does not exist. That
// its whole table is missing is another matter: an operation must not be given
// up because a table is away.
func missing(err error) bool {
	return hasCode(err, aztables.ResourceNotFound) || hasCode(err, aztables.EntityNotFound)
}

// outdated reports whether the error says that an entity has another ETag than
// the one named.
func outdated(err error) bool {
	return hasCode(err, aztables.UpdateConditionNotSatisfied) || hasCode(err, "ConditionNotMet")
}
