package flow_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/arm"
	"azbackupflow/internal/flow"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

// stub is a Resource Manager with prepared answers: for what the simulator does
// not do, and for single steps.
type stub struct {
	t *testing.T
	// answers by method and the last part of the path, such as
	// "GET backupJobs". Each is a status and a body.
	answers map[string]reply
	allows  flow.Guardrails
	// answer, if set, answers every request instead.
	answer func(*http.Request) reply
	// requests are the requests that were sent.
	asked []*http.Request
}

type reply struct {
	status int
	body   any
	header http.Header
}

// Do answers one request. It implements azcore's policy.Transporter.
func (c *stub) Do(r *http.Request) (*http.Response, error) {
	c.asked = append(c.asked, r)
	kind := r.Method + " " + r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	answer, known := c.answers[kind]
	if c.answer != nil {
		answer, known = c.answer(r), true
	}
	if !known {
		c.t.Errorf("unexpected request %s", kind)
		answer.status = http.StatusTeapot
	}
	body, err := json.Marshal(answer.body)
	if err != nil {
		return nil, err
	}
	res := &http.Response{
		StatusCode: answer.status, Status: http.StatusText(answer.status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"application/json"}}, Request: r,
		Body: io.NopCloser(strings.NewReader(string(body))), ContentLength: int64(len(body)),
	}
	for name, values := range answer.header {
		res.Header[name] = values
	}
	return res, nil
}

// list returns a page of a list of Azure.
func list(entries ...any) reply {
	if entries == nil {
		entries = []any{}
	}
	return reply{status: http.StatusOK, body: object{"value": entries}}
}

// azureError returns an error in Azure's format.
func azureError(status int, code, message string) reply {
	return reply{status: status, body: object{"error": object{"code": code, "message": message}}}
}

// one returns a step of a flow over the answers.
func (c *stub) one(name, stepName string) step.Step {
	c.t.Helper()
	client, err := arm.New(arm.Config{Credential: credential(func() string { return "token" }), Transport: c, Now: morning})
	require.NoError(c.t, err)
	b, err := flow.New(flow.Config{ARM: client, Now: morning, Guardrails: c.allows})
	require.NoError(c.t, err)
	f, ok := b.Newest(name)
	require.True(c.t, ok)
	s, ok := f.Step(stepName)
	require.True(c.t, ok, stepName)
	return s
}

// run makes the step's call for the operation.
func (c *stub) run(name, stepName string, op operation.Operation) (operation.Outcome, error) {
	c.t.Helper()
	op.Step = stepName
	return c.one(name, stepName).Run(c.t.Context(), step.Call{Operation: op, Now: morning().Add(time.Minute), AttemptID: attempt})
}

const attempt = "aaaaaaaa-0000-4000-8000-000000000001"

// protecting returns an operation of the flow protect-file-share with what its
// first steps learned.
func protecting(t *testing.T, more object) operation.Operation {
	t.Helper()
	raw, err := json.Marshal(demoShare(more))
	require.NoError(t, err)
	normal, wrong := checked(t, "protect-file-share", string(raw))
	require.Empty(t, wrong)
	return operation.Operation{
		Identity:   operation.Identity{ID: "op", Flow: "protect-file-share", Version: 1, Parameters: normal},
		AzureState: operation.AzureState{Learned: map[string]string{"policyId": demoVault + "/backupPolicies/schedule1"}},
	}
}

// shareItem returns a protected item of the demo share as the vault lists it.
func shareItem(changes object) object {
	const container = "StorageContainer;storage;azurefiles;testvault2"
	properties := object{
		"protectedItemType": "AzureFileShareProtectedItem", "friendlyName": "testshare", "containerName": container,
		"sourceResourceId": strings.ToLower(demoAccount), "policyId": demoVault + "/backupPolicies/schedule1",
		"protectionState": "Protected", "backupManagementType": "AzureStorage", "workloadType": "AzureFileShare",
	}
	for k, v := range changes {
		properties[k] = v
	}
	return object{
		"id":   demoVault + "/backupFabrics/Azure/protectionContainers/" + container + "/protectedItems/AzureFileShare;testshare",
		"name": "AzureFileShare;testshare", "properties": properties,
	}
}

// requireError checks a step's error.
func requireError(t *testing.T, err error, code string, class operation.Class) {
	t.Helper()
	e := errorOf(t, err)
	require.Equal(t, code, e.Code, e.Message)
	require.Equal(t, class, e.Class)
}

// errorOf returns a step's error as the operation keeps it.
func errorOf(t *testing.T, err error) operation.Error {
	t.Helper()
	var e *operation.Error
	require.ErrorAs(t, err, &e)
	return *e
}

// summary returns an outcome in one line.
func summary(out operation.Outcome) string {
	s := fmt.Sprintf("%s %s: %s", out.Kind, out.Next, out.Note)
	return strings.TrimSpace(s)
}
