package schema

import (
	"encoding/json"
	"fmt"
	"maps"

	"azbackupflow/internal/duration"
	"azbackupflow/internal/request"
)

const (
	dialect = "https://json-schema.org/draft/2020-12/schema"
	prefix  = "urn:azbackupflow:schema:"
)

// Flow is one version of a flow with its parameters.
type Flow struct {
	Name       string
	Version    int
	Parameters Parameters
}

// Document is a published schema.
type Document struct {
	// File is the path below docs/schemas, ID the schema's $id.
	File, ID string
	JSON     []byte
}

// Documents returns all schemas: those of the parameters of the flows, and those
// of requests, which list the flows.
func Documents(flows []Flow) ([]Document, error) {
	definitions := Object{}
	var names []string
	var documents []Document
	for _, f := range flows {
		s, err := f.Parameters.Schema()
		if err != nil {
			return nil, fmt.Errorf("parameters of %s: %w", f.Name, err)
		}
		definitions[f.Name], names = maps.Clone(s), append(names, f.Name)
		d, err := document(fmt.Sprintf("parameters/%s.v%d", f.Name, f.Version), fmt.Sprintf("parameters:%s:v%d", f.Name, f.Version), "Parameters of the flow "+f.Name, s)
		if err != nil {
			return nil, err
		}
		documents = append(documents, d)
	}
	for _, s := range []struct {
		name, title string
		schema      Object
	}{
		{"request", "A request for one operation of azbackupflow", requestSchema(names, definitions)},
		{"bulk", "A request for many operations of azbackupflow", bulkSchema(names)},
		{"event", "A CloudEvent that holds a request for azbackupflow", eventSchema()},
	} {
		d, err := document(s.name+".v1", s.name+":v1", s.title, s.schema)
		if err != nil {
			return nil, err
		}
		documents = append(documents, d)
	}
	return documents, nil
}

func document(file, id, title string, s Object) (Document, error) {
	s["$schema"], s["$id"], s["title"] = dialect, prefix+id, title
	raw, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return Document{}, fmt.Errorf("write schema %s: %w", id, err)
	}
	return Document{File: file + ".schema.json", ID: prefix + id, JSON: append(raw, '\n')}, nil
}

func key(maxLength int) Object {
	return Object{"type": "string", "maxLength": maxLength, "pattern": printable, "description": "idempotency key: the same flow and key is always the same operation"}
}

func reason() Object {
	return Object{"type": "string", "maxLength": request.MaxReason, "pattern": printable, "description": "why the sender starts the operation; recorded in its history"}
}

func deadline() Object {
	return Object{"type": "string", "pattern": duration.Pattern, "description": "maximum duration of the operation, from 1m to 30d, such as 6h, 7d or PT6H", "examples": []string{"PT6H"}}
}

func labels() Object {
	return Object{
		"type": "object", "maxProperties": request.MaxLabels, "description": "names and values to find operations by",
		"propertyNames":        Object{"pattern": labelName},
		"additionalProperties": Object{"type": "string", "minLength": 1, "maxLength": request.MaxLabelValue, "pattern": printable},
	}
}

func requestSchema(names []string, definitions Object) Object {
	var each []Object
	for _, name := range names {
		each = append(each, Object{
			"if":   Is("flow", name),
			"then": Object{"properties": Object{"parameters": Object{"$ref": "#/$defs/" + name}}},
		})
	}
	return Object{
		"type": "object", "additionalProperties": false, "required": []string{"flow", "parameters"},
		"properties": Object{
			"flow":       Object{"type": "string", "enum": names},
			"key":        key(request.MaxKey),
			"parameters": Object{"type": "object", "description": "parameters of the flow, at most 32 KiB"},
			"deadline":   deadline(),
			"labels":     labels(),
			"reason":     reason(),
			"dryRun":     Object{"type": "boolean", "description": "over HTTP only: checks the request and starts nothing"},
		},
		"allOf": each,
		"$defs": definitions,
	}
}

func bulkSchema(names []string) Object {
	return Object{
		"type": "object", "additionalProperties": false, "required": []string{"template", "targets"},
		"properties": Object{
			"key":    key(request.MaxBulkKey),
			"reason": reason(),
			"template": Object{
				"type": "object", "additionalProperties": false, "required": []string{"flow", "parameters"},
				"properties": Object{
					"flow":       Object{"type": "string", "enum": names},
					"parameters": Object{"type": "object", "description": "parameters that all targets share"},
					"deadline":   deadline(),
					"labels":     labels(),
				},
			},
			"targets": Object{
				"type": "array", "minItems": 1, "maxItems": request.MaxTargets,
				"items": Object{"type": "object", "description": "changes of the template's parameters as a JSON Merge Patch (RFC 7396)"},
			},
		},
	}
}

func eventSchema() Object {
	text := func() Object { return Object{"type": "string", "minLength": 1} }
	return Object{
		"type": "object", "required": []string{"specversion", "id", "source", "type", "data"},
		"properties": Object{
			"specversion":     Object{"const": "1.0"},
			"id":              text(),
			"source":          Object{"type": "string", "pattern": `^[^ \t\r\n]+$`},
			"type":            text(),
			"datacontenttype": Object{"type": "string", "pattern": `^ *([A-Za-z]+/|[^;]+\+)[jJ][sS][oO][nN]( *;.*)?$`},
			"data":            Object{"anyOf": []Object{{"$ref": prefix + "request:v1"}, {"$ref": prefix + "bulk:v1"}}},
		},
		"not": Given("data_base64"),
	}
}
