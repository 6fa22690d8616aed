package functionshost

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Types of bindings that the stand-in supports.
const (
	typeHTTPTrigger       = "httpTrigger"
	typeHTTP              = "http"
	typeServiceBusTrigger = "serviceBusTrigger"
	typeTimerTrigger      = "timerTrigger"
	typeEventGridTrigger  = "eventGridTrigger"
)

const (
	// dataTypeBinary requests a message's body as bytes.
	dataTypeBinary = "binary"
	// returnBinding is the name of the output for the return value.
	returnBinding = "$return"
)

// bindingName matches the names that the host accepts for a binding.
var bindingName = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9_]{0,127}|\$return)$`)

// Binding is one entry of a function.json. It has the fields of all supported
// types.
type Binding struct {
	Name, Type, Direction string
	// DataType is "string", "binary" or empty.
	DataType string

	// QueueName, Connection and the next three belong to serviceBusTrigger.
	QueueName, Connection string
	Cardinality           string
	IsSessionsEnabled     bool
	AutoCompleteMessages  *bool

	// Schedule and the next two belong to timerTrigger.
	Schedule     string
	RunOnStartup bool
	UseMonitor   *bool

	// Route, Methods and AuthLevel belong to httpTrigger.
	Route     *string
	Methods   []string
	AuthLevel string
}

func (b Binding) is(kind string) bool { return strings.EqualFold(b.Type, kind) }

func (b Binding) isTrigger() bool { return strings.HasSuffix(strings.ToLower(b.Type), "trigger") }

// needsBundle reports whether the binding's code is in the extension bundle rather
// than in the host.
func (b Binding) needsBundle() bool {
	return b.is(typeServiceBusTrigger) || b.is(typeEventGridTrigger)
}

// check returns the problems of the binding.
func (b Binding) check() error {
	var problems []error
	problem := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	if !bindingName.MatchString(b.Name) {
		problem("name is not a binding name; use letters, digits and _")
	}
	direction := "in"
	if !b.isTrigger() {
		direction = "out"
	}
	if !strings.EqualFold(b.Direction, direction) {
		problem("direction is %q; set %q", b.Direction, direction)
	}
	switch {
	case b.is(typeHTTPTrigger):
		problems = append(problems, b.checkHTTP())
	case b.is(typeServiceBusTrigger):
		problems = append(problems, b.checkServiceBus())
	case b.is(typeTimerTrigger):
		if b.Schedule == "" {
			problem("schedule is missing; set six fields")
		} else if !strings.Contains(b.Schedule, "%") {
			_, err := parseSchedule(b.Schedule)
			problems = append(problems, err)
		}
	case b.is(typeEventGridTrigger), b.is(typeHTTP):
	default:
		problem("type %q is not supported by the stand-in", b.Type)
	}
	return errors.Join(problems...)
}

func (b Binding) checkHTTP() error {
	levels := []string{"", "anonymous", "function", "admin"}
	if !slices.Contains(levels, strings.ToLower(b.AuthLevel)) {
		return fmt.Errorf("authLevel is %q; set anonymous, function or admin", b.AuthLevel)
	}
	if b.Route != nil {
		_, err := parseRoute(*b.Route)
		return err
	}
	return nil
}

func (b Binding) checkServiceBus() error {
	var problems []error
	if b.QueueName == "" {
		problems = append(problems, errors.New("queueName is missing; the stand-in does not support topics"))
	}
	if b.Cardinality != "" && !strings.EqualFold(b.Cardinality, "one") {
		problems = append(problems, fmt.Errorf("cardinality is %q; set one, because the stand-in delivers one message at a time", b.Cardinality))
	}
	if b.IsSessionsEnabled {
		problems = append(problems, errors.New("isSessionsEnabled is true; the stand-in does not support sessions"))
	}
	if b.AutoCompleteMessages != nil && !*b.AutoCompleteMessages {
		problems = append(problems, errors.New("autoCompleteMessages is false; remove it, because a custom handler cannot settle messages"))
	}
	return errors.Join(problems...)
}
