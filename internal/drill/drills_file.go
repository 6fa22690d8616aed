package drill

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"azbackupflow/docs/schemas"
	"azbackupflow/internal/declaration"
)

// FileName is the name of the file that declares the drills.
const FileName = "drills.yaml"

// entry is a drill as the file declares it.
type entry struct {
	Name     string    `json:"name"`
	Cron     string    `json:"cron"`
	TimeZone string    `json:"timeZone"`
	Enabled  *bool     `json:"enabled"`
	Select   Selection `json:"select"`
	Point    struct {
		Rule   Rule   `json:"rule"`
		Window string `json:"window"`
	} `json:"point"`
	Target     Target `json:"target"`
	Objectives struct {
		RestoreTime string `json:"restoreTime"`
		PointAge    string `json:"pointAge"`
	} `json:"objectives"`
	Validation struct {
		By     string `json:"by"`
		Window string `json:"window"`
	} `json:"validation"`
	CleanUp  CleanUp `json:"cleanUp"`
	Evidence struct {
		Retention string `json:"retention"`
	} `json:"evidence"`
}

// Parse parses drills.yaml. It omits drills with errors and returns the others; the
// error, a *declaration.Invalid, lists all problems. If the file is not a list of
// drills, it returns none.
func Parse(file string, raw []byte) ([]Drill, error) { return ParseAllowed(file, raw, nil) }

// ParseAllowed is Parse. It also rejects drills with a target that is not allowed;
// allowed reports it for the ID of a storage account or a resource group. Nil allows
// every target.
func ParseAllowed(file string, raw []byte, allowed func(id string) bool) ([]Drill, error) {
	document, err := declaration.Parse(file, raw)
	if err != nil {
		return nil, err
	}
	schema, err := declaration.Compile(schemas.Drills())
	if err != nil {
		return nil, err
	}
	var problems []declaration.Problem
	invalid := map[string]bool{} // indexes of drills that violate the schema
	for _, v := range schema.Validate(document) {
		problems = append(problems, v.Problem)
		if len(v.At) < 2 || v.At[0] != "drills" {
			return nil, &declaration.Invalid{File: file, Problems: problems}
		}
		invalid[v.At[1]] = true
	}
	var all struct {
		Drills []json.RawMessage `json:"drills"`
	}
	if err := document.Decode(&all); err != nil {
		return nil, err
	}
	var drills []Drill
	for i := range all.Drills {
		index := strconv.Itoa(i)
		if invalid[index] {
			continue
		}
		var e entry
		if err := document.Decode(&e, "drills", index); err != nil {
			return nil, err
		}
		d, found := e.drill()
		if len(found) == 0 && allowed != nil {
			found = e.notAllowed(allowed)
		}
		if slices.ContainsFunc(drills, func(other Drill) bool { return other.Name == e.Name }) {
			found = append(found, problem{[]string{"name"}, fmt.Sprintf("%q is the name of an earlier drill", e.Name), "a unique name"})
		}
		for _, p := range found {
			problems = append(problems, document.Problem(append([]string{"drills", index}, p.path...), p.text, p.want))
		}
		if len(found) == 0 {
			drills = append(drills, d)
		}
	}
	if len(problems) > 0 {
		return drills, &declaration.Invalid{File: file, Problems: problems}
	}
	return drills, nil
}
