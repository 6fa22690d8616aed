package arm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"azbackupflow/internal/operation"
)

// Compiled once: what a text is cleaned of.
var (
	urlQuery     = regexp.MustCompile(`\beyJ[\w-]+\.[\w-]+(\.[\w-]*)?`)
	bearerToken  = regexp.MustCompile(`(?i)\bbearer\s+[\w.~+/=-]+`)
	jsonWebToken = regexp.MustCompile(`(?i)(\bhttps?://[^\s"'<>?]*)\?[^\s"'<>]*`)
)

// Codes of failures that are not Azure's own.
const (
	// CodeTokenUnavailable: there is no token to call with; nothing was sent.
	CodeTokenUnavailable = "TokenUnavailable"
	// CodeConnectionFailed: no connection; nothing was sent.
	CodeConnectionFailed = "ConnectionFailed"
	// CodeNoAnswer: the request may have arrived, no answer came.
	CodeNoAnswer = "NoAnswer"
	// CodeAnswerTooLarge: the answer exceeds what is read.
	CodeAnswerTooLarge = "AnswerTooLarge"
	// CodeUnreadableAnswer: a 2xx answer that is not what was asked for.
	CodeUnreadableAnswer = "UnreadableAnswer"
	// CodeUntrustedPollHost: a poll URL or next link points elsewhere.
	CodeUntrustedPollHost = "UntrustedPollHost"
	// CodeMalformedPollURL: a poll URL or next link is no usable URL.
	CodeMalformedPollURL = "MalformedPollUrl"
	// CodeMalformedRequest: the call itself cannot be built.
	CodeMalformedRequest = "MalformedRequest"
	// CodeTooManyPages: a list does not end.
	CodeTooManyPages = "TooManyPages"
)

// wireFailure is the error of a call that brought no answer.
func wireFailure(method string, err error, unsent bool) *operation.Error {
	var token *tokenError
	switch {
	case errors.As(err, &token):
		return tokenFailure(token.err)
	case errors.Is(err, errTooLarge):
		return &operation.Error{
			Code: CodeAnswerTooLarge, Class: operation.Fatal, Message: describe(err), Ambiguous: writes(method),
		}
	case unsent:
		return &operation.Error{
			Code: CodeConnectionFailed, Class: operation.Transient,
			Message: "Azure Resource Manager cannot be reached: " + describe(err),
		}
	}
	return &operation.Error{
		Code: CodeNoAnswer, Class: operation.Transient,
		Message: "no answer from Azure Resource Manager: " + describe(err), Ambiguous: writes(method),
	}
}

// tokenFailure is the error of a credential that gives no token. Its own text
// shows the identity endpoint's whole exchange, so only what helps is taken.
func tokenFailure(err error) *operation.Error {
	e := &operation.Error{
		Code: CodeTokenUnavailable, Class: operation.Transient,
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
		return "no token: " + Clean(token.err.Error())
	case errors.Is(err, context.DeadlineExceeded):
		return "timed out"
	case errors.Is(err, context.Canceled):
		return "canceled"
	case errors.As(err, &syntax):
		return Clean(syntax.Error())
	}
	return Clean(err.Error())
}

// longestMessage bounds what is kept of a text, in bytes.
const longestMessage = 2000

// Clean makes a text fit to be kept and shown: one line, bounded, without the
// query of any URL and without tokens.
func Clean(s string) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "")), " ")
	if len(s) > 8*longestMessage {
		s = strings.ToValidUTF8(s[:8*longestMessage], "")
	}
	s = jsonWebToken.ReplaceAllString(s, "$1")
	s = bearerToken.ReplaceAllString(s, "Bearer ***")
	s = urlQuery.ReplaceAllString(s, "***")
	if len(s) > longestMessage {
		s = strings.ToValidUTF8(s[:longestMessage], "") + " ..."
	}
	return s
}
