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

// Answer is what came of one step: an outcome or an error, and the requests
// that were made for it.
type Answer struct {
	Outcome   operation.Outcome
	Err       *operation.Error
	Exchanges []operation.Exchange
}

// Script adds answers of a step, in order. A step without any goes on at once.
func (a *API) Script(stepName string, answers ...Answer) {
	a.azure.mu.Lock()
	defer a.azure.mu.Unlock()
	a.azure.answers[stepName] = append(a.azure.answers[stepName], answers...)
}

// script is what the steps of the flows are answered.
type script struct {
	mu      sync.Mutex
	answers map[string][]Answer
}

// book has the real flows' names, checks and deadlines, with fewer steps.
func (s *script) book(now func() time.Time) (*flow.Registry, error) {
	real, err := flow.New(flow.Config{Now: now})
	if err != nil {
		return nil, fmt.Errorf("flows: %w", err)
	}
	var flows []step.Flow
	for _, fewer := range []struct {
		flow  string
		steps []string
	}{
		{"protect-file-share", []string{"check-policy", "register", "await-registration", "trigger-backup", "await-backup-job"}},
		{"backup-now", []string{"read-item", "trigger-backup", "await-backup-job"}},
	} {
		f, ok := real.Newest(fewer.flow)
		if !ok {
			return nil, fmt.Errorf("there is no flow %s", fewer.flow)
		}
		f.Steps = nil
		for _, stepName := range fewer.steps {
			f.Steps = append(f.Steps, step.Step{Name: stepName, Effect: step.Read, Run: s.run(stepName)})
		}
		flows = append(flows, f)
	}
	return flow.NewRegistry(flows...)
}

func (s *script) run(stepName string) func(context.Context, step.Call) (operation.Outcome, error) {
	return func(ctx context.Context, _ step.Call) (operation.Outcome, error) {
		answer := Answer{Outcome: operation.Outcome{Kind: operation.Advance, Pace: operation.PaceNow, Note: stepName + " is done"}}
		s.mu.Lock()
		if left := s.answers[stepName]; len(left) > 0 {
			answer, s.answers[stepName] = left[0], left[1:]
		}
		s.mu.Unlock()
		if made, ok := ctx.Value(exchangesKey{}).(*[]operation.Exchange); ok {
			*made = append(*made, answer.Exchanges...)
		}
		if answer.Err != nil {
			return operation.Outcome{}, answer.Err
		}
		return answer.Outcome, nil
	}
}

type exchangesKey struct{}

// record hands the exchanges of a step's answer to the engine.
func (s *script) record(ctx context.Context) (context.Context, func() []operation.Exchange) {
	var made []operation.Exchange
	return context.WithValue(ctx, exchangesKey{}, &made), func() []operation.Exchange { return made }
}
