package state

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"azbackupflow/internal/operation"
)

// entity is a table row in the JSON form of the API.
type entity map[string]any

// Row keys within an operation's partition.
const (
	operationRow = "operation"
	eventPrefix  = "event-"
	// eventEnd sorts after all events.
	eventEnd = "event."
)

// chunkUnits is the number of UTF-16 units of a record in one property. A
// property may have 64 KiB, which is 32,768 units.
const chunkUnits = 30_000

// markerColumn holds the ETag of the live marker when the operation was created.
// Version 0.1.0 used the column "marker" for a marker in another table, which the
// transaction of Finalize cannot delete.
const markerColumn = "liveMarker"

// maxColumns is the number of columns of an operation with a short record, those
// with the types of others included.
const maxColumns = 32

// operationEntity returns the row of an operation: its record, and columns for
// people who read the table. The store itself reads only the marker column.
func operationEntity(op operation.Operation, marker string, record []byte) ([]byte, error) {
	e := make(entity, maxColumns)
	e["PartitionKey"], e["RowKey"] = encodeKey(op.ID), operationRow
	e.text("id", op.ID)
	e.text("tenant", op.Tenant)
	e.text("key", op.Key)
	e.text("flow", op.Flow)
	e.text("status", string(op.Status))
	e.text("step", op.Step)
	e.number("version", int64(op.Version))
	e.number("seq", op.Seq)
	e.text("waitingFor", op.WaitingFor)
	e.text("writeId", op.WriteID)
	e.time("createdAt", op.CreatedAt)
	e.time("updatedAt", op.UpdatedAt)
	e.time("dueAt", op.DueAt)
	e.time("deadline", op.Deadline)
	e.time("endedAt", op.EndedAt)
	if op.Tracking != nil {
		e.text("jobId", op.Tracking.JobID)
	}
	if op.LastError != nil {
		e.text("errorCode", op.LastError.Code)
	}
	if marker != "" {
		e[markerColumn] = marker
	}
	e.record(operationRow, record)
	return e.encode()
}

// eventEntity returns one event of an operation's history. Row keys sort by seq,
// then by time, because a claim has the seq of the save before it.
func eventEntity(id string, ev operation.Event, record []byte) ([]byte, error) {
	e := entity{
		"PartitionKey": encodeKey(id),
		"RowKey":       fmt.Sprintf("%s%012d-%s-%s", eventPrefix, ev.Seq, operation.OldestFirst(ev.At), encodeKey(ev.WriteID)),
	}
	e.time("at", ev.At)
	e.text("step", ev.Step)
	e.text("status", string(ev.Status))
	e.text("what", ev.What)
	e.record("event", record)
	return e.encode()
}

// encode returns the JSON form of the entity. Package json allocates three times
// for each value of a map.
func (e entity) encode() ([]byte, error) {
	size := 2
	for name, value := range e {
		text, _ := value.(string)
		size += len(name) + len(text) + len(text)/8 + 8
	}
	encoded := append(make([]byte, 0, size), '{')
	for name, value := range e {
		if len(encoded) > 1 {
			encoded = append(encoded, ',')
		}
		encoded = append(appendText(encoded, name), ':')
		if text, ok := value.(string); ok {
			encoded = appendText(encoded, text)
			continue
		}
		other, err := json.Marshal(value)
		if err != nil {
			return nil, fmt.Errorf("encode entity: %s: %w", name, err)
		}
		encoded = append(encoded, other...)
	}
	return append(encoded, '}'), nil
}

// appendText appends a JSON string. It escapes what package json escapes,
// including the line separators of JavaScript.
func appendText(encoded []byte, text string) []byte {
	const digits = "0123456789abcdef"
	text = strings.ToValidUTF8(text, string(utf8.RuneError))
	encoded = append(encoded, '"')
	plain := 0 // the first byte that is not appended
	for i := 0; i < len(text); i++ {
		c, size := text[i], 1
		separator := c == 0xE2 && (strings.HasPrefix(text[i:], "\u2028") || strings.HasPrefix(text[i:], "\u2029"))
		if separator {
			size = len("\u2028")
		} else if c >= ' ' && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&' {
			continue
		}
		encoded = append(encoded, text[plain:i]...)
		plain = i + size
		switch {
		case separator:
			encoded = append(encoded, '\\', 'u', '2', '0', '2', digits[text[i+2]&15])
		case c == '"' || c == '\\':
			encoded = append(encoded, '\\', c)
		default:
			encoded = append(encoded, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		}
		i = plain - 1
	}
	return append(append(encoded, text[plain:]...), '"')
}

// maxColumn limits the characters of a column for people.
const maxColumn = 1000

