package state

import (
	"bytes"
	"encoding/hex"
	"unicode/utf16"
	"unicode/utf8"
)

// columns yields the names and JSON forms of an entity's columns, and reports whether
// it read the whole entity. It stops at a column that is neither a text nor a plain
// value, and at a name with an escape. It checks no syntax: the caller decodes the
// values that it uses.
//
// Package json reads a text three times, and copies it. The texts of a row are
// thousands of bytes, and every step reads one.
func columns(text []byte, yield func(name, value []byte)) bool {
	rest, ok := bytes.CutPrefix(bytes.TrimSpace(text), []byte("{"))
	for ok {
		var name, value []byte
		if name, rest, ok = cutText(trimSpace(rest)); !ok || bytes.IndexByte(name, '\\') >= 0 {
			return false
		}
		if rest, ok = bytes.CutPrefix(trimSpace(rest), []byte(":")); !ok {
			return false
		}
		if value, rest, ok = cutValue(trimSpace(rest)); !ok {
			return false
		}
		yield(name[1:len(name)-1], value)
		rest = trimSpace(rest)
		if string(rest) == "}" {
			return true
		}
		rest, ok = bytes.CutPrefix(rest, []byte(","))
	}
	return false
}

func trimSpace(text []byte) []byte { return bytes.TrimLeft(text, " \t\r\n") }

// cutText cuts a JSON text with its quotes.
func cutText(text []byte) (value, rest []byte, ok bool) {
	if len(text) == 0 || text[0] != '"' {
		return nil, nil, false
	}
	for i := 1; ; i++ {
		n := bytes.IndexAny(text[i:], `"\`)
		if n < 0 {
			return nil, nil, false
		}
		if i += n; text[i] == '"' {
			return text[:i+1], text[i+1:], true
		}
		if i++; i >= len(text) { // the escaped character
			return nil, nil, false
		}
	}
}

// cutValue cuts a JSON text, number, true, false or null.
func cutValue(text []byte) (value, rest []byte, ok bool) {
	if len(text) > 0 && text[0] == '"' {
		return cutText(text)
	}
	n := bytes.IndexAny(text, ",}{[ \t\r\n")
	if n <= 0 || text[n] == '{' || text[n] == '[' {
		return nil, nil, false
	}
	return text[:n], text[n:], true
}

// unquote decodes a JSON text with its quotes. ok is false for a text that package
// json must decode.
func unquote(quoted []byte) (text []byte, ok bool) {
	if len(quoted) < 2 || quoted[0] != '"' {
		return nil, false
	}
	rest := quoted[1 : len(quoted)-1]
	text = make([]byte, 0, len(rest))
	for {
		n := bytes.IndexByte(rest, '\\')
		if n < 0 {
			return append(text, rest...), true
		}
		text, rest = append(text, rest[:n]...), rest[n+1:]
		if len(rest) == 0 {
			return nil, false
		}
		escaped := rest[0]
		rest = rest[1:]
		switch escaped {
		case '"', '\\', '/':
			text = append(text, escaped)
		case 'n':
			text = append(text, '\n')
		case 'u':
			r, isRune := hexRune(rest)
			if !isRune {
				return nil, false
			}
			text, rest = utf8.AppendRune(text, r), rest[hexDigits:]
		default:
			return nil, false
		}
	}
}

// hexDigits is the number of digits of an escaped UTF-16 unit.
const hexDigits = 4

// hexRune decodes an escaped UTF-16 unit that is a character of its own.
func hexRune(text []byte) (rune, bool) {
	if len(text) < hexDigits {
		return 0, false
	}
	var unit [hexDigits / 2]byte
	if _, err := hex.Decode(unit[:], text[:hexDigits]); err != nil {
		return 0, false
	}
	r := rune(unit[0])<<8 | rune(unit[1])
	return r, !utf16.IsSurrogate(r)
}
