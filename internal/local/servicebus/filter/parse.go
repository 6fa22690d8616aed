package filter

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

const (
	// maxExpression is the documented limit for a filter, in characters.
	maxExpression = 1024
	// maxDepth is the documented limit for the depth of an expression.
	maxDepth = 32
)

// SQL is a filter in the SQL-like language of Service Bus.
type SQL struct {
	expression string
	root       predicate
}

// Parse parses a SQL filter. Parameters holds the values of the parameters that the
// expression names, such as @limit, by name without the @.
func Parse(expression string, parameters map[string]any) (SQL, error) {
	p, err := newParser("filter", expression, parameters)
	if err != nil {
		return SQL{}, err
	}
	root, err := p.disjunction()
	if err == nil && p.peek().kind != tokenEnd {
		err = p.unexpected()
	}
	if err != nil {
		return SQL{}, fmt.Errorf("filter %q: %w", expression, err)
	}
	return SQL{expression, root}, nil
}

// Match reports whether the predicate is true for the message.
func (f SQL) Match(m Message) bool { return f.root != nil && f.root(m) == yes }

// String returns the expression.
func (f SQL) String() string { return f.expression }

// A predicate has a truth for each message, an operand a value.
type (
	predicate func(m Message) truth
	operand   func(m Message) any
)

// parser is a recursive descent parser: each method parses one level of precedence.
type parser struct {
	tokens     []token
	next       int
	depth      int
	parameters map[string]any
}

// newParser returns a parser of an expression. what names the kind of expression.
func newParser(what, expression string, parameters map[string]any) (*parser, error) {
	if len([]rune(expression)) > maxExpression {
		return nil, fmt.Errorf("%s has more than %d characters", what, maxExpression)
	}
	tokens, err := scan(expression)
	if err != nil {
		return nil, fmt.Errorf("%s %q: %w", what, expression, err)
	}
	values := map[string]any{}
	for name, v := range parameters {
		if values[strings.ToLower(strings.TrimPrefix(name, "@"))], err = ValueOf(v); err != nil {
			return nil, fmt.Errorf("%s %q: parameter %s: %w", what, expression, name, err)
		}
	}
	return &parser{tokens: tokens, parameters: values}, nil
}

func (p *parser) peek() token { return p.tokens[p.next] }

func (p *parser) take() token {
	t := p.tokens[p.next]
	if t.kind != tokenEnd {
		p.next++
	}
	return t
}

func (p *parser) acceptWord(keyword string) bool {
	if p.peek().word(keyword) {
		p.next++
		return true
	}
	return false
}

func (p *parser) acceptSymbol(s string) bool {
	if p.peek().symbol(s) {
		p.next++
		return true
	}
	return false
}

func (p *parser) expect(s string) error {
	if !p.acceptSymbol(s) {
		return fmt.Errorf("expected %s: %w", s, p.unexpected())
	}
	return nil
}

func (p *parser) unexpected() error {
	t := p.peek()
	if t.kind == tokenEnd {
		return errors.New("unexpected end")
	}
	return fmt.Errorf("unexpected %q at character %d", t.text, t.at)
}

// enter counts a level of nesting. The caller must call leave.
func (p *parser) enter() error {
	p.depth++
	if p.depth > maxDepth {
		return fmt.Errorf("expression is nested deeper than %d levels", maxDepth)
	}
	return nil
}

func (p *parser) leave() { p.depth-- }

func (p *parser) disjunction() (predicate, error) {
	left, err := p.conjunction()
	for err == nil && p.acceptWord("OR") {
		var right predicate
		a := left
		if right, err = p.conjunction(); err == nil {
			left = func(m Message) truth { return a(m).or(right(m)) }
		}
	}
	return left, err
}

func (p *parser) conjunction() (predicate, error) {
	left, err := p.negation()
	for err == nil && p.acceptWord("AND") {
		var right predicate
		a := left
		if right, err = p.negation(); err == nil {
			left = func(m Message) truth { return a(m).and(right(m)) }
		}
	}
	return left, err
}

func (p *parser) negation() (predicate, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	if p.acceptWord("NOT") {
		inner, err := p.negation()
		if err != nil {
			return nil, err
		}
		return func(m Message) truth { return inner(m).not() }, nil
	}
	return p.primary()
}

// primary parses a predicate without AND, OR and NOT. An opening parenthesis may
// start a predicate or an expression: the parser tries the predicate first. The second
// try does not come back here, so the time is at most quadratic.
func (p *parser) primary() (predicate, error) {
	start := p.next
	if p.acceptSymbol("(") {
		inner, err := p.disjunction()
		if err == nil && p.acceptSymbol(")") && !p.continuesExpression() {
			return inner, nil
		}
		p.next = start
	}
	if p.peek().word("EXISTS") {
		return p.exists()
	}
	return p.relation()
}

// continuesExpression reports whether the next token continues an expression in
// parentheses, as in (a + b) > 1.
func (p *parser) continuesExpression() bool {
	t := p.peek()
	if t.kind == tokenSymbol {
		return t.text != ")" && t.text != ","
	}
	return slices.ContainsFunc([]string{"IS", "IN", "LIKE", "NOT"}, t.word)
}

