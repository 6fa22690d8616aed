package httpapi

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/api"
	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

// validator is an engine that takes answers.
type validator struct {
	Engine
	err  error
	seen *string
}

func (v validator) Validate(_ context.Context, id string, a operation.ValidationAnswer, target string) (operation.Operation, error) {
	*v.seen = fmt.Sprintf("%s %s %q %s", id, a.Result, a.Text, target)
	a.At = time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	return operation.Operation{
		Identity: operation.Identity{ID: id, Flow: "drill-restore", Version: 1},
		Progress: operation.Progress{Status: operation.Running, Validation: &operation.Validation{Target: "place", Answer: &a}},
	}, v.err
}

// answered sends an answer as a caller with the roles.
func answered(t *testing.T, v validator, body string, roles ...Role) *httptest.ResponseRecorder {
	t.Helper()
	drill := step.Flow{Name: "drill-restore", Version: 1, Guarded: true}
	stored := one{op: operation.Operation{Identity: operation.Identity{ID: "op1", Flow: "drill-restore", Version: 1}}, flow: drill}
	a := &API{cfg: Config{Engine: v, Operations: stored, Flows: stored, Now: time.Now}}
	r := httptest.NewRequestWithContext(with(roles...), http.MethodPost, "/api/operations/op1/validation", strings.NewReader(body))
	r.SetPathValue("id", "op1")
	w := httptest.NewRecorder()
	a.serve(a.answerValidation).ServeHTTP(w, r)
	return w
}

func TestAnswerValidation_SavesTheAnswer(t *testing.T) {
	t.Parallel()
	for _, role := range []Role{RoleValidate, RoleRestore} {
		seen := ""
		w := answered(t, validator{seen: &seen}, `{"result":"Failed","text":"no tables","target":"place"}`, role)
		require.Equal(t, http.StatusOK, w.Code, w.Body.String())
		require.Equal(t, `op1 Failed "no tables" place`, seen)
		var op api.Operation
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &op))
		require.Equal(t, "Failed", op.Validation.Answer.Result)
		require.Equal(t, "place", op.Validation.Target)
	}
}

func TestAnswerValidation_NeedsARoleOfItsOwnOrThatOfTheFlow(t *testing.T) {
	t.Parallel()
	for _, role := range []Role{RoleRead, RoleStart} {
		seen := ""
		require.Equal(t, http.StatusForbidden, answered(t, validator{seen: &seen}, `{"result":"Failed"}`, role).Code)
		require.Empty(t, seen)
	}
}

// Each reason is a problem of its own, so that a program can tell them apart.
func TestAnswerValidation_HasAProblemForEachReason(t *testing.T) {
	t.Parallel()
	for problem, err := range map[string]error{
		api.ProblemNoValidation: operation.ErrNoValidation, api.ProblemOtherTarget: operation.ErrOtherTarget,
		api.ProblemWindowClosed: operation.ErrWindowClosed, api.ProblemAnswered: operation.ErrAnswered, api.ProblemNotFound: engine.ErrNotFound,
	} {
		seen := ""
		w := answered(t, validator{seen: &seen, err: fmt.Errorf("%w: because", err)}, `{"result":"Failed"}`, RoleValidate)
		var p api.Problem
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &p))
		require.Equal(t, problem, p.Type)
		require.Equal(t, w.Code, p.Status)
		require.Contains(t, p.Detail, "because")
	}
	seen := ""
	w := answered(t, validator{seen: &seen}, `{"result":"maybe"}`, RoleValidate)
	require.Equal(t, http.StatusBadRequest, w.Code)
	require.Contains(t, w.Body.String(), "Successful or Failed")
	require.Empty(t, seen)
}

// The role answers validations and starts nothing.
func TestWithRoles_LetsValidatorsAnswerOnly(t *testing.T) {
	t.Parallel()
	principal := "eyJhdXRoX3R5cCI6ImFhZCIsInJvbGVfdHlwIjoicm9sZXMiLCJjbGFpbXMiOlt7InR5cCI6InJvbGVzIiwidmFsIjoiT3BlcmF0aW9ucy5WYWxpZGF0ZSJ9XX0="
	a := &API{}
	for path, want := range map[string]int{
		"/api/operations/op1/validation": http.StatusNoContent, "/api/operations": http.StatusForbidden,
		"/api/operations/op1/retry": http.StatusForbidden, "/api/schedules/validation": http.StatusForbidden,
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, nil)
		r.Header.Set(principalHeader, principal)
		w := httptest.NewRecorder()
		a.withRoles(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })).ServeHTTP(w, r)
		require.Equal(t, want, w.Code, path)
	}
}
