package parameters

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"

	"azbackupflow/internal/schema"
)

var link = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)

// Meaning returns what a parameter means, in plain text.
func Meaning(p schema.Parameter) string {
	text := link.ReplaceAllString(p.Meaning, "$1")
	return strings.ReplaceAll(text, "`", "")
}

// Need returns whether a parameter must be set, in a few words; empty for an
// optional one.
func Need(p schema.Parameter) string {
	switch {
	case p.When != "":
		return strings.ReplaceAll(p.When, "`", "")
	case p.Required && parent(p.Path) != "":
		return "required in " + parent(p.Path)
	case p.Required:
		return "required"
	}
	return ""
}

// Example returns an example of a parameter's value as JSON text, or as plain text
// if it is a string: that of an example request, or one that its kind suggests.
func (f Flow) Example(p schema.Parameter) string {
	for _, raw := range f.Examples {
		if v, ok := lookUp(raw, p.Path); ok {
			return v
		}
	}
	switch {
	case len(p.Values) > 0:
		return p.Values[0]
	case len(p.ResourceTypes) > 0:
		return idForm(p.ResourceTypes[0])
	}
	switch p.Kind {
	case schema.Time:
		return "2026-12-31T03:00:00Z"
	case schema.Integer, schema.Number:
		return "1"
	case schema.Boolean:
		return "true"
	case schema.Map:
		return `{"team":"files"}`
	case schema.TextList:
		return `["name"]`
	case schema.ObjectKind:
		return "{}"
	case schema.Text, schema.Other:
	}
	return "TEXT"
}

func lookUp(raw []byte, path string) (string, bool) {
	var at any
	if json.Unmarshal(raw, &at) != nil {
		return "", false
	}
	for part := range strings.SplitSeq(path, ".") {
		object, ok := at.(map[string]any)
		if !ok {
			return "", false
		}
		if at, ok = object[part]; !ok {
			return "", false
		}
	}
	if text, ok := at.(string); ok {
		return text, true
	}
	text, err := json.Marshal(at)
	return string(text), err == nil
}

func idForm(resourceType string) string {
	provider, types, _ := strings.Cut(resourceType, "/")
	id := "/subscriptions/{id}/resourceGroups/{group}/providers/" + provider
	for level := range strings.SplitSeq(types, "/") {
		id += "/" + level + "/{name}"
	}
	return strings.Replace(id, "/"+fabricType+"/{name}", "/"+fabricType+"/"+fabricName, 1)
}

// ExampleRequest returns a request file in YAML that is valid as it is. Comments
// explain every parameter; those that the example does not use are commented out.
func (f Flow) ExampleRequest(parameters []schema.Parameter) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s: %s.\n# Change the values, save the file, and run: azbackupflow start FILE\n", f.Name, f.Summary)
	fmt.Fprintf(&b, "flow: %s\n\n", f.Name)
	b.WriteString("# A request without a key is a new operation each time. With a key, the same flow and\n# key is the same operation, however often it is started.\n# key: nightly-2026-11-21\n\n")
	b.WriteString("# Maximum duration of the operation, such as 6h or 7d.\n# deadline: 6h\n\n# Names and values to find the operation by.\n# labels:\n#   team: files\n\nparameters:\n")
	var example []byte
	if len(f.Examples) > 0 {
		example = f.Examples[0]
	}
	for _, p := range parameters {
		f.exampleLines(&b, p, example)
	}
	return b.String()
}

func (f Flow) exampleLines(b *strings.Builder, p schema.Parameter, example []byte) {
	depth := strings.Count(p.Path, ".")
	name := p.Path[strings.LastIndex(p.Path, ".")+1:]
	value, used := lookUp(example, p.Path)
	if !used {
		value = f.Example(p)
	}
	margin := strings.Repeat("  ", depth+1)
	about := Meaning(p)
	if need := Need(p); need != "" {
		about += " (" + need + ")"
	}
	fmt.Fprintf(b, "%s# %s\n", margin, about)
	if !used {
		// Uncommenting one line must not change the place of the next.
		margin += "# "
	}
	switch {
	case p.Kind == schema.ObjectKind && value != "{}":
		fmt.Fprintf(b, "%s%s:\n", margin, name)
	case p.Kind == schema.Text, p.Kind == schema.Time:
		fmt.Fprintf(b, "%s%s: %s\n", margin, name, scalar(value))
	default:
		fmt.Fprintf(b, "%s%s: %s\n", margin, name, value)
	}
}

// scalar returns a text as a YAML scalar, in quotes if it needs them.
func scalar(text string) string {
	raw, err := yaml.Marshal(text)
	if err != nil {
		return fmt.Sprintf("%q", text)
	}
	return strings.TrimSuffix(string(raw), "\n")
}