func (p *parser) exists() (predicate, error) {
	p.take()
	if err := p.expect("("); err != nil {
		return nil, err
	}
	value, err := p.property()
	if err != nil {
		return nil, err
	}
	return func(m Message) truth { return truthOf(value(m) != nil) }, p.expect(")")
}

func (p *parser) relation() (predicate, error) {
	left, err := p.sum()
	if err != nil {
		return nil, err
	}
	if t := p.peek(); t.kind == tokenSymbol && slices.Contains([]string{"=", "<>", "<", "<=", ">", ">="}, t.text) {
		p.take()
		right, err := p.sum()
		if err != nil {
			return nil, err
		}
		return func(m Message) truth { return compare(t.text, left(m), right(m)) }, nil
	}
	if p.acceptWord("IS") {
		return p.isNull(left)
	}
	negated := p.acceptWord("NOT")
	var result predicate
	switch {
	case p.acceptWord("IN"):
		result, err = p.in(left)
	case p.acceptWord("LIKE"):
		result, err = p.like(left)
	case !negated: // a property or constant that is a boolean
		return func(m Message) truth { return compare("=", left(m), true) }, nil
	default:
		return nil, p.unexpected()
	}
	if err != nil || !negated {
		return result, err
	}
	return func(m Message) truth { return result(m).not() }, nil
}

func (p *parser) isNull(left operand) (predicate, error) {
	negated := p.acceptWord("NOT")
	if !p.acceptWord("NULL") {
		return nil, fmt.Errorf("expected NULL: %w", p.unexpected())
	}
	return func(m Message) truth { return truthOf((left(m) == nil) != negated) }, nil
}

func (p *parser) in(left operand) (predicate, error) {
	if err := p.expect("("); err != nil {
		return nil, err
	}
	var list []operand
	for {
		element, err := p.sum()
		if err != nil {
			return nil, err
		}
		list = append(list, element)
		if !p.acceptSymbol(",") {
			break
		}
	}
	if err := p.expect(")"); err != nil {
		return nil, err
	}
	return func(m Message) truth {
		value := left(m)
		if value == nil {
			return unknown
		}
		result := no
		for _, element := range list {
			if compare("=", value, element(m)) == yes {
				result = yes
			}
		}
		return result
	}, nil
}

func (p *parser) like(left operand) (predicate, error) {
	pattern, err := p.sum()
	if err != nil {
		return nil, err
	}
	escape := operand(func(Message) any { return "" })
	if p.acceptWord("ESCAPE") {
		if escape, err = p.sum(); err != nil {
			return nil, err
		}
	}
	return func(m Message) truth {
		text, isText := left(m).(string)
		like, isPattern := pattern(m).(string)
		character, isEscape := escape(m).(string)
		if !isText || !isPattern || !isEscape {
			return unknown
		}
		return truthOf(likeMatches(text, like, character))
	}, nil
}

// property parses a property with an optional scope.
func (p *parser) property() (operand, error) {
	system, name, err := p.name()
	if err != nil {
		return nil, err
	}
	if system {
		return func(m Message) any { return m.System(name) }, nil
	}
	return func(m Message) any { return m.User(name) }, nil
}

// name parses the name of a property with an optional scope. The name of a system
// property is in lower case; an unknown one is an error.
func (p *parser) name() (system bool, name string, err error) {
	t := p.peek()
	if t.kind != tokenIdentifier && (t.kind != tokenWord || keyword(t.text)) {
		return false, "", p.unexpected()
	}
	p.take()
	if !p.acceptSymbol(".") {
		return false, t.text, nil
	}
	inner := p.take()
	if inner.kind != tokenIdentifier && inner.kind != tokenWord {
		return false, "", fmt.Errorf("expected a property name after %s", t.text)
	}
	switch strings.ToLower(t.text) {
	case "user":
		return false, inner.text, nil
	case "sys":
		name = strings.ToLower(inner.text)
		if !slices.Contains(SystemNames(), name) {
			return false, "", fmt.Errorf("unknown system property %q; known are %s", inner.text, strings.Join(SystemNames(), ", "))
		}
		return true, name, nil
	}
	return false, "", fmt.Errorf("unknown scope %q; write sys or user", t.text)
}

// parameter returns the value of a parameter.
func (p *parser) parameter(t token) (any, error) {
	v, known := p.parameters[strings.ToLower(t.text)]
	if !known {
		return nil, fmt.Errorf("parameter @%s at character %d has no value; a rule that a client adds cannot have parameters", t.text, t.at)
	}
	return v, nil
}

func keyword(word string) bool {
	return slices.ContainsFunc([]string{
		"AND", "OR", "NOT", "IS", "NULL", "IN", "LIKE", "ESCAPE", "EXISTS", "TRUE", "FALSE",
	}, func(k string) bool { return strings.EqualFold(k, word) })
}
