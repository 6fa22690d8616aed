package memory

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"azbackupflow/internal/autoprotect/decision"
	"azbackupflow/internal/state"
)

// SaveDecision stores the last decision about a resource.
func (s *Store) SaveDecision(ctx context.Context, d decision.Record) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.decisions[state.ResourceKey(d.ResourceID)] = d
	return nil
}

// LoadDecision returns the last decision about a resource, or
// decision.ErrNotFound.
func (s *Store) LoadDecision(ctx context.Context, resourceID string) (decision.Record, error) {
	if err := ctx.Err(); err != nil {
		return decision.Record{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	d, found := s.decisions[state.ResourceKey(resourceID)]
	if !found {
		return d, fmt.Errorf("load decision about %s: %w", resourceID, decision.ErrNotFound)
	}
	return d, nil
}

// ListDecisions returns one page of decisions in the order of their resources.
func (s *Store) ListDecisions(ctx context.Context, q decision.Query) (decision.Page, error) {
	after, err := state.ParseDecisionContinue(q.Continue)
	if err != nil {
		return decision.Page{}, err
	}
	if err := ctx.Err(); err != nil {
		return decision.Page{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var page decision.Page
	for _, key := range slices.Sorted(maps.Keys(s.decisions)) {
		d := s.decisions[key]
		switch {
		case key <= after || !q.Matches(d):
		case len(page.Decisions) == q.Size():
			page.Continue = state.ContinueAfter(page.Decisions[q.Size()-1])
			return page, nil
		default:
			page.Decisions = append(page.Decisions, d)
		}
	}
	return page, nil
}

// SaveExclusion stores the exclusion of a resource.
func (s *Store) SaveExclusion(ctx context.Context, x decision.Exclusion) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.exclusions[strings.ToLower(x.ResourceID)] = x
	return nil
}

// LoadExclusion returns the exclusion of a resource and whether there is one.
func (s *Store) LoadExclusion(ctx context.Context, resourceID string) (decision.Exclusion, bool, error) {
	if err := ctx.Err(); err != nil {
		return decision.Exclusion{}, false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	x, found := s.exclusions[strings.ToLower(resourceID)]
	return x, found, nil
}

// ListExclusions returns all exclusions; see state.Store.ListExclusions.
func (s *Store) ListExclusions(ctx context.Context) ([]decision.Exclusion, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Values(s.exclusions)), nil
}

// DeleteExclusion deletes the exclusion of a resource.
func (s *Store) DeleteExclusion(ctx context.Context, resourceID string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.exclusions, strings.ToLower(resourceID))
	return nil
}
