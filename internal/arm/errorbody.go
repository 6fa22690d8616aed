package arm

import (
	"encoding/json"
	"strconv"
	"strings"

	"azbackupflow/internal/operation"
)

// fault is one error of an error body, which may nest several.
type fault struct {
	code    string
	message string
	actions []string
	// detail is what DataProtection's innerError adds: who lacks which
	// permission on what, where the message says only that one is missing.
	detail string
}

// deepest bounds how far nested errors are followed.
const deepest = 10

// faults reads an error body of any of the shapes that Azure sends, from the
// outermost error inwards: {"error":{…}}, {"code","message"}, details[],
// innererror, DataProtection's additionalInfo[] with a UserFacingError as info,
// its innerError with embeddedInnerError and recommendedAction[], Recovery
// Services jobs' errorCode, errorString and recommendations[], and a message
// that is such a body again.
func faults(body []byte) []fault {
	var v any
	if json.Unmarshal(body, &v) != nil {
		return nil
	}
	var found []fault
	collect(v, 0, &found)
	return found
}

func collect(v any, depth int, found *[]fault) {
	if depth > deepest || len(*found) > 50 {
		return
	}
	if list, ok := v.([]any); ok {
		for _, item := range list {
			collect(item, depth+1, found)
		}
		return
	}
	m, ok := v.(map[string]any)
	if !ok {
		return
	}
	f := fault{
		code:    text(field(m, "code"), field(m, "errorCode")),
		message: text(field(m, "message"), field(m, "errorString"), field(m, "errorTitle")),
		actions: append(texts(field(m, "recommendedAction")), texts(field(m, "recommendations"))...),
		detail:  text(field(m, "DetailedNonLocalisedMessage")),
	}
	var inner any
	if strings.HasPrefix(f.message, "{") && json.Unmarshal([]byte(f.message), &inner) == nil {
		f.message = ""
	}
	if f.code != "" || f.message != "" || f.detail != "" {
		*found = append(*found, f)
	}
	collect(inner, depth+1, found)
	for _, name := range []string{"error", "odata.error", "details", "innererror", "embeddedInnerError", "errors", "additionalInfo", "info"} {
		collect(field(m, name), depth+1, found)
	}
}

// field finds a member whatever its casing.
func field(m map[string]any, name string) any {
	if v, ok := m[name]; ok {
		return v
	}
	for k, v := range m {
		if strings.EqualFold(k, name) {
			return v
		}
	}
	return nil
}

// text gives the first value that is a text or a number, or an object that
// holds its text as value.
func text(values ...any) string {
	for _, v := range values {
		switch v := v.(type) {
		case string:
			if s := strings.TrimSpace(v); s != "" {
				return s
			}
		case float64:
			return strconv.FormatFloat(v, 'f', -1, 64)
		case map[string]any:
			if s, ok := field(v, "value").(string); ok && strings.TrimSpace(s) != "" {
				return strings.TrimSpace(s)
			}
		}
	}
	return ""
}

// texts gives a list of texts, or one text as a list.
func texts(v any) []string {
	switch v := v.(type) {
	case string:
		if s := strings.TrimSpace(v); s != "" {
			return []string{s}
		}
	case []any:
		var all []string
		for _, item := range v {
			if s := text(item); s != "" && len(all) < 10 {
				all = append(all, s)
			}
		}
		return all
	}
	return nil
}

// telling picks the error that says most: the outermost that the catalogue
// knows and that is more than a passing fault, else the outermost known, else
// the outermost.
func telling(all []fault) fault {
	var picked *fault
	for i, f := range all {
		e, ok := known(f.code)
		if !ok {
			e, ok = knownByText(f.message)
		}
		if !ok {
			continue
		}
		if e.Class != operation.Transient {
			picked = &all[i]
			break
		}
		if picked == nil {
			picked = &all[i]
		}
	}
	if picked == nil {
		if len(all) == 0 {
			return fault{}
		}
		picked = &all[0]
	}
	best := *picked
	for _, f := range all {
		if best.code == "" {
			best.code = f.code
		}
		if best.message == "" {
			best.message = f.message
		}
		if len(best.actions) == 0 {
			best.actions = f.actions
		}
		if best.detail == "" {
			best.detail = f.detail
		}
	}
	return best
}
