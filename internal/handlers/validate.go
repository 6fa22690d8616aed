package handlers

import (
	"encoding/json"
	"net/http"

	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

// Validation is what a request would do, as far as that is known beforehand.
type Validation struct {
	Valid   bool   `json:"valid"`
	Flow    string `json:"flow"`
	Version int    `json:"version"`
	// Parameters are those of the request in their normal form.
	Parameters json.RawMessage `json:"parameters"`
	Steps      []string        `json:"steps"`
	// LooksRight says that the calls that only read found nothing wrong.
	LooksRight bool `json:"looksRight"`
	// Problem is what they found wrong.
	Problem *operation.Error `json:"problem,omitempty"`
	// Rehearsed are the steps that were gone through, in their order.
	Rehearsed []RehearsedStep `json:"rehearsed"`
	// Unknown says why nothing can be said about what follows.
	Unknown string `json:"unknown,omitempty"`
}

// RehearsedStep is a step that was gone through without changing anything.
type RehearsedStep struct {
	Step   string      `json:"step"`
	Effect step.Effect `json:"effect"`
	Note   string      `json:"note,omitempty"`
	// Made are the calls that only read. WouldMake are those that would change
	// something and were not made.
	Made      []operation.Exchange `json:"made,omitempty"`
	WouldMake []step.Unsent        `json:"wouldMake,omitempty"`
}

// validate is the dry run: nothing is saved, nothing is sent, and nothing is
// changed in Azure.
func (a api) validate(w http.ResponseWriter, r *http.Request) {
	req, err := a.readRequest(w, r)
	if err != nil {
		writeProblem(w, r, err)
		return
	}
	rehearsal, err := a.Control.DryRun(r.Context(), req)
	if err != nil {
		writeProblem(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, a.asValidation(rehearsal))
}

func (a api) asValidation(rehearsal engine.DryRunResult) Validation {
	op := rehearsal.Operation
	flow, _ := a.Flows.Find(op.Flow, op.Version)
	v := Validation{
		Valid: true, Flow: op.Flow, Version: op.Version, Parameters: op.Parameters, Steps: flow.Plan(),
		LooksRight: rehearsal.Problem == nil, Problem: rehearsal.Problem, Unknown: rehearsal.Open,
		Rehearsed: []RehearsedStep{},
	}
	for _, s := range rehearsal.Steps {
		v.Rehearsed = append(v.Rehearsed, RehearsedStep{Step: s.Step, Effect: s.Effect, Note: s.Note, Made: s.Made, WouldMake: s.Unsent})
	}
	return v
}
