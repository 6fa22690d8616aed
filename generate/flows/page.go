package flows

import (
	"fmt"
	"strings"
	"time"

	"azbackupflow/internal/flow"
	"azbackupflow/internal/schema"
	"azbackupflow/internal/step"
)

// Page returns the generated part of docs/flows.md: a table of the flows, and a
// section for each.
func Page(definitions []flow.Definition) (string, error) {
	var b strings.Builder
	b.WriteString("| flow | | role | deadline |\n|---|---|---|---|\n")
	for _, d := range flow.Newest(definitions) {
		fmt.Fprintf(&b, "| [`%s`](#%s) | %s | %s | %s |\n", d.Name, d.Name, d.Summary, d.Role.Name(), Duration(d.Deadline))
	}
	for _, d := range flow.Newest(definitions) {
		s, err := section(d)
		if err != nil {
			return "", err
		}
		b.WriteString("\n" + s)
	}
	return b.String(), nil
}

// section returns the section of one flow.
func section(d flow.Definition) (string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "## %s\n\n%s Default deadline: %s. Role: %s.\n\n", d.Name, d.Intro, Duration(d.Deadline), d.Role.Name())
	if d.Guarded {
		b.WriteString("This flow is guarded: over HTTP it needs the app role `Operations.Restore`; see [security.md](security.md).\n\n")
	}
	b.WriteString(d.Parameters().Table())
	for _, e := range d.Examples {
		raw, err := d.RequestJSON(e)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "\nExample: %s ([%s.json](../examples/%s.json))\n\n```json request\n%s```\n", e.About, e.File, e.File, raw)
	}
	b.WriteString("\n" + StepTable(d.Steps))
	if d.Notes != "" {
		b.WriteString("\n" + strings.TrimRight(d.Notes, "\n") + "\n")
	}
	return b.String(), nil
}

// StepTable returns the steps as a Markdown table.
func StepTable(steps []step.Step) string {
	var b strings.Builder
	b.WriteString("| step | what it asks Azure | and then |\n|---|---|---|\n")
	for _, s := range steps {
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", s.Name, s.Asks, s.Then)
	}
	return b.String()
}

// Duration returns a duration in days or hours.
func Duration(d time.Duration) string {
	const day = 24 * time.Hour
	if d > 2*day && d%day == 0 {
		return fmt.Sprintf("%d days", d/day)
	}
	return fmt.Sprintf("%d hours", d/time.Hour)
}

// Schemas returns the parameters of the newest version of each flow, for
// schema.Documents.
func Schemas(definitions []flow.Definition) []schema.Flow {
	var all []schema.Flow
	for _, d := range flow.Newest(definitions) {
		all = append(all, schema.Flow{Name: d.Name, Version: d.Version, Parameters: d.Parameters()})
	}
	return all
}
