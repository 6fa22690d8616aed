package roles

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// Definition is a custom role, as infra/app/roles.json holds it.
type Definition struct {
	Key         Role     `json:"key"`
	Name        string   `json:"name"`
	Description string   `json:"description"`
	Actions     []string `json:"actions"`
}

// Definitions returns the custom roles that infra/ deploys.
func Definitions(table []Permission) []Definition {
	var all []Definition
	for _, r := range All() {
		d := Definition{Key: r, Name: r.Name(), Description: r.Description()}
		for _, p := range r.permissionsIn(table) {
			d.Actions = append(d.Actions, p.Action)
		}
		all = append(all, d)
	}
	return all
}

// JSON returns the text of infra/app/roles.json.
func JSON(table []Permission) ([]byte, error) {
	byKey := map[Role]Definition{}
	for _, d := range Definitions(table) {
		byKey[d.Key] = d
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	err := e.Encode(byKey)
	return b.Bytes(), err
}

// Markdown returns the tables of docs/roles.md.
func Markdown(table []Permission) string {
	var b strings.Builder
	for _, r := range All() {
		fmt.Fprintf(&b, "## %s\n\n%s Assigned on %s.\n\n", r.Name(), r.Description(), r.Scope())
		b.WriteString("| action | on | for |\n|---|---|---|\n")
		for _, p := range r.permissionsIn(table) {
			fmt.Fprintf(&b, "| `%s` | %s | %s |\n", p.Action, p.On, p.For)
		}
		b.WriteString("\n")
	}
	b.WriteString(builtInMarkdown())
	return b.String()
}
