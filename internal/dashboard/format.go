package dashboard

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html/template"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode"

	"azbackupflow/internal/api"
)

// functions are the functions of the templates.
func functions() template.FuncMap {
	return template.FuncMap{
		"short": short, "shortRejected": shortRejected, "plural": plural, "last": lastPart, "stamp": stamp, "minute": minute, "runName": runName, "requestName": requestName, "sentence": sentence, "words": words, "breakable": breakable, "lastRuns": runsOf, "status": statusMark, "span": span, "between": between,
		"indent": indent, "portal": portal, "percent": percent, "pathescape": url.PathEscape, "shortPath": shortPath, "itemPath": itemPath, "readinessName": readinessName, "readinessClass": readinessClass, "age": age, "resultClass": resultClass, "prose": prose, "actor": actor, "seconds": seconds,
		"add": func(a, b int) int { return a + b }, "sub": func(a, b int) int { return a - b }, "mul": func(a, b int) int { return a * b },
		"bar": barHeight, "rows": newRows, "windows": trendWindows,
	}
}

// operationRows is a table of operations.
type operationRows struct {
	Rows []api.Operation
	Now  time.Time
	// Empty is the text of a table without rows.
	Empty string
}

func newRows(operations []api.Operation, now time.Time, empty string) operationRows {
	return operationRows{operations, now, empty}
}

