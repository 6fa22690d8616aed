package filter

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

type tokenKind int

const (
	tokenEnd        tokenKind = iota
	tokenWord                 // an identifier or a keyword
	tokenIdentifier           // a delimited or quoted identifier, never a keyword
	tokenText                 // 'text'
	tokenParameter            // @name
	tokenNumber
	tokenSymbol
)

type token struct {
	kind   tokenKind
	text   string
	number any // int64 or float64
	at     int
}

// word reports whether the token is a keyword, in any case.
func (t token) word(keyword string) bool {
	return t.kind == tokenWord && strings.EqualFold(t.text, keyword)
}

func (t token) symbol(s string) bool { return t.kind == tokenSymbol && t.text == s }

// scan splits an expression into tokens. The last one is tokenEnd.
func scan(expression string) ([]token, error) {
	var tokens []token
	for at := 0; ; {
		r, size := utf8.DecodeRuneInString(expression[at:])
		switch {
		case size == 0:
			return append(tokens, token{kind: tokenEnd, at: at}), nil
		case unicode.IsSpace(r):
			at += size
			continue
		}
		t, length, err := scanToken(expression[at:], r)
		if err != nil {
			return nil, fmt.Errorf("%w at character %d", err, at)
		}
		t.at = at
		tokens = append(tokens, t)
		at += length
	}
}

func scanToken(s string, first rune) (t token, length int, err error) {
	switch {
	case first == '\'':
		return scanQuoted(s, '\'', tokenText)
	case first == '"':
		return scanQuoted(s, '"', tokenIdentifier)
	case first == '[':
		return scanQuoted(s, ']', tokenIdentifier)
	case unicode.IsLetter(first) || first == '_':
		length = wordLength(s)
		return token{kind: tokenWord, text: s[:length]}, length, nil
	case first == '@' && wordLength(s[1:]) > 0:
		length = 1 + wordLength(s[1:])
		return token{kind: tokenParameter, text: s[1:length]}, length, nil
	case first >= '0' && first <= '9' || first == '.' && len(s) > 1 && s[1] >= '0' && s[1] <= '9':
		return scanNumber(s)
	}
	for _, symbol := range []string{"<>", "!=", ">=", "<=", "=", "<", ">", "+", "-", "*", "/", "%", "(", ")", ",", ".", ";"} {
		if strings.HasPrefix(s, symbol) {
			if symbol == "!=" {
				return token{kind: tokenSymbol, text: "<>"}, 2, nil
			}
			return token{kind: tokenSymbol, text: symbol}, len(symbol), nil
		}
	}
	return token{}, 0, fmt.Errorf("unexpected %q", first)
}

// wordLength returns the length of the word at the start of a text.
func wordLength(s string) int {
	length := strings.IndexFunc(s, func(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	if length < 0 {
		return len(s)
	}
	return length
}

// scanQuoted reads text up to a closing quote. Two of them stand for one.
func scanQuoted(s string, quote byte, kind tokenKind) (token, int, error) {
	var text strings.Builder
	for i := 1; i < len(s); i++ {
		if s[i] != quote {
			text.WriteByte(s[i])
			continue
		}
		if i+1 < len(s) && s[i+1] == quote {
			text.WriteByte(quote)
			i++
			continue
		}
		return token{kind: kind, text: text.String()}, i + 1, nil
	}
	return token{}, 0, fmt.Errorf("missing closing %c", quote)
}

func scanNumber(s string) (token, int, error) {
	length := digits(s, 0)
	whole := true
	if length < len(s) && s[length] == '.' {
		whole = false
		length = digits(s, length+1)
	}
	if length < len(s) && (s[length] == 'e' || s[length] == 'E') {
		exponent := length + 1
		if exponent < len(s) && (s[exponent] == '+' || s[exponent] == '-') {
			exponent++
		}
		if end := digits(s, exponent); end > exponent {
			whole = false
			length = end
		}
	}
	text := s[:length]
	if whole {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return token{}, 0, fmt.Errorf("number %s is out of range", text)
		}
		return token{kind: tokenNumber, text: text, number: n}, length, nil
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return token{}, 0, fmt.Errorf("number %s is out of range", text)
	}
	return token{kind: tokenNumber, text: text, number: f}, length, nil
}

// digits returns the end of the digits that start at a position.
func digits(s string, from int) int {
	for from < len(s) && s[from] >= '0' && s[from] <= '9' {
		from++
	}
	return from
}
