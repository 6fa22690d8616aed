package render

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode"

	"github.com/jedib0t/go-pretty/v6/text"
)

const ellipsis = "…"

// Plain replaces control characters in text from outside with spaces, so that it
// cannot send escape sequences to a terminal. It escapes bidirectional control
// characters, because they could make the text appear as another one.
func Plain(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case unicode.IsControl(r):
			b.WriteByte(' ')
		case unicode.Is(unicode.Bidi_Control, r):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// FirstLine returns the first line of a text.
func FirstLine(text string) string {
	first, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return Plain(first)
}

// shortenMiddle replaces the middle of a long text with an ellipsis.
func shortenMiddle(s string, columns int) string {
	if text.StringWidth(s) <= columns || columns < minColumn {
		return s
	}
	head := text.Trim(s, (columns-1)/2)
	rest := []rune(s)
	for text.StringWidth(string(rest)) > columns-1-text.StringWidth(head) {
		rest = rest[1:]
	}
	return head + ellipsis + string(rest)
}

// Body returns a request body for a terminal, indented if it is JSON.
func Body(body string) string {
	var v any
	if json.Unmarshal([]byte(body), &v) == nil {
		if indented, err := json.MarshalIndent(v, "", "  "); err == nil {
			return string(indented)
		}
	}
	return Plain(body)
}
