package filter

import (
	"fmt"
	"math"
	"strings"

	"github.com/google/uuid"
)

func (p *parser) sum() (operand, error) { return p.chain((*parser).product, "+", "-") }

func (p *parser) product() (operand, error) { return p.chain((*parser).unary, "*", "/", "%") }

// chain parses operands that are joined by operators of one precedence.
func (p *parser) chain(operands func(*parser) (operand, error), operators ...string) (operand, error) {
	left, err := operands(p)
	if err != nil {
		return nil, err
	}
next:
	for {
		for _, operator := range operators {
			if !p.acceptSymbol(operator) {
				continue
			}
			a := left
			b, err := operands(p)
			if err != nil {
				return nil, err
			}
			left = func(m Message) any { return calculate(operator, a(m), b(m)) }
			continue next
		}
		return left, nil
	}
}

func (p *parser) unary() (operand, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	switch {
	case p.acceptSymbol("+"):
		return p.unary()
	case p.acceptSymbol("-"):
		inner, err := p.unary()
		if err != nil {
			return nil, err
		}
		return func(m Message) any { return calculate("-", int64(0), inner(m)) }, nil
	case p.acceptSymbol("("):
		inner, err := p.sum()
		if err != nil {
			return nil, err
		}
		return inner, p.expect(")")
	}
	return p.value()
}

// value parses a constant, a function or a property.
func (p *parser) value() (operand, error) {
	t := p.peek()
	constant := func(v any) (operand, error) {
		p.take()
		return func(Message) any { return v }, nil
	}
	switch {
	case t.kind == tokenNumber:
		return constant(t.number)
	case t.kind == tokenText:
		return constant(t.text)
	case t.kind == tokenParameter:
		v, err := p.parameter(t)
		if err != nil {
			return nil, err
		}
		return constant(v)
	case t.word("TRUE"):
		return constant(true)
	case t.word("FALSE"):
		return constant(false)
	case t.word("NULL"):
		return constant(nil)
	case t.kind == tokenWord && p.tokens[p.next+1].symbol("("):
		return p.function()
	}
	return p.property()
}

func (p *parser) function() (operand, error) {
	name := p.take()
	p.take() // the parenthesis
	switch strings.ToLower(name.text) {
	case "newid":
		return func(Message) any { return uuid.NewString() }, p.expect(")")
	case "property", "p":
		argument, err := p.sum()
		if err != nil {
			return nil, err
		}
		return func(m Message) any {
			text, isText := argument(m).(string)
			if !isText {
				return nil
			}
			return m.User(text)
		}, p.expect(")")
	}
	return nil, fmt.Errorf("unknown function %q; known are newid, property and p", name.text)
}

// calculate applies an arithmetic operator. Integers stay integers; the result is
// nil (unknown) if an operand is not a number, or divides by zero. + joins texts.
func calculate(operator string, a, b any) any {
	if left, ok := a.(string); ok {
		if right, ok := b.(string); ok && operator == "+" {
			return left + right
		}
		return nil
	}
	x, isInt := a.(int64)
	y, alsoInt := b.(int64)
	if isInt && alsoInt {
		return calculateInt(operator, x, y)
	}
	f, isNumber := float(a)
	g, alsoNumber := float(b)
	if !isNumber || !alsoNumber {
		return nil
	}
	switch operator {
	case "+":
		return f + g
	case "-":
		return f - g
	case "*":
		return f * g
	case "/":
		return f / g
	}
	return math.Mod(f, g)
}

func calculateInt(operator string, x, y int64) any {
	switch operator {
	case "+":
		return x + y
	case "-":
		return x - y
	case "*":
		return x * y
	}
	if y == 0 {
		return nil
	}
	if operator == "/" {
		return x / y
	}
	return x % y
}

// likeMatches reports whether text matches a pattern, in which % stands for any text
// and _ for any character. The escape character, if any, makes the next one literal.
func likeMatches(text, pattern, escape string) bool {
	type element struct {
		r             rune
		anyText, wild bool
	}
	var elements []element
	escaped := false
	for _, r := range pattern {
		switch {
		case escaped:
			elements = append(elements, element{r: r})
			escaped = false
		case escape != "" && string(r) == escape:
			escaped = true
		default:
			elements = append(elements, element{r: r, anyText: r == '%', wild: r == '_'})
		}
	}
	// Greedy matching with a return to the last %: its time is bounded by the product
	// of the lengths.
	runes := []rune(text)
	at, e := 0, 0
	lastAny, lastAt := -1, 0
	for at < len(runes) {
		switch {
		case e < len(elements) && elements[e].anyText:
			lastAny, lastAt = e, at
			e++
		case e < len(elements) && (elements[e].wild || elements[e].r == runes[at]):
			at++
			e++
		case lastAny >= 0:
			lastAt++
			at, e = lastAt, lastAny+1
		default:
			return false
		}
	}
	for e < len(elements) && elements[e].anyText {
		e++
	}
	return e == len(elements)
}
