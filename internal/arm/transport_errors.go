package arm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/operation"
)

// noAnswer returns the error of a call that brought no answer.
func noAnswer(method string, err error, neverSent bool) *operation.Error {
	writes := azerr.Request{Method: method}.Writes()
	var token *tokenError
	switch {
	case errors.As(err, &token):
		return tokenUnavailable(token.err)
	case errors.Is(err, errTooLarge):
		return &operation.Error{
			Code: azerr.CodeAnswerTooLarge, Class: operation.Fatal, Message: describe(err), Ambiguous: writes,
		}
	case neverSent:
		return &operation.Error{
			Code: azerr.CodeConnectionFailed, Class: operation.Transient,
			Message: "Azure Resource Manager cannot be reached: " + describe(err),
		}
	}
	return &operation.Error{
		Code: azerr.CodeNoAnswer, Class: operation.Transient,
		Message: "no answer from Azure Resource Manager: " + describe(err), Ambiguous: writes,
	}
}

// tokenUnavailable returns the error of a credential without a token. The
// credential's own text shows the whole exchange with the identity endpoint, so
// only the status is kept.
func tokenUnavailable(err error) *operation.Error {
	e := &operation.Error{
		Code: azerr.CodeTokenUnavailable, Class: operation.Transient,
		Message: "no token for Azure Resource Manager",
		RecommendedAction: []string{"Check that the managed identity is assigned to the function app, and that the client ID in the app's settings " +
			"is the client ID of that identity."},
	}
	var failed *azidentity.AuthenticationFailedError
	if !errors.As(err, &failed) || failed.RawResponse == nil {
		e.Message += ": " + describe(err)
		return e
	}
	e.HTTPStatus = failed.RawResponse.StatusCode
	e.Message += fmt.Sprintf(": the identity endpoint answered HTTP %d", e.HTTPStatus)
	retryable := e.HTTPStatus == http.StatusRequestTimeout || e.HTTPStatus == http.StatusTooManyRequests
	if e.HTTPStatus >= 400 && e.HTTPStatus < 500 && !retryable {
		e.Class = operation.UserAction
	}
	return e
}

// describe returns a transport error on one line, without the URL that net/http
// puts in front.
func describe(err error) string {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	var token *tokenError
	var failed *azidentity.AuthenticationFailedError
	var unsupported *json.UnsupportedTypeError
	switch {
	case errors.As(err, &failed):
		return "no token"
	case errors.As(err, &token):
		return "no token: " + azerr.Redact(token.err.Error())
	case errors.Is(err, context.DeadlineExceeded):
		return "timed out"
	case errors.Is(err, context.Canceled):
		return "canceled"
	case errors.As(err, &unsupported):
		return azerr.Redact(unsupported.Error())
	}
	return azerr.Redact(err.Error())
}
