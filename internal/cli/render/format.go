package render

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/jmespath/go-jmespath"
)

// Format is an output format.
type Format string

// The output formats. Table and Wide are for people, the others for programs.
const (
	Table Format = "table"
	// Wide shows every column in full, even if a line is then longer than the
	// terminal is wide.
	Wide Format = "wide"
	JSON Format = "json"
	YAML Format = "yaml"
	// JSONLines writes each element of a list as one line of JSON.
	JSONLines Format = "jsonl"
	// IDs writes one ID per line.
	IDs Format = "id"
)

// Formats returns every format.
func Formats() []Format { return []Format{Table, Wide, JSON, YAML, JSONLines, IDs} }

func formatNames() (names []string) {
	for _, f := range Formats() {
		names = append(names, string(f))
	}
	return names
}

// OutputError is the error of an output that the command cannot write in the
// format, or of a query that does not fit the output.
type OutputError struct{ Text string }

func (e *OutputError) Error() string { return e.Text }

// Query selects a part of the output. The zero value selects everything.
type Query struct {
	text     string
	compiled *jmespath.JMESPath
}

// ParseQuery parses a JMESPath expression. An empty one selects everything. The
// error is an *OutputError.
func ParseQuery(text string) (Query, error) {
	if text == "" {
		return Query{}, nil
	}
	compiled, err := jmespath.Compile(text)
	if err == nil {
		return Query{text: text, compiled: compiled}, nil
	}
	where := ""
	var invalid jmespath.SyntaxError
	if errors.As(err, &invalid) {
		where = fmt.Sprintf("; character %d is wrong, or something is missing before it", min(invalid.Offset, len(text))+1)
	}
	return Query{}, &OutputError{Text: fmt.Sprintf("--query %q is not a JMESPath expression%s; use one such as operations[].id", Plain(text), where)}
}

// apply returns the part of a decoded JSON value that the query selects.
func (q Query) apply(v any) (any, error) {
	found, err := q.compiled.Search(v)
	if err != nil {
		return nil, &OutputError{Text: fmt.Sprintf(
			"--query %q cannot be applied to this output; a function gets a value of another type than it accepts; -o json shows the output", Plain(q.text))}
	}
	return found, nil
}

// Structured reports whether the command writes one value with Data, instead of
// text for people.
func (p *Printer) Structured() bool {
	return p.c.Query.compiled != nil || p.c.Format != Table && p.c.Format != Wide
}

// Data writes a value, such as a page of the API, in the format of the command
// line.
func (p *Printer) Data(v any) error {
	raw, err := p.selected(v)
	if err != nil {
		return err
	}
	switch p.c.Format {
	case YAML:
		return p.yaml(raw)
	case JSONLines:
		all, _ := elements(raw)
		for _, one := range all {
			p.compact(one)
		}
	case IDs:
		return p.ids(raw)
	case Table, Wide:
		return p.grid(raw)
	case JSON:
		var indented bytes.Buffer
		if err := json.Indent(&indented, raw, "", "  "); err != nil {
			return fmt.Errorf("encode the output: %w", err)
		}
		p.write(indented.String() + "\n")
	}
	return nil
}

// DataItem writes one of several values that arrive over time, such as events:
// as one line of JSON, or as one document of YAML.
func (p *Printer) DataItem(v any) error {
	raw, err := p.selected(v)
	if err != nil {
		return err
	}
	switch p.c.Format {
	case YAML:
		p.write("---\n")
		return p.yaml(raw)
	case IDs:
		return p.ids(raw)
	case Table, Wide, JSON, JSONLines:
	}
	p.compact(raw)
	return nil
}

// selected encodes a value, or the part of it that the query selects.
func (p *Printer) selected(v any) (json.RawMessage, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode the output: %w", err)
	}
	if p.c.Query.compiled == nil {
		return raw, nil
	}
	var decoded any
	if err := json.Unmarshal(raw, &decoded); err != nil {
		return nil, fmt.Errorf("decode the output: %w", err)
	}
	found, err := p.c.Query.apply(decoded)
	if err != nil {
		return nil, err
	}
	if raw, err = json.Marshal(found); err != nil {
		return nil, fmt.Errorf("encode the output: %w", err)
	}
	return raw, nil
}

func (p *Printer) compact(raw json.RawMessage) {
	var line bytes.Buffer
	if json.Compact(&line, raw) != nil {
		return // it was encoded just before
	}
	p.write(line.String() + "\n")
}

// idFields are the fields that identify an element, the first one that it has.
func idFields() []string { return []string{"id", "name", "resourceId", "schedule", "key", "messageId"} }

func (p *Printer) ids(raw json.RawMessage) error {
	all, isList := elements(raw)
	var lines strings.Builder
	for _, one := range all {
		id, ok := idOf(one)
		if !ok {
			return &OutputError{Text: "this output has no IDs, which -o id would show; use -o json"}
		}
		lines.WriteString(id + "\n")
	}
	if !isList && len(all) == 0 {
		return &OutputError{Text: "this output has no IDs, which -o id would show; use -o json"}
	}
	p.write(lines.String())
	return nil
}

// idOf returns the ID of an element. A query may have selected the ID itself.
func idOf(element json.RawMessage) (string, bool) {
	var text string
	if json.Unmarshal(element, &text) == nil && text != "" {
		return Plain(text), true
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(element, &fields) != nil {
		return "", false
	}
	for _, name := range idFields() {
		if json.Unmarshal(fields[name], &text) == nil && text != "" {
			return Plain(text), true
		}
	}
	return "", false
}

// elements returns the elements of a list: of an array, or of the first array of
// objects in a page. Another value is its own only element.
func elements(raw json.RawMessage) (all []json.RawMessage, isList bool) {
	if json.Unmarshal(raw, &all) == nil {
		return all, true
	}
	if page, ok := decodeObject(raw); ok && !page.has("id") {
		for _, member := range page {
			if listed, ok := objectsIn(member.value); ok {
				return listed, true
			}
		}
	}
	return []json.RawMessage{raw}, false
}

// objectsIn returns the elements of an array of objects.
func objectsIn(raw json.RawMessage) ([]json.RawMessage, bool) {
	var all []json.RawMessage
	if len(raw) == 0 || raw[0] != '[' || json.Unmarshal(raw, &all) != nil {
		return nil, false
	}
	for _, one := range all {
		if len(one) == 0 || one[0] != '{' {
			return nil, false
		}
	}
	return all, true
}
