// Package declaration reads a YAML file in which an operator declares what is
// to happen, and holds it against a JSON Schema. What is wrong is told by line,
// path, problem and want.
package declaration

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// MaxBytes is the longest file that is read.
const MaxBytes = 1 << 20

// Problem is one thing wrong with a file.
type Problem struct {
	// Line counts from 1; 0 means the whole file.
	Line int `json:"line,omitempty"`
	// Path is where it is, such as schedules[0].cron.
	Path string `json:"path"`
	// Problem says what is wrong, Want what would be right.
	Problem string `json:"problem"`
	Want    string `json:"want,omitempty"`
}

// String is the problem in one line.
func (p Problem) String() string {
	var b strings.Builder
	if p.Line > 0 {
		fmt.Fprintf(&b, "line %d: ", p.Line)
	}
	if p.Path != "" {
		b.WriteString(p.Path + ": ")
	}
	b.WriteString(p.Problem)
	if p.Want != "" {
		b.WriteString("; want " + p.Want)
	}
	return b.String()
}

// Invalid is a file that says something that cannot be done.
type Invalid struct {
	File     string
	Problems []Problem
}

// Error lists the problems, each behind the file's name.
func (e *Invalid) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = e.File + ": " + p.String()
	}
	return strings.Join(lines, "\n")
}

// Document is a file that is YAML.
type Document struct {
	File string
	root *yaml.Node
	// value is the content as encoding/json would read it.
	value any
}

// Parse parses the file's only document. The error is an *Invalid: the file is
// not YAML, or holds what JSON cannot.
func Parse(file string, raw []byte) (Document, error) {
	invalid := func(line int, problem, want string) error {
		return &Invalid{File: file, Problems: []Problem{{Line: line, Problem: problem, Want: want}}}
	}
	if len(raw) > MaxBytes {
		return Document{}, invalid(0, fmt.Sprintf("is %d bytes long", len(raw)), fmt.Sprintf("at most %d bytes", MaxBytes))
	}
	d := yaml.NewDecoder(bytes.NewReader(raw))
	var root yaml.Node
	switch err := d.Decode(&root); {
	case errors.Is(err, io.EOF):
		return Document{}, invalid(0, "is empty", "a YAML document")
	case err != nil:
		return Document{}, invalid(0, "is not YAML: "+strings.TrimPrefix(err.Error(), "yaml: "), "YAML, with spaces and not tabs before what is inside")
	}
	if err := d.Decode(&yaml.Node{}); !errors.Is(err, io.EOF) {
		return Document{}, invalid(0, "holds more than one document", "one YAML document")
	}
	var decoded any
	if err := root.Decode(&decoded); err != nil {
		var types *yaml.TypeError
		problem := strings.TrimPrefix(err.Error(), "yaml: ")
		if errors.As(err, &types) {
			problem = strings.Join(types.Errors, ", ")
		}
		return Document{}, invalid(0, problem, "each name once, and names that are text")
	}
	value, err := plain(decoded, "")
	if err != nil {
		return Document{}, invalid(0, err.Error(), "")
	}
	return Document{File: file, root: root.Content[0], value: value}, nil
}

// plain gives a value of YAML as JSON has it: times, which YAML makes of
// unquoted dates, become text again.
func plain(v any, path string) (any, error) {
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			p, err := plain(member, join(path, name))
			if err != nil {
				return nil, err
			}
			v[name] = p
		}
		return v, nil
	case []any:
		for i, member := range v {
			p, err := plain(member, path+"["+strconv.Itoa(i)+"]")
			if err != nil {
				return nil, err
			}
			v[i] = p
		}
		return v, nil
	case time.Time:
		return v.Format(time.RFC3339Nano), nil
	case map[any]any:
		return nil, fmt.Errorf("%s: has a name that is not text: put it into quotes", path)
	}
	if _, err := json.Marshal(v); err != nil {
		return nil, fmt.Errorf("%s: %v is nothing that JSON can hold", path, v)
	}
	return v, nil
}

// Decode reads what is at the path, names and indexes, into a Go value. There
// must be such a value, which a schema can promise.
func (d Document) Decode(into any, at ...string) error {
	value := d.value
	for _, name := range at {
		switch v := value.(type) {
		case map[string]any:
			value = v[name]
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil || i < 0 || i >= len(v) {
				return fmt.Errorf("%s: there is no %s", d.File, Path(at))
			}
			value = v[i]
		default:
			return fmt.Errorf("%s: there is no %s", d.File, Path(at))
		}
	}
	raw, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("%s: %s: %w", d.File, Path(at), err)
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return fmt.Errorf("%s: %s: %w", d.File, Path(at), err)
	}
	return nil
}

// Problem is a problem at the path, with its line: that of the innermost part
// that the file has.
func (d Document) Problem(at []string, problem, want string) Problem {
	node := d.root
	for _, name := range at {
		inner := child(node, name)
		if inner == nil {
			break
		}
		node = inner
	}
	return Problem{Line: node.Line, Path: Path(at), Problem: problem, Want: want}
}

func child(node *yaml.Node, name string) *yaml.Node {
	for node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	switch node.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(node.Content); i += 2 {
			if node.Content[i].Value == name {
				return node.Content[i+1]
			}
		}
	case yaml.SequenceNode:
		if i, err := strconv.Atoi(name); err == nil && i >= 0 && i < len(node.Content) {
			return node.Content[i]
		}
	case yaml.DocumentNode, yaml.ScalarNode, yaml.AliasNode:
	}
	return nil
}

// Path writes names and indexes as people read them: schedules[0].cron.
func Path(at []string) string {
	path := ""
	for _, name := range at {
		if _, err := strconv.Atoi(name); err == nil && path != "" {
			path += "[" + name + "]"
			continue
		}
		path = join(path, name)
	}
	return path
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
