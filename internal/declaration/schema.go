package declaration

import (
	"bytes"
	"cmp"
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

// Schema is a JSON Schema. The description of each of its parts is told to
// whoever breaks it.
type Schema struct {
	id       string
	document any
	compiled *jsonschema.Schema
}

// Compile reads a schema that refers to nothing outside itself.
func Compile(raw []byte) (*Schema, error) {
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("read schema: %w", err)
	}
	top, _ := document.(map[string]any)
	id, _ := top["$id"].(string)
	if id == "" {
		return nil, fmt.Errorf("read schema: it has no $id")
	}
	compiler := jsonschema.NewCompiler()
	compiler.UseLoader(jsonschema.SchemeURLLoader{}) // nothing is fetched
	if err := compiler.AddResource(id, document); err != nil {
		return nil, fmt.Errorf("read schema %s: %w", id, err)
	}
	compiled, err := compiler.Compile(id)
	if err != nil {
		return nil, fmt.Errorf("compile schema %s: %w", id, err)
	}
	return &Schema{id: id, document: document, compiled: compiled}, nil
}

// Violation is where a document breaks a schema, with the path of the part.
type Violation struct {
	At []string
	Problem
}

// Validate holds a document against the schema and gives all that is wrong, in
// the order of the file.
func (s *Schema) Validate(d Document) []Violation {
	err := s.compiled.Validate(d.value)
	if err == nil {
		return nil
	}
	broken, ok := err.(*jsonschema.ValidationError) //nolint:errorlint // the library's own result, never wrapped
	if !ok {
		return []Violation{{Problem: Problem{Problem: err.Error()}}}
	}
	var faults []Violation
	s.collect(d, broken, &faults)
	slices.SortStableFunc(faults, func(a, b Violation) int { return cmp.Compare(a.Line, b.Line) })
	return faults
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
			add(append(slices.Clone(at), name), "is not known here", "one of "+strings.Join(s.properties(e.SchemaURL), ", "))
		}
	case *kind.Type:
		add(at, "is of type "+k.Got, cmp.Or(described, strings.Join(k.Want, " or ")))
	case *kind.Enum:
		add(at, fmt.Sprintf("is %#v", k.Got), "one of "+list(k.Want))
	case *kind.FalseSchema:
		add(at, "may not be given", "")
	case *kind.Const:
		add(at, fmt.Sprintf("is %#v", k.Got), fmt.Sprint(k.Want))
	case *kind.Pattern:
		add(at, fmt.Sprintf("%q has not the right form", k.Got), cmp.Or(described, k.Want))
	default:
		add(at, e.ErrorKind.LocalizedString(message.NewPrinter(language.English)), described)
	}
}

// described is the description of the part of the schema at a URL, empty if
// there is none.
func (s *Schema) described(url string) string {
	part, _ := s.part(url).(map[string]any)
	if ref, ok := part["$ref"].(string); ok && part["description"] == nil {
		return s.described(s.id + ref)
	}
	text, _ := part["description"].(string)
	return lowered(strings.TrimSuffix(text, "."))
}

// lowered begins a sentence in the middle of one: "A name" becomes "a name",
// "ISO" stays.
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

// properties are the names that the part of the schema knows.
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