// plural returns a number with its noun.
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// plain returns a page without control characters, and with codes in place of the
// characters that change the direction of text: no name may look like another one.
// In JSON, the code means the same.
func plain(page []byte) []byte {
	var b bytes.Buffer
	b.Grow(len(page))
	for _, r := range string(page) {
		switch {
		case r == '\n' || r == '\t':
			b.WriteRune(r)
		case unicode.IsControl(r):
			b.WriteByte(' ')
		case unicode.Is(unicode.Bidi_Control, r):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.Bytes()
}

// shortID is the number of characters of an id that a table shows.
const shortID = 8

// short returns the beginning of an id.
func short(id string) string {
	if len(id) <= shortID {
		return id
	}
	return id[:shortID]
}

// shortRejected returns the part of a rejected request's ID that distinguishes it, in
// the length of other IDs. The ID begins with digits of the time.
func shortRejected(id string) string {
	return short(id[strings.Index(id, "-")+1:])
}

// lastPart returns the name at the end of a resource id. Azure's names of protected
// items end with the name that people know, after the last semicolon.
func lastPart(id string) string {
	id = strings.TrimRight(id, "/")
	id = id[strings.LastIndex(id, "/")+1:]
	return id[strings.LastIndex(id, ";")+1:]
}

// markup finds code and links in the texts of the flows' documentation.
var markup = regexp.MustCompile("`([^`]+)`|\\[([^\\]]+)\\]\\([^)]+\\)")

// prose returns a text of the flows' documentation: code as code, links as text.
func prose(text string) template.HTML {
	escaped := template.HTMLEscapeString(text)
	return template.HTML(markup.ReplaceAllStringFunc(escaped, func(found string) string { //nolint:gosec // escaped before
		parts := markup.FindStringSubmatch(found)
		if parts[1] != "" {
			return "<code>" + parts[1] + "</code>"
		}
		return parts[2]
	}))
}

// inVault matches the part of a path before what is in a vault.
var inVault = regexp.MustCompile(`(?i)^/subscriptions/.*/(?:vaults|backupVaults)/[^/]+/`)

// itemPath returns the last part of an item's ID, which distinguishes items of the
// same name.
func itemPath(id string) string { return id[strings.LastIndex(id, "/")+1:] }

// shortPath returns the path of a call without the vault, or from its resource type
// on: subscription, group and vault are on the page already.
func shortPath(path string) string {
	if before := inVault.FindString(path); before != "" {
		return "…/" + path[len(before):]
	}
	if _, rest, ok := strings.Cut(path, "/providers/"); ok && strings.HasPrefix(path, "/subscriptions/") {
		return "…/" + rest
	}
	return path
}

// stamp returns a time in UTC. The script of the page shows it as the person wishes.
func stamp(t time.Time) template.HTML {
	if t.IsZero() {
		return "–"
	}
	t = t.UTC()
	return template.HTML(fmt.Sprintf(`<time datetime="%s">%s</time>`, t.Format(time.RFC3339), t.Format("2006-01-02 15:04:05Z"))) //nolint:gosec // of digits only
}

// minuteLayout shows the times of schedules. Their seconds are always zero, and the day
// of the week is what people plan by.
const minuteLayout = "Mon 2006-01-02 15:04"

// minute returns a time in UTC, whatever display of times the browser has chosen.
func minute(t time.Time) string { return t.UTC().Format(minuteLayout) }

// slotTime returns the local time of a slot, or the slot itself if it is none.
func slotTime(slot string) string {
	t, err := time.Parse("2006-01-02T15:04", slot)
	if err != nil {
		return slot
	}
	return t.Format(minuteLayout)
}

// shapes are the symbols of statuses: people who do not see colors tell them apart
// by their shape.
var shapes = map[api.Status]struct{ class, path string }{ //nolint:gochecknoglobals // a constant table
	api.Pending:               {"pending", `<circle cx="8" cy="8" r="5.5" fill="none" stroke="currentColor" stroke-width="1.6" stroke-dasharray="2.6 2.2"/>`},
	api.Running:               {"running", `<circle cx="8" cy="8" r="5.5" fill="none" stroke="currentColor" stroke-width="1.6"/><path d="M8 2.5a5.5 5.5 0 0 1 0 11z" fill="currentColor"/>`},
	api.Parked:                {"parked", `<path d="M8 1.8 14.2 8 8 14.2 1.8 8z" fill="none" stroke="currentColor" stroke-width="1.6"/><path d="M6.4 6v4M9.6 6v4" stroke="currentColor" stroke-width="1.5"/>`},
	api.Succeeded:             {"succeeded", `<path d="m3 8.5 3.4 3.4L13 4.8" fill="none" stroke="currentColor" stroke-width="2"/>`},
	api.SucceededWithWarnings: {"warned", `<path d="M8 2.2 14.6 13.5H1.4z" fill="none" stroke="currentColor" stroke-width="1.5"/><path d="m5.4 9.6 1.9 1.9 3.3-3.6" fill="none" stroke="currentColor" stroke-width="1.5"/>`},
	api.Failed:                {"failed", `<path d="m4 4 8 8m0-8-8 8" fill="none" stroke="currentColor" stroke-width="2.2"/>`},
	api.Canceled:              {"canceled", `<circle cx="8" cy="8" r="5.5" fill="none" stroke="currentColor" stroke-width="1.6"/><path d="M4.2 11.8 11.8 4.2" stroke="currentColor" stroke-width="1.6"/>`},
	api.TimedOut:              {"failed", `<path d="M4 2.5h8M4 13.5h8M5 2.5c0 3.5 6 7 6 11M11 2.5c0 3.5-6 7-6 11" fill="none" stroke="currentColor" stroke-width="1.5"/>`},
}

// statusMark returns a status with its symbol.
func statusMark(s api.Status) template.HTML {
	shape, ok := shapes[s]
	if !ok {
		return template.HTML(template.HTMLEscapeString(string(s))) //nolint:gosec // escaped
	}
	return template.HTML(fmt.Sprintf(`<span class="status %s"><svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">%s</svg>%s</span>`, shape.class, shape.path, statusName(s))) //nolint:gosec // constants only
}

// statusName returns a status in words.
func statusName(s api.Status) string {
	switch s {
	case api.SucceededWithWarnings:
		return "Succeeded, with warnings"
	case api.TimedOut:
		return "Timed out"
	case api.Pending, api.Running, api.Parked, api.Succeeded, api.Failed, api.Canceled:
	}
	return string(s)
}

// span returns a duration with at most two units.
func span(d time.Duration) string {
	d = d.Round(time.Second)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
	case d < 24*time.Hour:
		return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%d d %d h", int(d.Hours())/24, int(d.Hours())%24)
}

func between(from, to time.Time) string {
	if from.IsZero() || to.IsZero() || to.Before(from) {
		return "–"
	}
	return span(to.Sub(from))
}

func seconds(n int) string { return span(time.Duration(n) * time.Second) }

// indent returns a value as readable JSON.
func indent(v any) string {
	raw, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return ""
	}
	return string(raw)
}

// percent returns part of whole as a whole number.
func percent(part, whole int) int {
	if whole == 0 {
		return 0
	}
	return 100 * part / whole
}

// portal returns the page of a vault in the Azure portal. Microsoft documents no form
// of links to a job or to a protected item, so the page links to their vault.
func portal(resourceID string) string {
	if !strings.HasPrefix(resourceID, "/subscriptions/") {
		return ""
	}
	return "https://portal.azure.com/#resource" + (&url.URL{Path: resourceID}).EscapedPath() + "/overview"
}

// actor returns who did something.
func actor(a *api.Actor) string {
	if a == nil {
		return ""
	}
	kinds := map[string]string{"user": "user", "app": "app", "functionKey": "function key", "anonymous": "an anonymous caller", "schedule": "schedule", "rule": "rule", "queue": "queue"}
	kind, ok := kinds[a.Kind]
	if !ok {
		kind = a.Kind
	}
	return strings.TrimSpace(kind + " " + a.ID)
}
