package azerr

import (
	"errors"
	"net/http"

	"azbackupflow/internal/operation"
)

// IsNotFound reports whether Azure answered that the resource does not exist or
// no longer exists: 404 or 410.
func IsNotFound(err error) bool {
	var known *operation.Error
	return errors.As(err, &known) && (known.HTTPStatus == http.StatusNotFound || known.HTTPStatus == http.StatusGone)
}
