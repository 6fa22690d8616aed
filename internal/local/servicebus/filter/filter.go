package filter

import (
	"strings"
	"time"
)

// Message is the part of a message that filters read. A value is nil (the property
// is absent or null), a bool, an int64, a float64, a string or a time.Time.
type Message interface {
	// System returns a system property by its name in lower case (see SystemNames).
	System(name string) any
	// User returns an application property. Names are case-insensitive.
	User(name string) any
}

// Filter selects messages.
type Filter interface {
	Match(m Message) bool
}

// SystemNames returns the system properties that filters can read, in lower case.
func SystemNames() []string {
	return append(textNames(), "enqueuedsequencenumber", "enqueuedtimeutc", "expiresatutc", "sequencenumber")
}

// textNames returns the system properties that are texts. Senders set them, so
// actions may change them.
func textNames() []string {
	return []string{
		"contenttype", "correlationid", "label", "messageid", "replyto", "replytosessionid", "sessionid", "subject", "to",
	}
}

// Correlation is a filter that compares properties with given values. Unset fields
// match every message. Text is compared case-sensitively.
type Correlation struct {
	CorrelationID    string
	MessageID        string
	To               string
	ReplyTo          string
	Subject          string
	SessionID        string
	ReplyToSessionID string
	ContentType      string
	// Properties are application properties.
	Properties map[string]any
}

// Match reports whether all given values are equal to those of the message.
func (c Correlation) Match(m Message) bool {
	for name, want := range map[string]string{
		"correlationid": c.CorrelationID, "messageid": c.MessageID, "to": c.To, "replyto": c.ReplyTo,
		"subject": c.Subject, "sessionid": c.SessionID, "replytosessionid": c.ReplyToSessionID,
		"contenttype": c.ContentType,
	} {
		if want != "" && m.System(name) != want {
			return false
		}
	}
	for name, want := range c.Properties {
		if compare("=", m.User(name), want) != yes {
			return false
		}
	}
	return true
}

// truth is the result of a predicate. Predicates on absent properties are unknown,
// and a filter matches only if its predicate is yes.
type truth int

const (
	unknown truth = iota
	no
	yes
)

func truthOf(b bool) truth {
	if b {
		return yes
	}
	return no
}

func (t truth) not() truth {
	switch t {
	case yes:
		return no
	case no:
		return yes
	case unknown:
	}
	return unknown
}

func (t truth) and(o truth) truth {
	switch {
	case t == no || o == no:
		return no
	case t == yes && o == yes:
		return yes
	}
	return unknown
}

func (t truth) or(o truth) truth { return t.not().and(o.not()).not() }

// compare compares two values. Values that cannot be compared, such as text with a
// number, have no relation: the result is unknown.
func compare(operator string, a, b any) truth {
	if left, ok := a.(bool); ok {
		right, ok := b.(bool)
		switch {
		case ok && operator == "=":
			return truthOf(left == right)
		case ok && operator == "<>":
			return truthOf(left != right)
		}
		return unknown
	}
	order, comparable := orderOf(a, b)
	if !comparable {
		return unknown
	}
	switch operator {
	case "=":
		return truthOf(order == 0)
	case "<>":
		return truthOf(order != 0)
	case "<":
		return truthOf(order < 0)
	case "<=":
		return truthOf(order <= 0)
	case ">":
		return truthOf(order > 0)
	}
	return truthOf(order >= 0)
}

// orderOf returns a negative number if a is below b, 0 if they are equal, else a
// positive number.
func orderOf(a, b any) (order int, comparable bool) {
	left, isText := a.(string)
	right, alsoText := b.(string)
	if isText && alsoText {
		return strings.Compare(left, right), true
	}
	at, isTime := a.(time.Time)
	until, alsoTime := b.(time.Time)
	if isTime && alsoTime {
		return at.Compare(until), true
	}
	x, isInt := a.(int64)
	y, alsoInt := b.(int64)
	if isInt && alsoInt {
		return sign(x < y, x > y), true
	}
	f, isNumber := float(a)
	g, alsoNumber := float(b)
	if !isNumber || !alsoNumber || f != f || g != g { // NaN has no order
		return 0, false
	}
	return sign(f < g, f > g), true
}

func sign(below, above bool) int {
	switch {
	case below:
		return -1
	case above:
		return 1
	}
	return 0
}

func float(v any) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}
