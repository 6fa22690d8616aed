package functionshost

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// jsonObject is a JSON object that keeps its order and ignores the case of its
// names, as the host's dictionaries do.
type jsonObject struct {
	names  []string // as first written
	values map[string]json.RawMessage
}

// set stores a value under a name. It replaces the value of the same name in any
// spelling. A nil value removes the name, because the host omits nulls.
func (d *jsonObject) set(name string, value json.RawMessage) {
	if d.values == nil {
		d.values = map[string]json.RawMessage{}
	}
	lower := strings.ToLower(name)
	if _, ok := d.values[lower]; !ok {
		d.names = append(d.names, name)
	}
	d.values[lower] = value
}

// MarshalJSON writes the values that are not nil, in order.
func (d *jsonObject) MarshalJSON() ([]byte, error) {
	var out bytes.Buffer
	out.WriteByte('{')
	for _, name := range d.names {
		value := d.values[strings.ToLower(name)]
		if value == nil {
			continue
		}
		if out.Len() > 1 {
			out.WriteByte(',')
		}
		out.Write(quote(name))
		out.WriteByte(':')
		out.Write(value)
	}
	out.WriteByte('}')
	return out.Bytes(), nil
}

// quote returns text as a JSON string, without Go's escapes for HTML.
func quote(text string) json.RawMessage {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(text); err != nil {
		return json.RawMessage(`""`) // a string always encodes
	}
	return bytes.TrimRight(out.Bytes(), "\n")
}

// encodeText returns text as JSON inside a JSON string.
func encodeText(text string) json.RawMessage { return quote(string(quote(text))) }

// encodeNumber returns a number inside a JSON string.
func encodeNumber(n int64) json.RawMessage { return quote(strconv.FormatInt(n, 10)) }

// encodeDateTime returns a .NET DateTime: UTC without a zone, in whole seconds.
func encodeDateTime(t time.Time) json.RawMessage {
	return quote(t.UTC().Format("2006-01-02T15:04:05"))
}

// encodeDateTimeOffset returns a .NET DateTimeOffset in whole seconds.
func encodeDateTimeOffset(t time.Time) json.RawMessage {
	return quote(t.UTC().Format("2006-01-02T15:04:05-07:00"))
}

// encodeBytes returns bytes as base64.
func encodeBytes(b []byte) json.RawMessage {
	return quote(base64.StdEncoding.EncodeToString(b))
}

// encodeObject returns a value as plain JSON.
func encodeObject(value any) (json.RawMessage, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, fmt.Errorf("encode a value for the handler: %w", err)
	}
	return bytes.TrimRight(out.Bytes(), "\n"), nil
}
