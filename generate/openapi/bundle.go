// Package openapi generates from docs/openapi.yaml what programs and people read:
// one JSON document without references to other files, which the API serves, and
// a reference page.
//
// The package must not know the API: it reads the document only.
package openapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"strings"

	"go.yaml.in/yaml/v3"
)

// object is a JSON object.
type object = map[string]any

// Bundle returns the document as JSON. Files that it refers to become components;
// read returns them by the path in the reference.
func Bundle(document []byte, read func(file string) ([]byte, error)) ([]byte, error) {
	var doc object
	if err := yaml.Unmarshal(document, &doc); err != nil {
		return nil, fmt.Errorf("read the document: %w", err)
	}
	b := bundler{read: read, files: map[string]string{}, added: object{}}
	if err := b.visit(doc); err != nil {
		return nil, err
	}
	components, ok := doc["components"].(object)
	if !ok {
		return nil, errors.New("the document has no components")
	}
	schemas, ok := components["schemas"].(object)
	if !ok {
		return nil, errors.New("the document has no schemas")
	}
	for name, schema := range b.added {
		if _, exists := schemas[name]; exists {
			return nil, fmt.Errorf("two schemas are named %s", name)
		}
		schemas[name] = schema
	}
	raw, err := json.MarshalIndent(doc, "", " ")
	if err != nil {
		return nil, fmt.Errorf("write the document: %w", err)
	}
	return append(raw, '\n'), nil
}

// bundler replaces references to files.
type bundler struct {
	read func(file string) ([]byte, error)
	// files holds the component of each file.
	files map[string]string
	added object
}

// visit replaces the references in a value.
func (b *bundler) visit(value any) error {
	switch v := value.(type) {
	case []any:
		for _, element := range v {
			if err := b.visit(element); err != nil {
				return err
			}
		}
	case object:
		if ref, ok := v["$ref"].(string); ok && !strings.HasPrefix(ref, "#") {
			name, err := b.file(ref)
			if err != nil {
				return err
			}
			v["$ref"] = "#/components/schemas/" + name
		}
		for _, member := range v {
			if err := b.visit(member); err != nil {
				return err
			}
		}
	}
	return nil
}

// file adds the schema of a file and its definitions as components, and returns
// the name of the schema.
func (b *bundler) file(ref string) (string, error) {
	if name, ok := b.files[ref]; ok {
		return name, nil
	}
	raw, err := b.read(ref)
	if err != nil {
		return "", fmt.Errorf("read %s: %w", ref, err)
	}
	var schema object
	if err := json.Unmarshal(raw, &schema); err != nil {
		return "", fmt.Errorf("read %s: %w", ref, err)
	}
	base, _, _ := strings.Cut(path.Base(ref), ".")
	name := strings.ToUpper(base[:1]) + base[1:]
	b.files[ref] = name
	delete(schema, "$schema")
	delete(schema, "$id")
	definitions, _ := schema["$defs"].(object)
	delete(schema, "$defs")
	for key, definition := range definitions {
		b.added[name+"."+key] = definition
	}
	local(schema, name)
	for key := range definitions {
		local(b.added[name+"."+key], name)
	}
	b.added[name] = schema
	return name, nil
}

// local rewrites the references of a file's schema to its own definitions.
func local(value any, name string) {
	switch v := value.(type) {
	case []any:
		for _, element := range v {
			local(element, name)
		}
	case object:
		if ref, ok := v["$ref"].(string); ok {
			if key, found := strings.CutPrefix(ref, "#/$defs/"); found {
				v["$ref"] = "#/components/schemas/" + name + "." + key
			}
		}
		for _, member := range v {
			local(member, name)
		}
	}
}
