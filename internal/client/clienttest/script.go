package clienttest

import (
	"context"
	"fmt"
	"sync"
	"time"

	"azbackupflow/internal/flow"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

// Answer is the result of one step: an outcome, an error or a deferral, and the
// calls to Azure.
type Answer struct {
	Outcome   operation.Outcome
	Err       *operation.Error
	Deferral  *operation.Deferral
	Exchanges []operation.Exchange
}

// Script adds answers to a step, in order. A step without answers advances at
// once.
func (a *API) Script(stepName string, answers ...Answer) {
	a.azure.mu.Lock()
	defer a.azure.mu.Unlock()
	a.azure.answers[stepName] = append(a.azure.answers[stepName], answers...)
}

// script holds the answers of the steps.
type script struct {
	mu      sync.Mutex
	answers map[string][]Answer
}

// registry returns flows with the names, checks and deadlines of the real ones
// and fewer steps.
func (s *script) registry(now func() time.Time) (*flow.Registry, error) {
	real, err := flow.New(flow.Config{Now: now})
	if err != nil {
		return nil, fmt.Errorf("flows: %w", err)
	}
	var flows []step.Flow
	for _, short := range []struct {
		flow  string
		steps []string
	}{
		{"protect-file-share", []string{"check-policy", "register", "await-registration", "trigger-backup", "await-backup-job"}},
		{"backup-now", []string{"read-item", "trigger-backup", "await-backup-job"}},
	} {
		f, ok := real.Newest(short.flow)
		if !ok {
			return nil, fmt.Errorf("flow %s not found", short.flow)
		}
		f.Steps = nil
		for _, stepName := range short.steps {
			f.Steps = append(f.Steps, step.Step{Name: stepName, Effect: step.Read, Run: s.run(stepName)})
		}
		flows = append(flows, f)
	}
	return flow.NewRegistry(flows...)
}

func (s *script) run(stepName string) func(context.Context, step.Call) (operation.Outcome, error) {
	return func(_ context.Context, c step.Call) (operation.Outcome, error) {
		answer := Answer{Outcome: operation.Outcome{Kind: operation.Advance, Pace: operation.PaceNow, Note: stepName + " done"}}
		s.mu.Lock()
		if left := s.answers[stepName]; len(left) > 0 {
			answer, s.answers[stepName] = left[0], left[1:]
		}
		s.mu.Unlock()
		for _, x := range answer.Exchanges {
			c.Recorder.Record(x)
		}
		if answer.Err != nil {
			return operation.Outcome{}, answer.Err
		}
		if answer.Deferral != nil {
			return operation.Outcome{}, answer.Deferral
		}
		return answer.Outcome, nil
	}
}