// text sets a column for people. It replaces control characters, which Table
// Storage does not accept everywhere, and cuts long values.
func (e entity) text(name, value string) {
	value = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, value)
	if len(value) > maxColumn {
		if runes := []rune(value); len(runes) > maxColumn {
			value = string(runes[:maxColumn])
		}
	}
	if value != "" {
		e[name] = value
	}
}

func (e entity) number(name string, value int64) {
	e[name], e[name+"@odata.type"] = strconv.FormatInt(value, 10), "Edm.Int64"
}

// time sets a column for people. It omits times that Table Storage cannot store,
// such as the zero time.
func (e entity) time(name string, value time.Time) {
	if year := value.UTC().Year(); year >= 1601 && year <= 9999 {
		e[name], e[name+"@odata.type"] = value.UTC().Format("2006-01-02T15:04:05.0000000Z"), "Edm.DateTime"
	}
}

// record sets the properties of a record: name, name2, name3 and so on.
func (e entity) record(name string, record []byte) {
	for i, chunk := range chunks(string(record)) {
		e[chunkName(name, i)] = chunk
	}
}

// operationOf returns the record and the marker column of an operation's row.
func operationOf(text []byte) (record []byte, marker string, err error) {
	if record, marker, ok := shortRow(text); ok {
		return record, marker, nil
	}
	e, err := entityOf(text)
	if err != nil {
		return nil, "", err
	}
	marker, _ = e[markerColumn].(string)
	record, err = e.whole(operationRow)
	return record, marker, err
}

// shortRow returns the record and the marker column of a row whose record fits into
// one property. Most do; the other columns need no decoding.
func shortRow(text []byte) (record []byte, marker string, ok bool) {
	var quotedRecord, quotedMarker []byte
	short := true
	whole := columns(text, func(name, value []byte) {
		switch string(name) {
		case operationRow:
			quotedRecord = value
		case chunkName(operationRow, 1):
			short = false
		case markerColumn:
			quotedMarker = value
		}
	})
	if !whole || !short {
		return nil, "", false
	}
	if quotedMarker != nil {
		decoded, ok := unquote(quotedMarker)
		if !ok {
			return nil, "", false
		}
		marker = string(decoded)
	}
	record, ok = unquote(quotedRecord)
	return record, marker, ok && len(record) > 0
}

// recordOf returns a record of an entity.
func recordOf(text []byte, name string) ([]byte, error) {
	e, err := entityOf(text)
	if err != nil {
		return nil, err
	}
	return e.whole(name)
}

func entityOf(text []byte) (entity, error) {
	var e entity
	if err := json.Unmarshal(text, &e); err != nil {
		return nil, fmt.Errorf("decode entity: %w", err)
	}
	return e, nil
}

// whole joins the properties of a record.
func (e entity) whole(name string) ([]byte, error) {
	var record strings.Builder
	for i := 0; ; i++ {
		chunk, ok := e[chunkName(name, i)].(string)
		if !ok {
			break
		}
		record.WriteString(chunk)
	}
	if record.Len() == 0 {
		return nil, fmt.Errorf("entity %v in partition %v has no property %s", e["RowKey"], e["PartitionKey"], name)
	}
	return []byte(record.String()), nil
}

func chunkName(name string, i int) string {
	if i == 0 {
		return name
	}
	return name + strconv.Itoa(i+1)
}

// chunks cuts a text into pieces that fit into a property. It does not cut
// surrogate pairs.
func chunks(text string) []string {
	if len(text) <= chunkUnits {
		return []string{text} // A UTF-16 unit takes at least one byte of UTF-8.
	}
	var pieces []string
	start, units := 0, 0
	for i, r := range text {
		n := utf16.RuneLen(r)
		if units+n > chunkUnits {
			pieces = append(pieces, text[start:i])
			start, units = i, 0
		}
		units += n
	}
	return append(pieces, text[start:])
}

// partitionKeyOf returns the partition key of an entity.
func partitionKeyOf(text []byte) (string, error) {
	var e struct{ PartitionKey string }
	if err := json.Unmarshal(text, &e); err != nil {
		return "", fmt.Errorf("decode entity: %w", err)
	}
	return e.PartitionKey, nil
}

// rowKeyOf returns the row key of an entity.
func rowKeyOf(text []byte) (string, error) {
	var e struct{ RowKey string }
	if err := json.Unmarshal(text, &e); err != nil {
		return "", fmt.Errorf("decode entity: %w", err)
	}
	return e.RowKey, nil
}

// unreadable returns the error of an entity whose record cannot be decoded. It
// names the row by its row key, without the name of its list.
func unreadable(text []byte, err error) error {
	var e struct{ PartitionKey, RowKey string }
	_ = json.Unmarshal(text, &e) // the name is then empty
	if e.PartitionKey == listsPartition {
		e.RowKey = positionOf(e.RowKey)
	}
	return &operation.Unreadable{Record: e.RowKey, Err: err}
}
