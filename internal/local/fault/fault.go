// Package fault lets a test act at an exact point of a request that a local
// stand-in serves: the moment before it takes effect, the moment between the
// effect and the answer, and the moment after the answer has left.
//
// The kill test stands on it: the stand-ins call the hook synchronously, so
// whatever the hook does (kill the handler process, drop the connection) has
// been done when the request goes on.
package fault

// Moment is a point in the life of one request.
type Moment int

// The moments of a request, in order.
const (
	Before Moment = iota // received, nothing has happened yet
	During               // the effect has happened, the answer has not been sent
	After                // the answer has been written to the socket
)

// String names the moment.
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

// Request says which request of which stand-in is being served.
type Request struct {
	// Service is "arm", "table", "bus" or "host".
	Service string
	// Kind names the request with everything that varies between operations
	// taken out, such as "PUT protectedItems" or "send steps": a test counts
	// and picks by it.
	Kind string
	// Detail is the whole request, for messages: a URL without its query, or
	// a message id.
	Detail string
}

// Hook is called at each moment of each request. It may block, and it must be
// safe for concurrent use. Stand-ins treat a nil Hook as one that does nothing.
type Hook func(Moment, Request)

// At calls the hook, if there is one.
func (h Hook) At(m Moment, r Request) {
	if h != nil {
		h(m, r)
	}
}
