package armsim

import (
	"net/http"
	"time"
)

// Rule applies an effect to the requests that match it.
type Rule struct {
	// Kind is a Request.Kind such as "POST backup"; empty matches all.
	Kind string
	// Match, if not nil, selects among the requests of that kind. It must not read
	// the body.
	Match func(*http.Request) bool
	// Skip is the number of matching requests that pass first.
	Skip int
	// Times is how often the rule applies; 0 means until it is removed.
	Times int
	// Effect is the effect on the request.
	Effect Effect
}

// Effect is the effect of a Rule on a request. Create one with Answer,
// AnswerError, ResetBefore, ResetAfter, Delay, ForeignStatus, ExpiredStatus or
// Callback.
type Effect struct {
	kind    effectKind
	status  int
	body    string
	header  http.Header
	delay   time.Duration
	host    string
	handler func(http.ResponseWriter, *http.Request) bool
}

// effectKind identifies an effect.
type effectKind int

const (
	effectNone effectKind = iota
	effectAnswer
	effectResetBefore
	effectResetAfter
	effectDelay
	effectForeignStatus
	effectExpiredStatus
	effectCallback
)

// Answer answers with this status, body and headers; the request has no other
// effect. The content type is JSON unless the headers set another one (such as
// text/html for the error page of a gateway).
func Answer(status int, body string, header http.Header) Effect {
	return Effect{kind: effectAnswer, status: status, body: body, header: header.Clone()}
}

// AnswerError answers with an error in Azure's format.
func AnswerError(status int, code, message string, header http.Header) Effect {
	return Answer(status, string(errorBody(code, message, "")), header)
}

// ResetBefore resets the connection before the request has an effect.
func ResetBefore() Effect { return Effect{kind: effectResetBefore} }

// ResetAfter lets the request take effect, then resets the connection in place
// of an answer. The client cannot distinguish it from ResetBefore.
func ResetAfter() Effect { return Effect{kind: effectResetAfter} }

// Delay waits before serving the request. The delay is not divided by the speed
// factor. If the client disconnects first, the request has no effect.
func Delay(d time.Duration) Effect { return Effect{kind: effectDelay, delay: d} }

// ForeignStatus puts another host into Azure-AsyncOperation and Location of the
// answer. A client must not follow them, because its token would leak.
func ForeignStatus(host string) Effect { return Effect{kind: effectForeignStatus, host: host} }

// ExpiredStatus expires the operation of the request as soon as it is answered:
// its status and result URLs answer 404, while its work and its job continue.
func ExpiredStatus() Effect { return Effect{kind: effectExpiredStatus} }

// Callback calls f before anything else happens. If f returns true, it has
// answered the request itself; otherwise the request is served as usual.
func Callback(f func(http.ResponseWriter, *http.Request) bool) Effect {
	return Effect{kind: effectCallback, handler: f}
}
