package openapi

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
)

// Schema returns the JSON Schema of one component of a bundled document, with the
// components that it refers to as definitions. Objects have no other properties.
func Schema(bundled []byte, component, id, title string) ([]byte, error) {
	var doc struct {
		Components struct{ Schemas map[string]object }
	}
	if err := json.Unmarshal(bundled, &doc); err != nil {
		return nil, fmt.Errorf("read the bundled document: %w", err)
	}
	root, ok := doc.Components.Schemas[component]
	if !ok {
		return nil, fmt.Errorf("the document has no schema %s", component)
	}
	definitions := object{}
	closed, err := closeSchema(root, func(name string) (any, error) { return definition(doc.Components.Schemas, definitions, name) })
	if err != nil {
		return nil, err
	}
	schema := object{"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": id, "title": title}
	maps.Copy(schema, closed)
	if len(definitions) > 0 {
		schema["$defs"] = definitions
	}
	raw, err := json.MarshalIndent(schema, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write the schema %s: %w", component, err)
	}
	return append(raw, '\n'), nil
}

// definition adds a component to the definitions, unless it is one.
func definition(components map[string]object, definitions object, name string) (any, error) {
	if known, ok := definitions[name]; ok {
		return known, nil
	}
	component, ok := components[name]
	if !ok {
		return nil, fmt.Errorf("the document has no schema %s", name)
	}
	definitions[name] = object{} // for a schema that refers to itself
	closed, err := closeSchema(component, func(name string) (any, error) { return definition(components, definitions, name) })
	definitions[name] = closed
	return closed, err
}

// closeSchema returns a schema that allows no other properties, with references to
// definitions.
func closeSchema(schema object, define func(name string) (any, error)) (object, error) {
	closed := object{}
	for key, value := range schema {
		changed, err := closeValue(value, define)
		if err != nil {
			return nil, err
		}
		closed[key] = changed
	}
	if ref, ok := schema["$ref"].(string); ok {
		name := strings.TrimPrefix(ref, "#/components/schemas/")
		if _, err := define(name); err != nil {
			return nil, err
		}
		closed["$ref"] = "#/$defs/" + name
	}
	if schema["type"] == "object" && schema["additionalProperties"] == nil {
		closed["additionalProperties"] = false
	}
	return closed, nil
}

func closeValue(value any, define func(name string) (any, error)) (any, error) {
	switch v := value.(type) {
	case object:
		return closeSchema(v, define)
	case []any:
		all := make([]any, len(v))
		for n, element := range v {
			changed, err := closeValue(element, define)
			if err != nil {
				return nil, err
			}
			all[n] = changed
		}
		return all, nil
	}
	return value, nil
}
