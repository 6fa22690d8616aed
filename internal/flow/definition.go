package flow

import (
	"bytes"
	"encoding/json"
	"fmt"

	"azbackupflow/internal/request"
	"azbackupflow/internal/roles"
	"azbackupflow/internal/schema"
	"azbackupflow/internal/step"
)

// Definition declares everything about one version of a flow.
type Definition struct {
	step.Flow
	// Role is the custom role that a flow of this kind needs for its changes. A
	// call that several flows make is granted by the weakest of their roles; a
	// call that only reads is granted by roles.Read.
	Role roles.Role
	// Parameters describe the parameters for the JSON Schema and the
	// documentation. Check decides at run time; tests hold both together.
	Parameters func() schema.Parameters
	// Intro and Notes are Markdown. Intro stands above the table of parameters,
	// Notes below the table of steps.
	Intro, Notes string
	// Examples are requests that work in the demo.
	Examples []Example
}

// Example is a request that examples/, docs/flows.md and the demo show.
type Example struct {
	// File is the file's name below examples/, without its extension.
	File string
	// About names what the example works on, in a few words.
	About string
	Key   string
	// Parameters is the flow's parameters struct.
	Parameters any
	Deadline   string
	Labels     map[string]string
	// After names the examples that must have finished before this one starts.
	After []string
	// JobOf names the example whose job this one follows.
	JobOf string
	// Cost describes the example in docs/cost.md, where its transactions are
	// counted; an empty text leaves it out.
	Cost string
}

// Request returns the request that an example makes.
func (d Definition) Request(e Example) (request.Request, error) {
	raw, err := json.Marshal(e.Parameters)
	if err != nil {
		return request.Request{}, fmt.Errorf("write example %s: %w", e.File, err)
	}
	return request.Request{Flow: d.Name, Key: e.Key, Parameters: raw, Deadline: e.Deadline, Labels: e.Labels}, nil
}

// RequestJSON returns the text of the request that an example makes, without its
// key: a file with a key would start nothing the second time.
func (d Definition) RequestJSON(e Example) ([]byte, error) {
	r, err := d.Request(e)
	if err != nil {
		return nil, err
	}
	r.Key = ""
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(r); err != nil {
		return nil, fmt.Errorf("write example %s: %w", e.File, err)
	}
	return b.Bytes(), nil
}

// RegistryOf returns a registry of the definitions.
func RegistryOf(definitions []Definition) (*Registry, error) {
	flows := make([]step.Flow, len(definitions))
	for i, d := range definitions {
		flows[i] = d.Flow
	}
	return NewRegistry(flows...)
}

// Newest returns the newest version of each flow, in the order of the list.
func Newest(definitions []Definition) []Definition {
	var newest []Definition
	for _, d := range definitions {
		at := -1
		for i, n := range newest {
			if n.Name == d.Name {
				at = i
			}
		}
		switch {
		case at < 0:
			newest = append(newest, d)
		case d.Version > newest[at].Version:
			newest[at] = d
		}
	}
	return newest
}
