// Package fault lets a test act at an exact moment of a request that a local
// stand-in serves: before the request takes effect, between the effect and the
// answer, or after the answer.
//
// The kill test relies on it: the stand-ins call the hook synchronously, so
// that the effect of the hook (the handler is killed, the connection is closed)
// is complete before the request continues.
//
// What it does not do: it injects no fault itself; it only calls the hook of
// the test.
package fault

// Moment is a moment of a request.
type Moment int

// The moments of a request, in order.
const (
	Before Moment = iota // received, without effect yet
	During               // in effect, not yet answered
	After                // the answer is written to the socket
)

// String returns the name of the moment.
func (m Moment) String() string {
	switch m {
	case Before:
		return "before"
	case During:
		return "during"
	case After:
		return "after"
	}
	return "unknown"
}

// Request describes a request that a stand-in serves.
type Request struct {
	// Service is "arm", "table", "blob", "bus" or "host".
	Service string
	// Kind describes the request without the parts that vary between operations,
	// such as "PUT protectedItems" or "send steps". Tests count and select
	// requests by it.
	Kind string
	// Detail is the whole request, for messages: a URL without its query, or a
	// message ID.
	Detail string
}

// Hook is called at each moment of each request. It may block, and must be safe
// for concurrent use. A nil Hook does nothing.
type Hook func(Moment, Request)

// At calls the hook if it is not nil.
func (h Hook) At(m Moment, r Request) {
	if h != nil {
		h(m, r)
	}
}
