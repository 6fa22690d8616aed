package openapi

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Reference returns the reference page of a bundled document.
func Reference(bundled []byte) (string, error) {
	var doc object
	if err := json.Unmarshal(bundled, &doc); err != nil {
		return "", fmt.Errorf("read the bundle: %w", err)
	}
	p := page{doc: doc}
	p.line("# API reference\n\nLook up a route, its parameters and its responses. [http-api.md](http-api.md) explains how to use them.\n")
	p.line("```sh\ncurl https://NAME.azurewebsites.net/api/openapi.json -H \"x-functions-key: $KEY\"\n```\n")
	p.line("The app serves this description as [openapi.json](openapi.json) (OpenAPI 3.1). This page is generated from it:\n`go test ./generate/openapi -update`.\n")
	for _, tag := range list(doc["tags"]) {
		name := text(tag, "name")
		p.line("## " + strings.ToUpper(name[:1]) + name[1:] + "\n\n" + text(tag, "description") + "\n")
		p.operations(name)
	}
	p.schemas()
	return strings.TrimRight(p.b.String(), "\n") + "\n", nil
}

// page writes the reference page.
type page struct {
	b   strings.Builder
	doc object
}

func (p *page) line(text string) { p.b.WriteString(text + "\n") }

// operations writes the operations of a tag.
func (p *page) operations(tag string) {
	paths := member(p.doc, "paths")
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		item := member(paths, path)
		for _, method := range []string{"get", "post", "delete"} {
			op := member(item, method)
			if op == nil || !slices.Contains(list(op["tags"]), any(tag)) {
				continue
			}
			p.line(fmt.Sprintf("### %s /api%s\n\n%s %s\n", strings.ToUpper(method), path, text(op, "summary"), text(op, "description")))
			p.parameters(append(list(item["parameters"]), list(op["parameters"])...))
			if body := p.resolve(op["requestBody"]); body != nil {
				p.line("Body: " + p.content(body) + ".\n")
			}
			p.responses(member(op, "responses"))
		}
	}
}

func (p *page) parameters(all []any) {
	if len(all) == 0 {
		return
	}
	p.line("| parameter | in | meaning |\n|---|---|---|")
	for _, one := range all {
		parameter := p.resolve(one)
		required := ""
		if parameter["required"] == true {
			required = ", required"
		}
		p.line(fmt.Sprintf("| `%s` | %s%s | %s |", text(parameter, "name"), text(parameter, "in"), required, cell(text(parameter, "description"))))
	}
	p.line("")
}

func (p *page) responses(all object) {
	p.line("| status | body | meaning |\n|---|---|---|")
	for _, status := range slices.Sorted(maps.Keys(all)) {
		response := p.resolve(all[status])
		p.line(fmt.Sprintf("| %s | %s | %s |", status, p.content(response), cell(text(response, "description"))))
	}
	p.line("")
}

// content returns links to the schemas of a body.
func (p *page) content(of object) string {
	content := member(of, "content")
	if _, problem := content["application/problem+json"]; problem {
		return link("Problem")
	}
	schema := member(member(content, "application/json"), "schema")
	if len(schema) == 0 {
		return ""
	}
	return typeOf(schema)
}

// schemas writes the schemas of responses. Those of requests have their own files.
func (p *page) schemas() {
	p.line("## Objects\n")
	p.line("[schemas/](schemas) has the schemas of requests: [request.v1.schema.json](schemas/request.v1.schema.json) and\n[bulk.v1.schema.json](schemas/bulk.v1.schema.json).\n")
	all := member(member(p.doc, "components"), "schemas")
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if name == "Request" || name == "Bulk" || strings.Contains(name, ".") {
			continue
		}
		schema := member(all, name)
		p.line("### " + name + "\n")
		if about := text(schema, "description"); about != "" {
			p.line(about + "\n")
		}
		p.fields(schema)
	}
}

func (p *page) fields(schema object) {
	if parts := list(schema["allOf"]); len(parts) > 0 {
		for _, part := range parts {
			one, _ := part.(object)
			if _, ref := one["$ref"]; ref {
				p.line("All fields of " + typeOf(one) + ", and:\n")
				continue
			}
			p.fields(one)
		}
		return
	}
	properties := member(schema, "properties")
	if len(properties) == 0 {
		p.line("Type: " + typeOf(schema) + ".\n")
		return
	}
	p.line("| field | type | meaning |\n|---|---|---|")
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		property := member(properties, name)
		always := ""
		if slices.Contains(list(schema["required"]), any(name)) {
			always = ", always"
		}
		p.line(fmt.Sprintf("| `%s` | %s%s | %s |", name, typeOf(property), always, cell(text(property, "description"))))
	}
	p.line("")
}

// resolve returns the object that a value is or refers to.
func (p *page) resolve(value any) object {
	v, _ := value.(object)
	ref, ok := v["$ref"].(string)
	if !ok {
		return v
	}
	found := p.doc
	for _, part := range strings.Split(strings.TrimPrefix(ref, "#/"), "/") {
		found = member(found, part)
	}
	return found
}

// typeOf returns the type of a schema in words.
func typeOf(schema object) string {
	if ref := text(schema, "$ref"); ref != "" {
		return link(ref[strings.LastIndex(ref, "/")+1:])
	}
	if values := list(schema["enum"]); len(values) > 0 {
		var words []string
		for _, v := range values {
			words = append(words, fmt.Sprintf("`%v`", v))
		}
		return strings.Join(words, ", ")
	}
	if value, ok := schema["const"]; ok {
		return fmt.Sprintf("`%v`", value)
	}
	for _, key := range []string{"anyOf", "oneOf"} {
		if parts := list(schema[key]); len(parts) > 0 {
			var all []string
			for _, part := range parts {
				one, _ := part.(object)
				all = append(all, typeOf(one))
			}
			return strings.Join(all, " or ")
		}
	}
	kind := text(schema, "type")
	switch items := member(schema, "items"); {
	case kind == "array" && items != nil:
		return "list of " + typeOf(items)
	case text(schema, "format") == "date-time":
		return "time (RFC 3339)"
	case kind == "":
		return "any"
	}
	return kind
}

// link links to a schema of the page.
func link(name string) string {
	switch name {
	case "Request", "Bulk":
		return fmt.Sprintf("[%s](schemas/%s.v1.schema.json)", name, strings.ToLower(name))
	}
	return fmt.Sprintf("[%s](#%s)", name, strings.ToLower(name))
}

// cell returns a text as one cell of a table.
func cell(text string) string {
	return strings.ReplaceAll(strings.Join(strings.Fields(text), " "), "|", `\|`)
}

func member(of object, name string) object {
	m, _ := of[name].(object)
	return m
}

func list(value any) []any {
	l, _ := value.([]any)
	return l
}

func text(value any, name string) string {
	v, _ := value.(object)
	s, _ := v[name].(string)
	return s
}
