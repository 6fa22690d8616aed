package arm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"

	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/operation"
)

// wireFailure is the error of a call that brought no answer.
func wireFailure(method string, err error, unsent bool) *operation.Error {
	var token *tokenError
	switch {
	case errors.As(err, &token):
		return tokenFailure(token.err)
	case errors.Is(err, errTooLarge):
		return &operation.Error{
			Code: azerr.CodeAnswerTooLarge, Class: operation.Fatal, Message: describe(err), Ambiguous: azerr.Request{Method: method}.Writes(),
		}
	case unsent:
		return &operation.Error{
			Code: azerr.CodeConnectionFailed, Class: operation.Transient,
			Message: "Azure Resource Manager cannot be reached: " + describe(err),
		}
	}
	return &operation.Error{
		Code: azerr.CodeNoAnswer, Class: operation.Transient,
		Message: "no answer from Azure Resource Manager: " + describe(err), Ambiguous: azerr.Request{Method: method}.Writes(),
	}
}

// tokenFailure is the error of a credential that gives no token. Its own text
// shows the identity endpoint's whole exchange, so only what helps is taken.
func tokenFailure(err error) *operation.Error {
	e := &operation.Error{
		Code: azerr.CodeTokenUnavailable, Class: operation.Transient,
		Message:           "no token for Azure Resource Manager",
		RecommendedAction: []string{"See that the function app has its managed identity assigned, and that the client id in its settings is that identity's."},
	}
	var failed *azidentity.AuthenticationFailedError
	if !errors.As(err, &failed) || failed.RawResponse == nil {
		e.Message += ": " + describe(err)
		return e
	}
	e.HTTPStatus = failed.RawResponse.StatusCode
	e.Message += fmt.Sprintf(": the identity endpoint answered HTTP %d", e.HTTPStatus)
	if e.HTTPStatus >= 400 && e.HTTPStatus < 500 && e.HTTPStatus != 408 && e.HTTPStatus != 429 {
		e.Class = operation.UserAction
	}
	return e
}

// describe says what went wrong on the wire in one line, without the URL that
// net/http puts in front.
func describe(err error) string {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	var token *tokenError
	var failed *azidentity.AuthenticationFailedError
	var syntax *json.UnsupportedTypeError
	switch {
	case errors.As(err, &failed):
		return "no token"
	case errors.As(err, &token):
		return "no token: " + azerr.Redact(token.err.Error())
	case errors.Is(err, context.DeadlineExceeded):
		return "timed out"
	case errors.Is(err, context.Canceled):
		return "canceled"
	case errors.As(err, &syntax):
		return azerr.Redact(syntax.Error())
	}
	return azerr.Redact(err.Error())
}
