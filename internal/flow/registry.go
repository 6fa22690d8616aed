package flow

import (
	"fmt"
	"slices"

	"azbackupflow/internal/step"
)

// Registry holds the flows that a program knows: every version of each. It
// never changes after NewRegistry.
type Registry struct {
	flows []step.Flow
}

// NewRegistry checks the flows and returns a registry of them. It rejects flows
// that the engine could not run safely, such as a Once step that cannot be
// reconciled.
func NewRegistry(flows ...step.Flow) (*Registry, error) {
	for i, f := range flows {
		if err := validate(f); err != nil {
			return nil, err
		}
		for _, other := range flows[:i] {
			if other.Name == f.Name && other.Version == f.Version {
				return nil, fmt.Errorf("flow %s version %d is defined twice", f.Name, f.Version)
			}
		}
	}
	return &Registry{flows: flows}, nil
}

// validate rejects a flow whose steps the engine could not run safely.
func validate(f step.Flow) error {
	if len(f.Steps) == 0 {
		return fmt.Errorf("flow %s version %d has no steps", f.Name, f.Version)
	}
	seen := map[string]bool{}
	for i, s := range f.Steps {
		if seen[s.Name] {
			return fmt.Errorf("flow %s version %d has two steps named %s", f.Name, f.Version, s.Name)
		}
		seen[s.Name] = true
		if _, ok := f.Step(s.OnCancel); s.OnCancel != "" && !ok {
			return fmt.Errorf("flow %s version %d: step %s goes to %s on cancel, which is not a step of the flow", f.Name, f.Version, s.Name, s.OnCancel)
		}
		if err := validateFailure(f, i); err != nil {
			return err
		}
		if s.Effect == step.Once && s.Reconcile == nil {
			return fmt.Errorf("flow %s version %d: step %s must not run twice, so it needs a Reconcile function", f.Name, f.Version, s.Name)
		}
	}
	return nil
}

// validateFailure rejects a step whose failure could repeat itself without end, or
// whose clean-up would not run to completion.
func validateFailure(f step.Flow, at int) error {
	s := f.Steps[at]
	if s.OnFailure == "" {
		return nil
	}
	where := fmt.Sprintf("flow %s version %d: step %s", f.Name, f.Version, s.Name)
	next := slices.IndexFunc(f.Steps, func(other step.Step) bool { return other.Name == s.OnFailure })
	switch {
	case next <= at:
		return fmt.Errorf("%s goes to %s after a failure, which is not a later step of the flow", where, s.OnFailure)
	case f.CleanUpTime <= 0:
		return fmt.Errorf("%s goes to %s after a failure, but the flow has no CleanUpTime", where, s.OnFailure)
	}
	for _, later := range f.Steps[next:] {
		if later.OnCancel != later.Name && (later.Name == s.OnFailure || later.OnFailure == "") {
			return fmt.Errorf("%s goes to %s after a failure, but a cancel would end the operation at step %s; name the step itself as its OnCancel", where, s.OnFailure, later.Name)
		}
	}
	return nil
}

// Find returns one version of a flow.
func (r *Registry) Find(name string, version int) (step.Flow, bool) {
	for _, f := range r.flows {
		if f.Name == name && f.Version == version {
			return f, true
		}
	}
	return step.Flow{}, false
}

// Newest returns the newest version of a flow, which new requests start.
func (r *Registry) Newest(name string) (newest step.Flow, ok bool) {
	for _, f := range r.flows {
		if f.Name == name && (!ok || f.Version > newest.Version) {
			newest, ok = f, true
		}
	}
	return newest, ok
}

// Names returns the names of the flows, in the order of their registration.
func (r *Registry) Names() []string {
	var names []string
	for _, f := range r.flows {
		if newest, _ := r.Newest(f.Name); newest.Version == f.Version {
			names = append(names, f.Name)
		}
	}
	return names
}
