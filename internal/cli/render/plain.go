package render

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
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

// maxCell is the maximum length of a reason in a table, in characters.
const maxCell = 60

// Cell returns the first line of a text, shortened for a table.
func Cell(text string) string {
	first, _, _ := strings.Cut(text, "\n")
	runes := []rune(Plain(first))
	if len(runes) > maxCell {
		return string(runes[:maxCell-1]) + ellipsis
	}
	return string(runes)
}

// shortenMiddle replaces the middle of a long text with an ellipsis.
func shortenMiddle(s string, columns int) string {
	runes := []rune(s)
	if len(runes) <= columns || columns < 3 {
		return s
	}
	head := (columns - 1) / 2
	tail := columns - 1 - head
	return string(runes[:head]) + ellipsis + string(runes[len(runes)-tail:])
}

// Body returns a request body for a terminal, indented if it is JSON.
func Body(body string) string {
	var v any
	if json.Unmarshal([]byte(body), &v) == nil {
		if text, err := json.MarshalIndent(v, "", "  "); err == nil {
			return string(text)
		}
	}
	return Plain(body)
}
