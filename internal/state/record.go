package state

import (
	"bytes"
	"encoding/json"
	"fmt"
	"unicode/utf16"
	"unicode/utf8"

	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
)

// Limits of a record, in bytes as Table Storage counts them: two for each UTF-16
// unit. An entity may have 1 MiB; the rest is for columns and keys. The body of a
// transaction may have 4 MiB. An operation and its event stay below that even if
// JSON escapes every character.
//
// Source: https://learn.microsoft.com/rest/api/storageservices/understanding-the-table-service-data-model
const (
	recordLimit = 900 << 10
	// createLimit leaves room for the values that steps add, so that an operation
	// that was created can always be saved.
	createLimit = 600 << 10
	eventLimit  = 300 << 10
)

// TooLarge reports a record that does not fit into Table Storage. It is returned
// before anything is written. It matches engine.ErrTooLarge.
type TooLarge struct {
	// Field is the JSON name of the largest field, such as parameters.
	Field string
	// Size and Limit are those of the whole record, in bytes as Table Storage
	// counts them: two for each UTF-16 unit.
	Size, Limit int
}

// Error returns a text that names the largest field.
func (e *TooLarge) Error() string {
	return fmt.Sprintf("record too large: %d bytes, limit %d bytes; shorten %s", e.Size, e.Limit, e.Field)
}

// Details returns the JSON name of the largest field, and the size and limit of
// the record in bytes.
func (e *TooLarge) Details() (field string, size, limit int) { return e.Field, e.Size, e.Limit }

// EncodeNew is Encode for a new operation, which must leave room to grow.
func EncodeNew(op operation.Operation) ([]byte, error) { return encode(op, createLimit) }

// Encode returns the stored form of an operation, or *TooLarge.
func Encode(op operation.Operation) ([]byte, error) { return encode(op, recordLimit) }

// EncodeEvent returns the stored form of an event, or *TooLarge.
func EncodeEvent(ev operation.Event) ([]byte, error) { return encode(ev, eventLimit) }

func encode(record any, limit int) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	// HTML escaping would change the parameters of the request.
	enc.SetEscapeHTML(false)
	if err := enc.Encode(record); err != nil {
		return nil, fmt.Errorf("encode %T: %w", record, err)
	}
	text := bytes.TrimSuffix(b.Bytes(), []byte("\n"))
	if 2*len(text) <= limit {
		return text, nil // A UTF-16 unit takes at least one byte of UTF-8.
	}
	if size := storedSize(text); size > limit {
		return nil, &TooLarge{Field: largestField(text), Size: size, Limit: limit}
	}
	return text, nil
}

// storedSize returns the size in bytes as Table Storage counts them.
func storedSize(text []byte) int {
	size := 0
	for len(text) > 0 {
		r, n := utf8.DecodeRune(text)
		size += 2 * utf16.RuneLen(r)
		text = text[n:]
	}
	return size
}

func largestField(text []byte) string {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil {
		return "the record"
	}
	largest := ""
	for name, value := range fields {
		if largest == "" || len(value) > len(fields[largest]) || len(value) == len(fields[largest]) && name < largest {
			largest = name
		}
	}
	return largest
}

// Is reports whether the target is engine.ErrTooLarge.
func (e *TooLarge) Is(target error) bool { return target == engine.ErrTooLarge }

// Decode decodes the result of Encode.
func Decode(text []byte) (operation.Operation, error) {
	var op operation.Operation
	if err := json.Unmarshal(text, &op); err != nil {
		return operation.Operation{}, fmt.Errorf("decode operation: %w", err)
	}
	return op, nil
}

// DecodeEvent decodes the result of EncodeEvent.
func DecodeEvent(text []byte) (operation.Event, error) {
	var ev operation.Event
	if err := json.Unmarshal(text, &ev); err != nil {
		return operation.Event{}, fmt.Errorf("decode event: %w", err)
	}
	return ev, nil
}
