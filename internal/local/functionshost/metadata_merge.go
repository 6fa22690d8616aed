package functionshost

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"
)

// mergeBody merges the top-level members of a trigger's text into its metadata,
// over existing names in any spelling, if the text is a JSON object. Objects stay
// objects and scalars become .NET's text. Arrays and nulls are not merged.
func mergeBody(metadata *jsonObject, body string) {
	trimmed := strings.TrimSpace(body)
	if !strings.HasPrefix(trimmed, "{") || !strings.HasSuffix(trimmed, "}") {
		return
	}
	decoder := json.NewDecoder(strings.NewReader(trimmed))
	decoder.UseNumber()
	if _, err := decoder.Token(); err != nil {
		return
	}
	merged := &jsonObject{}
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
		if value := mergedValue(raw); value != nil {
			merged.set(text, value)
		}
	}
	if _, err := decoder.Token(); err != nil {
		return // incomplete: the host merges all members or none
	}
	for _, name := range merged.names {
		metadata.set(name, merged.values[strings.ToLower(name)])
	}
}

// mergedValue encodes one member. It returns nil if the host does not merge it.
func mergedValue(raw json.RawMessage) json.RawMessage {
	raw = bytes.TrimSpace(raw)
	switch raw[0] {
	case '[', 'n':
		return nil
	case '{':
		var compact bytes.Buffer
		if err := json.Compact(&compact, raw); err != nil {
			return nil
		}
		return compact.Bytes()
	case 't':
		return encodeText("True")
	case 'f':
		return encodeText("False")
	case '"':
		var text string
		if err := json.Unmarshal(raw, &text); err != nil {
			return nil
		}
		return encodeText(dotNetDate(text))
	}
	return encodeText(dotNetNumber(string(raw)))
}

// dotNetDate rewrites text that looks like a time. The host's JSON reader parses
// it as one and prints it in the invariant culture.
func dotNetDate(text string) string {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC().Format("01/02/2006 15:04:05")
		}
	}
	return text
}

// dotNetNumber rewrites a number with a fraction or an exponent as .NET prints a
// double: the shortest digits, and an exponent from 1E+15 on and below 0.0001.
func dotNetNumber(text string) string {
	if !strings.ContainsAny(text, ".eE") {
		return text
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return text
	}
	if size := math.Abs(f); f == 0 || size >= 1e-4 && size < 1e15 {
		return strconv.FormatFloat(f, 'f', -1, 64)
	}
	return strconv.FormatFloat(f, 'E', -1, 64)
}
