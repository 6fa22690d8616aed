package autoprotect

import (
	"fmt"
	"slices"
	"strconv"

	"azbackupflow/docs/schemas"
	"azbackupflow/internal/declaration"
	"azbackupflow/internal/request"
)

// FileName is the name of the file next to host.json that declares the rules.
const FileName = "protection.yaml"

// Check reports whether the engine would accept a request; its error is a
// *step.Invalid.
type Check func(request.Request) error

// Parse parses protection.yaml. A file with any error yields no rules: rules are
// an ordered list, and without one of them a later rule would decide and might
// protect what should be excluded. The error is a *declaration.Invalid with all
// problems. A nil check skips the check of the flow's parameters.
func Parse(file string, raw []byte, check Check) ([]Rule, error) {
	document, err := declaration.Parse(file, raw)
	if err != nil {
		return nil, err
	}
	schema, err := declaration.Compile(schemas.Protection())
	if err != nil {
		return nil, err
	}
	var problems []declaration.Problem
	for _, v := range schema.Validate(document) {
		problems = append(problems, v.Problem)
	}
	if len(problems) > 0 {
		return nil, &declaration.Invalid{File: file, Problems: problems}
	}
	var all struct {
		Rules []Rule `json:"rules"`
	}
	if err := document.Decode(&all); err != nil {
		return nil, err
	}
	for i, r := range all.Rules {
		add := func(problem, want string, path ...string) {
			problems = append(problems, document.Problem(append([]string{"rules", strconv.Itoa(i)}, path...), problem, want))
		}
		earlier := all.Rules[:i]
		if slices.ContainsFunc(earlier, func(a Rule) bool { return a.Name == r.Name }) {
			add(fmt.Sprintf("%q is the name of an earlier rule", r.Name), "a unique name", "name")
		}
		if n := slices.IndexFunc(earlier, func(a Rule) bool { return a.hides(r) }); n >= 0 {
			add("never decides: the earlier rule "+earlier[n].Name+" matches everything that it matches", "the narrower rule first")
		}
		r.validate(check, add)
	}
	if len(problems) > 0 {
		return nil, &declaration.Invalid{File: file, Problems: problems}
	}
	return all.Rules, nil
}
