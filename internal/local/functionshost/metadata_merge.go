package functionshost

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"
)

// mergeBody merges the top-level properties of a trigger's text over its
// metadata, as the host does when the text is a JSON object: arrays are passed
// over, objects stay objects, everything else becomes text the .NET way, and
// null removes what was there.
func mergeBody(metadata *document, body string) {
	trimmed := strings.TrimSpace(body)
	if !strings.HasPrefix(trimmed, "{") || !strings.HasSuffix(trimmed, "}") {
		return
	}
	decoder := json.NewDecoder(strings.NewReader(trimmed))
	decoder.UseNumber()
	if _, err := decoder.Token(); err != nil {
		return
	}
	merged := &document{}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return
		}
		var raw json.RawMessage
		if err := decoder.Decode(&raw); err != nil {
			return
		}
		text, ok := name.(string)
		if !ok {
			return
		}
		if value, keep := mergedValue(raw); keep {
			merged.set(text, value)
		}
	}
	if _, err := decoder.Token(); err != nil {
		return // cut off: the host merges all or nothing
	}
	for _, name := range merged.names {
		metadata.set(name, merged.values[strings.ToLower(name)])
	}
}

// mergedValue encodes one property; nil stands for null.
func mergedValue(raw json.RawMessage) (value json.RawMessage, keep bool) {
	raw = bytes.TrimSpace(raw)
	switch raw[0] {
	case '[':
		return nil, false
	case '{':
		var compact bytes.Buffer
		if err := json.Compact(&compact, raw); err != nil {
			return nil, false
		}
		return compact.Bytes(), true
	case 'n':
		return nil, true
	case 't':
		return encodeText("True"), true
	case 'f':
		return encodeText("False"), true
	case '"':
		var text string
		if err := json.Unmarshal(raw, &text); err != nil {
			return nil, false
		}
		return encodeText(dateAsDotNet(text)), true
	}
	return encodeText(string(raw)), true
}

// dateAsDotNet rewrites a text that looks like a time: the host's JSON reader
// takes it for one and prints it in the invariant culture.
func dateAsDotNet(text string) string {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC().Format("01/02/2006 15:04:05")
		}
	}
	return text
}
