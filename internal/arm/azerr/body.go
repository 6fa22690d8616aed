package azerr

import (
	"encoding/json"
	"strings"

	"azbackupflow/internal/arm/azjson"
)

// fault is one error of an error body, which may nest several.
type fault struct {
	code    string
	message string
	actions []string
	// explanation is the text of DataProtection's innerError, such as which
	// identity lacks which permission on what. The message only says that one is
	// missing.
	explanation string
	// number is Azure's number of an error that also has a named code.
	number string
	// target names the resource or field that the error is about. kind is the
	// type of the error's additionalInfo.
	target, kind string
	activityID   string
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
	f := faultOf(m)
	var inner any
	if strings.HasPrefix(f.message, "{") && json.Unmarshal([]byte(f.message), &inner) == nil {
		f.message = ""
	}
	if f.code != "" || f.message != "" || f.explanation != "" {
		*found = append(*found, f)
	}
	collect(inner, depth+1, found)
	for _, name := range []string{"error", "odata.error", "details", "innererror", "embeddedInnerError", "errors", "additionalInfo", "info"} {
		collect(azjson.Field(m, name), depth+1, found)
	}
}

// faultOf reads the error that a JSON object itself holds.
func faultOf(m map[string]any) fault {
	title := azjson.String(azjson.Field(m, "errorTitle"))
	f := fault{
		code:        azjson.String(azjson.Field(m, "code"), azjson.Field(m, "errorCode")),
		message:     azjson.String(azjson.Field(m, "message"), azjson.Field(m, "errorString"), title),
		actions:     append(azjson.Strings(azjson.Field(m, "recommendedAction")), azjson.Strings(azjson.Field(m, "recommendations"))...),
		explanation: azjson.String(azjson.Field(m, "DetailedNonLocalisedMessage")),
		target:      azjson.String(azjson.Field(m, "target")),
	}
	if properties, ok := azjson.Field(m, "properties").(map[string]any); ok {
		f.activityID = azjson.String(azjson.Field(properties, "ActivityId"))
	}
	if infos, ok := azjson.Field(m, "additionalInfo").([]any); ok && len(infos) > 0 {
		if first, ok := infos[0].(map[string]any); ok {
			f.kind = azjson.String(azjson.Field(first, "type"))
		}
	}
	return f.named(title)
}
