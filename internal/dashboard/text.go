package dashboard

import (
	"html/template"
	"strings"
	"unicode"
	"unicode/utf8"
)

// sentence returns a text of the flows' documentation as a sentence, with the
// condition under which it applies.
func sentence(text, when string) template.HTML {
	for _, kind := range []string{"an object, which may be empty: ", "an object: "} { // a form has no objects
		text = strings.TrimPrefix(text, kind)
	}
	if when != "" {
		text = strings.TrimSuffix(text, ".") + " (" + when + ")"
	}
	return prose(capital(text))
}

// capital returns a text that begins with a capital letter, and ends with a full stop.
func capital(text string) string {
	first, size := utf8.DecodeRuneInString(text)
	if size == 0 {
		return ""
	}
	text = string(unicode.ToUpper(first)) + text[size:]
	if !strings.HasSuffix(text, ".") {
		text += "."
	}
	return text
}

// words returns a name of the API in words: "Objectives missed" for ObjectivesMissed.
func words(name string) string {
	var b strings.Builder
	for i, r := range name {
		if i > 0 && unicode.IsUpper(r) {
			b.WriteByte(' ')
			r = unicode.ToLower(r)
		}
		b.WriteRune(r)
	}
	return b.String()
}

// breakable returns an ID that a browser breaks after its slashes and semicolons, not
// within a name.
func breakable(id string) template.HTML {
	var b strings.Builder
	for id != "" {
		end := strings.IndexAny(id, "/;") + 1
		if end == 0 {
			end = len(id)
		}
		b.WriteString(template.HTMLEscapeString(id[:end]))
		if id = id[end:]; id != "" {
			b.WriteString("<wbr>")
		}
	}
	return template.HTML(b.String()) //nolint:gosec // escaped above
}

// maxRunName limits the characters of a requested run's name.
const maxRunName = 24

// runName returns the local time of a run, or the name under which it was requested.
func runName(slot string) string {
	if !strings.HasPrefix(slot, requestedRun) {
		return slotTime(slot)
	}
	return "on request: " + requestName(slot)
}

// requestedRun begins the names of requested runs.
const requestedRun = "run-"

// requestName returns the name under which a run was requested; the beginning of it if
// it is long, as a generated one is.
func requestName(slot string) string {
	name := strings.TrimPrefix(slot, requestedRun)
	if letters := []rune(name); len(letters) > maxRunName {
		return string(letters[:shortID]) + "…"
	}
	return name
}
