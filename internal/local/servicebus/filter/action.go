package filter

import (
	"fmt"
	"slices"
	"strings"
)

// maxStatements is the documented limit for the statements of an action.
const maxStatements = 32

// Action changes a copy of a message that a rule matches, in the SQL-like language of
// Service Bus (Learn: "Subscription Rule SQL Action Syntax").
type Action struct {
	expression string
	statements []statement
}

// Change sets or removes one property.
type Change struct {
	// System is set for a system property, whose name is in lower case.
	System bool
	Name   string
	// Remove is set if the property is removed. Value is nil if the property becomes
	// null.
	Remove bool
	Value  any
}

// statement returns the change that it makes to a message.
type statement func(m Message) Change

// ParseAction parses an action: SET and REMOVE statements, separated by semicolons.
// Parameters are as in Parse.
func ParseAction(expression string, parameters map[string]any) (Action, error) {
	p, err := newParser("action", expression, parameters)
	if err != nil {
		return Action{}, err
	}
	a := Action{expression: expression}
	for err == nil && (len(a.statements) == 0 || p.peek().kind != tokenEnd) {
		var s statement
		if s, err = p.statement(); err == nil {
			a.statements = append(a.statements, s)
		}
		if err == nil && !p.acceptSymbol(";") && !p.acceptSymbol(",") && p.peek().kind != tokenEnd {
			err = p.unexpected()
		}
	}
	if err == nil && len(a.statements) > maxStatements {
		err = fmt.Errorf("action has more than %d statements", maxStatements)
	}
	if err != nil {
		return Action{}, fmt.Errorf("action %q: %w", expression, err)
	}
	return a, nil
}

// String returns the expression.
func (a Action) String() string { return a.expression }

// Changes returns what the action changes in a message, in order. A statement sees
// the changes of those before it.
func (a Action) Changes(m Message) []Change {
	c := &changed{Message: m}
	for _, s := range a.statements {
		c.changes = append(c.changes, s(c))
	}
	return c.changes
}

// changed is a message with changes.
type changed struct {
	Message
	changes []Change
}

// System implements Message.
func (c *changed) System(name string) any {
	for _, change := range slices.Backward(c.changes) {
		if change.System && sameSystem(change.Name, name) {
			return change.Value
		}
	}
	return c.Message.System(name)
}

// User implements Message.
func (c *changed) User(name string) any {
	for _, change := range slices.Backward(c.changes) {
		if !change.System && strings.EqualFold(change.Name, name) {
			return change.Value
		}
	}
	return c.Message.User(name)
}

// sameSystem reports whether two names are those of one system property.
func sameSystem(a, b string) bool {
	canonical := func(name string) string {
		if name == "label" {
			return "subject"
		}
		return name
	}
	return canonical(a) == canonical(b)
}

// statement parses SET property = expression, or REMOVE property.
func (p *parser) statement() (statement, error) {
	set := p.acceptWord("SET")
	if !set && !p.acceptWord("REMOVE") {
		return nil, fmt.Errorf("expected SET or REMOVE: %w", p.unexpected())
	}
	system, name, err := p.name()
	if err != nil {
		return nil, err
	}
	if system && !slices.Contains(textNames(), name) {
		return nil, fmt.Errorf("system property %q cannot be changed; those that can are %s", name, strings.Join(textNames(), ", "))
	}
	if !set {
		return func(Message) Change { return Change{System: system, Name: name, Remove: true} }, nil
	}
	if err := p.expect("="); err != nil {
		return nil, err
	}
	value, err := p.sum()
	if err != nil {
		return nil, err
	}
	return func(m Message) Change {
		v := value(m)
		if _, isText := v.(string); system && v != nil && !isText {
			v = fmt.Sprint(v) // these properties are texts
		}
		return Change{System: system, Name: name, Value: v}
	}, nil
}
