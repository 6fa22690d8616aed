package flows

import (
	"encoding/json"
	"fmt"
	"slices"

	"azbackupflow/internal/flow"
)

// Example is an example with its flow.
type Example struct {
	flow.Example
	Definition flow.Definition
}

// Examples returns the examples of all flows in an order in which they can run:
// each comes after those that it waits for.
func Examples(definitions []flow.Definition) ([]Example, error) {
	var waiting []Example
	for _, d := range flow.Newest(definitions) {
		for _, e := range d.Examples {
			waiting = append(waiting, Example{e, d})
		}
	}
	var ordered []Example
	done := map[string]bool{}
	for len(waiting) > 0 {
		ready := slices.IndexFunc(waiting, func(e Example) bool {
			return !slices.ContainsFunc(e.waitsFor(), func(file string) bool { return !done[file] })
		})
		if ready < 0 {
			return nil, fmt.Errorf("example %s waits for %v; one of them is not an example, or waits for it", waiting[0].File, waiting[0].waitsFor())
		}
		ordered = append(ordered, waiting[ready])
		done[waiting[ready].File] = true
		waiting = slices.Delete(waiting, ready, ready+1)
	}
	return ordered, nil
}

func (e Example) waitsFor() []string {
	if e.JobOf == "" {
		return e.After
	}
	return append(slices.Clone(e.After), e.JobOf)
}

// ExampleFiles returns the texts of the files in examples/, by file name.
func ExampleFiles(definitions []flow.Definition) (map[string][]byte, error) {
	files := map[string][]byte{}
	for _, d := range flow.Newest(definitions) {
		for _, e := range d.Examples {
			raw, err := d.RequestJSON(e)
			if err != nil {
				return nil, err
			}
			files[e.File+".json"] = raw
		}
	}
	return files, nil
}

// Stop is one request of the demo, as examples/demo/plan.json holds it.
type Stop struct {
	// File is the request's file in examples/.
	File string `json:"file"`
	// About names what the request works on.
	About string `json:"about"`
	// After are the files whose operations must have ended first.
	After []string `json:"after,omitempty"`
	// JobOf is the file of the operation whose job this one follows.
	JobOf string `json:"jobOf,omitempty"`
}

// Plan returns what the demo runs. It shows the first request step by step, and
// then runs the others at the same time.
func Plan(definitions []flow.Definition) ([]Stop, error) {
	examples, err := Examples(definitions)
	if err != nil {
		return nil, err
	}
	var plan []Stop
	for _, e := range examples {
		s := Stop{File: e.File + ".json", About: e.About}
		for _, file := range e.After {
			s.After = append(s.After, file+".json")
		}
		if e.JobOf != "" {
			s.JobOf = e.JobOf + ".json"
		}
		plan = append(plan, s)
	}
	return plan, nil
}

// PlanJSON returns the text of examples/demo/plan.json.
func PlanJSON(definitions []flow.Definition) ([]byte, error) {
	plan, err := Plan(definitions)
	if err != nil {
		return nil, err
	}
	raw, err := json.MarshalIndent(plan, "", "  ")
	return append(raw, '\n'), err
}

// Counted returns the examples whose transactions docs/cost.md shows, in the
// order in which they run.
func Counted(definitions []flow.Definition) ([]Example, error) {
	examples, err := Examples(definitions)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(examples, func(e Example) bool { return e.Cost == "" }), nil
}

// WithCounted returns the counted examples and those that they wait for, in the order
// in which they run.
func WithCounted(definitions []flow.Definition) ([]Example, error) {
	examples, err := Examples(definitions)
	if err != nil {
		return nil, err
	}
	needed := map[string]bool{}
	for _, e := range slices.Backward(examples) {
		if e.Cost == "" && !needed[e.File] {
			continue
		}
		needed[e.File] = true
		for _, file := range e.waitsFor() {
			needed[file] = true
		}
	}
	return slices.DeleteFunc(examples, func(e Example) bool { return !needed[e.File] }), nil
}
