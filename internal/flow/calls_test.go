package flow_test

import (
	"context"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"azbackupflow/internal/flow"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/roles"
	"azbackupflow/internal/step"
)

// The custom roles follow from the API operations that steps name in Calls. In
// every test with a rig, each request must be one that its step names.

type watchedStep struct{}

// watch lets watchedTransport know the step that makes a request.
func watch(definitions []flow.Definition) {
	for i := range definitions {
		steps := slices.Clone(definitions[i].Steps)
		for j, s := range steps {
			steps[j].Run = func(ctx context.Context, c step.Call) (operation.Outcome, error) {
				return s.Run(context.WithValue(ctx, watchedStep{}, s), c)
			}
			if s.Reconcile != nil {
				// It reads what the steps behind it read: the vault's jobs.
				find := steps[j+2]
				find.Name = s.Name
				steps[j].Reconcile = func(ctx context.Context, c step.Call) (operation.Reconciliation, error) {
					return s.Reconcile(context.WithValue(ctx, watchedStep{}, find), c)
				}
			}
		}
		definitions[i].Steps = steps
	}
}

// watchedTransport fails the test at a request that its step does not name.
type watchedTransport struct{ t *testing.T }

// Do implements policy.Transporter.
func (w watchedTransport) Do(r *http.Request) (*http.Response, error) {
	if s, ok := r.Context().Value(watchedStep{}).(step.Step); ok && !named(s, r) {
		w.t.Errorf("step %s makes %s %s, which is none of its Calls %v", s.Name, r.Method, r.URL.Path, s.Calls)
	}
	return http.DefaultClient.Do(r)
}

// named reports whether the step names the request, or polls a URL that Azure
// returned.
func named(s step.Step, r *http.Request) bool {
	if s.AwaitsResult && r.Method == http.MethodGet && polls.MatchString(r.URL.Path) {
		return true
	}
	action := roles.ActionOf(r.Method, r.URL.Path)
	return slices.ContainsFunc(s.Calls, func(call string) bool {
		p, ok := roles.FindCall(call)
		return ok && strings.EqualFold(p.Action, action)
	})
}

var polls = regexp.MustCompile(`(?i)/(operationResults|operationsStatus|operationStatus|backupOperations|backupOperationResults)(/|$)`)
