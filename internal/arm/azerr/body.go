package azerr

import (
	"encoding/json"
	"strings"

	"azbackupflow/internal/arm/azjson"
	"azbackupflow/internal/operation"
)

// fault is one error of an error body, which may nest several.
type fault struct {
	code    string
	message string
	actions []string
	// detail is the explanation of DataProtection's innerError: which identity
	// lacks which permission on what. The message only says that one is missing.
	detail string
}

const (
	// maxDepth is how deep nested errors are followed.
	maxDepth = 10
	// maxFaults is how many errors of one body are read.
	maxFaults = 51
)

// faults reads an error body, from the outermost error inwards. It reads every
// form that Azure sends: {"error":{…}}, {"code","message"}, details[],
// innererror, DataProtection's additionalInfo[] with a UserFacingError as info,
// its innerError with embeddedInnerError and recommendedAction[], Recovery
// Services jobs' errorCode, errorString and recommendations[], and a message
// that itself holds an error body.
func faults(body []byte) []fault {
	var v any
	if json.Unmarshal(body, &v) != nil {
		return nil
	}
	var found []fault
	collect(v, 0, &found)
	return found
}

// collect appends the errors in a JSON value.
func collect(v any, depth int, found *[]fault) {
	if depth > maxDepth || len(*found) >= maxFaults {
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
		code:    azjson.String(azjson.Field(m, "code"), azjson.Field(m, "errorCode")),
		message: azjson.String(azjson.Field(m, "message"), azjson.Field(m, "errorString"), azjson.Field(m, "errorTitle")),
		actions: append(azjson.Strings(azjson.Field(m, "recommendedAction")), azjson.Strings(azjson.Field(m, "recommendations"))...),
		detail:  azjson.String(azjson.Field(m, "DetailedNonLocalisedMessage")),
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
		collect(azjson.Field(m, name), depth+1, found)
	}
}

// pickFault returns the error that says most: the outermost that the
// catalogue knows and that is not Transient, else the outermost that the
// catalogue knows, else the outermost. Fields that
// it lacks are taken from the others.
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
