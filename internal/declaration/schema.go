package declaration

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// Schema is a JSON Schema. A violation includes the description of the part that
// is violated.
type Schema struct {
	id       string
	document any
	compiled *jsonschema.Schema
}

// Compile compiles a schema without external references.
func Compile(raw []byte) (*Schema, error) {
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("parse schema: %w", err)
	}
	top, _ := document.(map[string]any)
	id, _ := top["$id"].(string)
	if id == "" {
		return nil, errors.New("parse schema: $id is missing")
	}
	compiler := jsonschema.NewCompiler()
	compiler.UseLoader(jsonschema.SchemeURLLoader{}) // loads nothing
	if err := compiler.AddResource(id, document); err != nil {
		return nil, fmt.Errorf("add schema %s: %w", id, err)
	}
	compiled, err := compiler.Compile(id)
	if err != nil {
		return nil, fmt.Errorf("compile schema %s: %w", id, err)
	}
	return &Schema{id: id, document: document, compiled: compiled}, nil
}

// Violation is a problem of a document that violates a schema, with its path.
type Violation struct {
	At []string
	Problem
}

// Validate returns all violations of the schema, in file order.
func (s *Schema) Validate(d Document) []Violation {
	err := s.compiled.Validate(d.value)
	if err == nil {
		return nil
	}
	broken, ok := err.(*jsonschema.ValidationError) //nolint:errorlint // the library's own result, never wrapped
	if !ok {
		return []Violation{{Problem: Problem{Problem: err.Error()}}}
	}
	var violations []Violation
	s.collect(d, broken, &violations)
	slices.SortStableFunc(violations, func(a, b Violation) int { return cmp.Compare(a.Line, b.Line) })
	return violations
}

func (s *Schema) collect(d Document, e *jsonschema.ValidationError, into *[]Violation) {
	for _, cause := range e.Causes {
		s.collect(d, cause, into)
	}
	if len(e.Causes) > 0 {
		return
	}
	add := func(at []string, problem, want string) {
		*into = append(*into, Violation{At: at, Problem: d.Problem(at, problem, want)})
	}
	at := e.InstanceLocation
	described := s.described(e.SchemaURL)
	switch k := e.ErrorKind.(type) {
	case *kind.Required:
		for _, name := range k.Missing {
			add(append(slices.Clone(at), name), "is missing", s.described(e.SchemaURL+"/properties/"+name))
		}
	case *kind.AdditionalProperties:
		for _, name := range k.Properties {
			add(append(slices.Clone(at), name), "is not a known field", "one of "+strings.Join(s.properties(e.SchemaURL), ", "))
		}
	case *kind.Type:
		add(at, "is of type "+k.Got, cmp.Or(described, strings.Join(k.Want, " or ")))
	case *kind.Enum:
		add(at, fmt.Sprintf("is %#v", k.Got), "one of "+list(k.Want))
	case *kind.FalseSchema:
		add(at, "is not allowed", "")
	case *kind.Const:
		add(at, fmt.Sprintf("is %#v", k.Got), fmt.Sprint(k.Want))
	case *kind.Pattern:
		add(at, fmt.Sprintf("%q does not have the required form", k.Got), cmp.Or(described, k.Want))
	default:
		add(at, limitProblem(e.ErrorKind), described)
	}
}

// limitProblem describes a violated limit. For rules that no schema of this
// program uses, it returns the text of the library.
func limitProblem(k jsonschema.ErrorKind) string {
	switch k := k.(type) {
	case *kind.MaxLength:
		return fmt.Sprintf("has %d characters, more than %d", k.Got, k.Want)
	case *kind.MinLength:
		return fmt.Sprintf("has %d characters, fewer than %d", k.Got, k.Want)
	case *kind.MaxItems:
		return fmt.Sprintf("has %d entries, more than %d", k.Got, k.Want)
	case *kind.MinItems:
		return fmt.Sprintf("has %d entries, fewer than %d", k.Got, k.Want)
	case *kind.MaxProperties:
		return fmt.Sprintf("has %d fields, more than %d", k.Got, k.Want)
	case *kind.MinProperties:
		return fmt.Sprintf("has %d fields, fewer than %d", k.Got, k.Want)
	case *kind.Maximum:
		return fmt.Sprintf("is %s, above %s", k.Got.RatString(), k.Want.RatString())
	case *kind.Minimum:
		return fmt.Sprintf("is %s, below %s", k.Got.RatString(), k.Want.RatString())
	case *kind.UniqueItems:
		return fmt.Sprintf("has equal entries: %d and %d", k.Duplicates[0], k.Duplicates[1])
	}
	return k.LocalizedString(message.NewPrinter(language.English))
}

// described returns the description of the part of the schema at a URL; empty if
// it has none.
func (s *Schema) described(url string) string {
	part, _ := s.part(url).(map[string]any)
	if ref, ok := part["$ref"].(string); ok && part["description"] == nil {
		return s.described(s.id + ref)
	}
	text, _ := part["description"].(string)
	return lowered(strings.TrimSuffix(text, "."))
}

// lowered converts the first letter to lower case, for use inside a sentence. It
// keeps acronyms such as "ISO".
func lowered(text string) string {
	if text == "" {
		return ""
	}
	first, size := utf8.DecodeRuneInString(text)
	if second, _ := utf8.DecodeRuneInString(text[size:]); unicode.IsUpper(second) {
		return text
	}
	return string(unicode.ToLower(first)) + text[size:]
}

// properties returns the names of the properties of a part of the schema.
func (s *Schema) properties(url string) []string {
	part, _ := s.part(url).(map[string]any)
	known, _ := part["properties"].(map[string]any)
	names := make([]string, 0, len(known))
	for name := range known {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (s *Schema) part(url string) any {
	part := s.document
	_, pointer, _ := strings.Cut(url, "#")
	for name := range strings.SplitSeq(strings.Trim(pointer, "/"), "/") {
		if name == "" {
			continue
		}
		members, ok := part.(map[string]any)
		if !ok {
			return nil
		}
		part = members[strings.NewReplacer("~1", "/", "~0", "~").Replace(name)]
	}
	return part
}

func list(values []any) string {
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = fmt.Sprint(v)
	}
	return strings.Join(texts, ", ")
}
