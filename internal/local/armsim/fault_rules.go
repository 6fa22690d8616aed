package armsim

import (
	"net/http"
	"time"
)

// Rule makes requests go wrong: those that match get the effect.
type Rule struct {
	// Kind is a Request.Kind such as "POST backup"; empty matches all.
	Kind string
	// Match is asked, if not nil, about each request of that kind. It must not
	// read the body.
	Match func(*http.Request) bool
	// Skip lets that many matching requests pass first.
	Skip int
	// Times is how often the rule applies; 0 is until it is removed.
	Times int
	// Effect is what happens.
	Effect Effect
}

// Effect is what a Rule does to a request. Make one with Answer, AnswerError,
// ResetBefore, ResetAfter, Delay, ForeignStatus, ExpiredStatus or Callback.
type Effect struct {
	kind    effectKind
	status  int
	body    string
	header  http.Header
	delay   time.Duration
	host    string
	handler func(http.ResponseWriter, *http.Request) bool
}

// effectKind says which effect it is.
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
// effect. The content type is JSON unless the headers say otherwise (say
// text/html for a gateway's error page).
func Answer(status int, body string, header http.Header) Effect {
	return Effect{kind: effectAnswer, status: status, body: body, header: header.Clone()}
}

// AnswerError answers with an error of Azure's shape.
func AnswerError(status int, code, message string, header http.Header) Effect {
	return Answer(status, string(errorBody(code, message, "")), header)
}

// ResetBefore resets the connection; nothing has happened.
func ResetBefore() Effect { return Effect{kind: effectResetBefore} }

// ResetAfter lets the request take effect, then resets the connection instead
// of answering: the client cannot tell it from ResetBefore.
func ResetAfter() Effect { return Effect{kind: effectResetAfter} }

// Delay waits this long (not divided by the speed) before serving the request,
// or until the client has gone away, in which case nothing happens.
func Delay(d time.Duration) Effect { return Effect{kind: effectDelay, delay: d} }

// ForeignStatus puts another host into Azure-AsyncOperation and Location of
// the answer. A client must not follow: its token would leave with it.
func ForeignStatus(host string) Effect { return Effect{kind: effectForeignStatus, host: host} }

// ExpiredStatus makes the operation that the request starts unknown as soon as
// it has been answered: its status and result URLs answer 404, while what it
// does and its job go on.
func ExpiredStatus() Effect { return Effect{kind: effectExpiredStatus} }

// Callback calls f, before anything else happens. If f answers true it has
// answered the request itself; otherwise the request is served as usual.
func Callback(f func(http.ResponseWriter, *http.Request) bool) Effect {
	return Effect{kind: effectCallback, handler: f}
}
