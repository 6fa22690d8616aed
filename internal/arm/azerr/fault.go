package azerr

import (
	"cmp"
	"regexp"
	"strconv"
	"strings"

	"azbackupflow/internal/operation"
)

// pickFault returns the error that says most: the outermost that the
// catalogue knows and that is not Transient, else the outermost that the
// catalogue knows, else the outermost. Fields that it lacks are taken from the
// others.
func pickFault(all []fault) fault {
	if len(all) == 0 {
		return fault{}
	}
	best := all[0]
	known := false
	for _, f := range all {
		e, ok := entryOf(f)
		if ok && (!known || e.Class != operation.Transient) {
			best, known = f, true
		}
		if ok && e.Class != operation.Transient {
			break
		}
	}
	for _, f := range all {
		if len(best.actions) == 0 {
			best.actions = f.actions
		}
		best.code = cmp.Or(best.code, f.code)
		best.message = cmp.Or(best.message, f.message)
		best.explanation = cmp.Or(best.explanation, f.explanation)
		best.number = cmp.Or(best.number, f.number)
		best.target = cmp.Or(best.target, f.target)
		best.kind = cmp.Or(best.kind, f.kind)
		best.activityID = cmp.Or(best.activityID, f.activityID)
	}
	return best
}

// codeName matches the name of an error code, such as
// UserErrorIncompatibleSrcTargetSystemsForRestore: one word in mixed case. The
// title of other errors is a text, or the name of the item.
var codeName = regexp.MustCompile(`^[A-Z][A-Za-z0-9]*[a-z][A-Za-z0-9]*[A-Z][A-Za-z0-9]*$`)

// named returns the error with its named code, if it has only a number. Jobs
// number their errors; the name is in the title, or in the text.
func (f fault) named(title string) fault {
	if _, err := strconv.Atoi(f.code); err != nil && f.code != "" {
		return f
	}
	name := title
	if !codeName.MatchString(name) {
		name, _ = codeInText(f.message)
	}
	if name != "" {
		f.number, f.code = f.code, name
	}
	return f
}

// maxExplanation is the maximum length in bytes of an explanation that becomes
// part of the message.
const maxExplanation = 600

// httpDump matches texts that only a dump of an HTTP exchange contains.
var httpDump = regexp.MustCompile(`(?i)\bHTTP/\d|\bstatus(code)?:\s*'?\d{3}\b|\bheaders:|\bx-ms-[a-z-]+:|\bcontent-type:|<html`)

// isDump reports whether a text is too long or too technical for a message of
// one line.
func isDump(text string) bool {
	return len(text) > maxExplanation || strings.Count(strings.TrimSpace(text), "\n") > 2 || httpDump.MatchString(text)
}

// text returns the message of an error for one line, and the texts that only its
// history shows.
func (f fault) text() (message, detail string) {
	var details []string
	message = f.message
	if httpDump.MatchString(message) {
		details = append(details, message)
		message, _, _ = strings.Cut(message, "\n")
		message = strings.TrimSpace(message[:dumpStart(message)])
		message = strings.TrimRight(cmp.Or(message, "Azure reports "+f.code), " :;,(") + " (the history has Azure's whole text)"
	}
	switch {
	case f.explanation == "", strings.Contains(f.message, f.explanation):
	case isDump(f.explanation):
		details = append(details, f.explanation)
	default:
		message += " (" + f.explanation + ")"
	}
	if f.number != "" {
		details = append(details, "Azure's error number is "+f.number)
	}
	return message, strings.Join(details, "; ")
}

// dumpStart returns where the dump of an HTTP exchange begins in a text; the
// text's length if it has none.
func dumpStart(text string) int {
	if at := httpDump.FindStringIndex(text); at != nil {
		return at[0]
	}
	return len(text)
}
