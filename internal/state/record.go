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

// Limits of a record, in bytes as Table Storage counts them: two for each
// UTF-16 unit. An entity may have 1 MiB; the rest is for columns and keys. A
// transaction may have 4 MiB as it is sent: an operation and its event stay
// below that even if each character has to be escaped.
//
// Source: https://learn.microsoft.com/rest/api/storageservices/understanding-the-table-service-data-model
const (
	recordLimit = 900 << 10
	// createLimit leaves an operation room to grow with what its steps learn:
	// what could be created can be saved to its end.
	createLimit = 600 << 10
	eventLimit  = 300 << 10
)

// TooLarge is given, before anything is written, for an operation or event
// that Table Storage has no room for.
type TooLarge struct {
	// Field is the JSON name of the largest part, such as parameters.
	Field string
	// Size and Limit are in bytes as Table Storage counts them: two for each
	// UTF-16 unit of the whole record.
	Size, Limit int
}

// Error names the field.
func (e *TooLarge) Error() string {
	return fmt.Sprintf("too large to be stored: %d of %d bytes, most of it in %s", e.Size, e.Limit, e.Field)
}

// EncodeNew is Encode for an operation about to be created, which must leave
// room to grow.
func EncodeNew(op operation.Operation) ([]byte, error) { return encode(op, createLimit) }

// Encode gives the stored form of an operation, or *TooLarge.
func Encode(op operation.Operation) ([]byte, error) { return encode(op, recordLimit) }

// EncodeEvent gives the stored form of an event, or *TooLarge.
func EncodeEvent(ev operation.Event) ([]byte, error) { return encode(ev, eventLimit) }

func encode(record any, limit int) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	// Escaping for HTML would change the request's parameters on their way
	// through the store.
	enc.SetEscapeHTML(false)
	if err := enc.Encode(record); err != nil {
		return nil, fmt.Errorf("encode %T: %w", record, err)
	}
	text := bytes.TrimSuffix(b.Bytes(), []byte("\n"))
	if 2*len(text) <= limit {
		return text, nil // a UTF-16 unit takes one byte of UTF-8 at least
	}
	if size := storedSize(text); size > limit {
		return nil, &TooLarge{Field: largestField(text), Size: size, Limit: limit}
	}
	return text, nil
}

// storedSize counts as Table Storage does.
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

// Is tells the engine what it is.
func (e *TooLarge) Is(target error) bool { return target == engine.ErrTooLarge }

// Decode reads what Encode gave.
func Decode(text []byte) (operation.Operation, error) {
	var op operation.Operation
	if err := json.Unmarshal(text, &op); err != nil {
		return operation.Operation{}, fmt.Errorf("read stored operation: %w", err)
	}
	return op, nil
}

// DecodeEvent reads what EncodeEvent gave.
func DecodeEvent(text []byte) (operation.Event, error) {
	var ev operation.Event
	if err := json.Unmarshal(text, &ev); err != nil {
		return operation.Event{}, fmt.Errorf("read stored event: %w", err)
	}
	return ev, nil
}
