// Package declaration parses a YAML file in which an operator declares schedules
// or rules, and validates it against a JSON Schema. Each problem has a line, a
// path, a description and a valid value.
//
// The package may not know what a file declares.
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

// MaxBytes is the maximum size of a file.
const MaxBytes = 1 << 20

// Problem is one problem of a file.
type Problem struct {
	// Line starts at 1; 0 means the whole file.
	Line int `json:"line,omitempty"`
	// Path is the location of the problem, such as schedules[0].cron.
	Path string `json:"path"`
	// Problem describes the problem, Want a valid value.
	Problem string `json:"problem"`
	Want    string `json:"want,omitempty"`
}

// String returns the problem in one line.
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

// Invalid is the error of a file with problems.
type Invalid struct {
	File     string
	Problems []Problem
}

// Error returns one line per problem, with the file name.
func (e *Invalid) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = e.File + ": " + p.String()
	}
	return strings.Join(lines, "\n")
}

// Document is a parsed YAML file.
type Document struct {
	File string
	root *yaml.Node
	// value is the content as encoding/json would decode it.
	value any
}

// Parse parses the only document of a file. The error is an *Invalid if the file
// is not YAML, or has values that JSON cannot represent.
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
		return Document{}, &Invalid{File: file, Problems: yamlProblems(err)}
	}
	if err := d.Decode(&yaml.Node{}); !errors.Is(err, io.EOF) {
		return Document{}, invalid(0, "has more than one document", "one YAML document")
	}
	var decoded any
	if err := root.Decode(&decoded); err != nil {
		return Document{}, &Invalid{File: file, Problems: yamlProblems(err)}
	}
	value, problem := plain(decoded, "")
	if problem != nil {
		return Document{}, &Invalid{File: file, Problems: []Problem{*problem}}
	}
	return Document{File: file, root: root.Content[0], value: value}, nil
}

// plain converts a YAML value to a JSON value. It converts times, which YAML
// creates from unquoted dates, back to strings.
func plain(v any, path string) (any, *Problem) {
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			p, problem := plain(member, join(path, name))
			if problem != nil {
				return nil, problem
			}
			v[name] = p
		}
		return v, nil
	case []any:
		for i, member := range v {
			p, problem := plain(member, path+"["+strconv.Itoa(i)+"]")
			if problem != nil {
				return nil, problem
			}
			v[i] = p
		}
		return v, nil
	case time.Time:
		return v.Format(time.RFC3339Nano), nil
	case map[any]any:
		return nil, &Problem{Path: path, Problem: "has a field name that is not a text", Want: "the name in quotes"}
	}
	if _, err := json.Marshal(v); err != nil {
		return nil, &Problem{Path: path, Problem: fmt.Sprintf("%v has no JSON representation", v), Want: "a finite number"}
	}
	return v, nil
}

// Decode decodes the value at a path of names and indexes into a Go value. It
// returns an error if the path does not exist.
func (d Document) Decode(into any, at ...string) error {
	value := d.value
	for _, name := range at {
		switch v := value.(type) {
		case map[string]any:
			value = v[name]
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil || i < 0 || i >= len(v) {
				return fmt.Errorf("%s: %s does not exist", d.File, Path(at))
			}
			value = v[i]
		default:
			return fmt.Errorf("%s: %s does not exist", d.File, Path(at))
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

// Problem returns a problem at the path. Its line is that of the innermost part
// of the path that exists.
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

// Path formats names and indexes, as in schedules[0].cron.
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
