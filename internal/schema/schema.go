package schema

import (
	"encoding/json"
	"fmt"
	"maps"

	"azbackupflow/internal/request"
)

const (
	dialect = "https://json-schema.org/draft/2020-12/schema"
	prefix  = "urn:azbackupflow:schema:"
)

// Document is a schema as it is published.
type Document struct {
	// File is its path below docs/schemas, ID its $id.
	File, ID string
	JSON     []byte
}

// Documents are all schemas.
func Documents() ([]Document, error) {
	definitions, flows := object{}, []parameters{}
	var documents []Document
	for _, p := range all() {
		s, err := of(p.of, p.rules)
		if err != nil {
			return nil, fmt.Errorf("parameters of %s: %w", p.flow, err)
		}
		maps.Copy(s, p.further)
		definitions[p.flow] = maps.Clone(s)
		d, err := document(fmt.Sprintf("parameters/%s.v%d", p.flow, p.version), fmt.Sprintf("parameters:%s:v%d", p.flow, p.version), "Parameters of the flow "+p.flow, s)
		if err != nil {
			return nil, err
		}
		documents, flows = append(documents, d), append(flows, p)
	}
	for _, s := range []struct {
		name, title string
		schema      object
	}{
		{"request", "Asks azbackupflow for one operation", asksForOne(flows, definitions)},
		{"bulk", "Asks azbackupflow for many operations", asksForMany(flows)},
		{"event", "A CloudEvent that asks azbackupflow for operations", event()},
	} {
		d, err := document(s.name+".v1", s.name+":v1", s.title, s.schema)
		if err != nil {
			return nil, err
		}
		documents = append(documents, d)
	}
	return documents, nil
}

func document(file, id, title string, s object) (Document, error) {
	s["$schema"], s["$id"], s["title"] = dialect, prefix+id, title
	raw, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return Document{}, fmt.Errorf("write schema %s: %w", id, err)
	}
	return Document{File: file + ".schema.json", ID: prefix + id, JSON: append(raw, '\n')}, nil
}

// names of the flows that can be asked for.
func names(flows []parameters) (all []string) {
	for _, p := range flows {
		all = append(all, p.flow)
	}
	return all
}

func key(longest int) object {
	return object{"type": "string", "maxLength": longest, "pattern": printable, "description": "the same flow and key is the same operation, however often it is asked for"}
}

func deadline() object {
	return object{"type": "string", "pattern": duration, "description": "how long the operation may take, from PT1M to P30D", "examples": []string{"PT6H"}}
}

func labels() object {
	return object{
		"type": "object", "maxProperties": request.MaxLabels, "description": "for finding operations again",
		"propertyNames":        object{"pattern": labelName},
		"additionalProperties": object{"type": "string", "minLength": 1, "maxLength": request.MaxLabelValue, "pattern": printable},
	}
}

func asksForOne(flows []parameters, definitions object) object {
	var each []object
	for _, p := range flows {
		each = append(each, object{
			"if":   object{"required": []string{"flow"}, "properties": object{"flow": object{"const": p.flow}}},
			"then": object{"properties": object{"parameters": object{"$ref": "#/$defs/" + p.flow}}},
		})
	}
	return object{
		"type": "object", "additionalProperties": false, "required": []string{"flow", "parameters"},
		"properties": object{
			"flow":       object{"type": "string", "enum": names(flows)},
			"key":        key(request.MaxKey),
			"parameters": object{"type": "object", "description": "the flow's own, at most 32 KiB"},
			"deadline":   deadline(),
			"labels":     labels(),
			"dryRun":     object{"type": "boolean", "description": "over HTTP only: checks the request and starts nothing"},
		},
		"allOf": each,
		"$defs": definitions,
	}
}

func asksForMany(flows []parameters) object {
	return object{
		"type": "object", "additionalProperties": false, "required": []string{"template", "targets"},
		"properties": object{
			"key": key(request.MaxBulkKey),
			"template": object{
				"type": "object", "additionalProperties": false, "required": []string{"flow", "parameters"},
				"properties": object{
					"flow":       object{"type": "string", "enum": names(flows)},
					"parameters": object{"type": "object", "description": "what all have in common"},
					"deadline":   deadline(),
					"labels":     labels(),
				},
			},
			"targets": object{
				"type": "array", "minItems": 1, "maxItems": request.MaxTargets,
				"items": object{"type": "object", "description": "changes the template's parameters by JSON Merge Patch (RFC 7396)"},
			},
		},
	}
}

func event() object {
	text := object{"type": "string", "minLength": 1}
	return object{
		"type": "object", "required": []string{"specversion", "id", "source", "type", "data"},
		"properties": object{
			"specversion":     object{"const": "1.0"},
			"id":              text,
			"source":          object{"type": "string", "pattern": `^[^ \t\r\n]+$`},
			"type":            text,
			"datacontenttype": object{"type": "string", "pattern": `^ *([A-Za-z]+/|[^;]+\+)[jJ][sS][oO][nN]( *;.*)?$`},
			"data":            object{"anyOf": []object{{"$ref": prefix + "request:v1"}, {"$ref": prefix + "bulk:v1"}}},
		},
		"not": given("data_base64"),
	}
}
