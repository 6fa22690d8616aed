package handlers_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	wire "azbackupflow/internal/api"
	"azbackupflow/internal/rejected"
	"azbackupflow/internal/step"
)

// bad is an input that is wrong, and a field that each answer must name.
type bad struct{ body, field string }

// badRequests returns wrong requests by name. They are sent over HTTP and over the
// queue.
func badRequests() map[string]bad {
	item := demoVault + "/backupFabrics/Azure/protectionContainers/c/protectedItems/i"
	all := map[string]bad{
		"nothing":                   {``, "request"},
		"white space":               {" \n", "request"},
		"text":                      {`backup`, "request"},
		"half an object":            {`{"flow":"backup-now"`, "request"},
		"a comma too many":          {`{"flow":"backup-now",}`, "request"},
		"single quotes":             {`{'flow':'backup-now'}`, "request"},
		"a comment":                 {`{"flow":"backup-now" /* now */}`, "request"},
		"two objects":               {`{}{}`, "request"},
		"a list":                    {`[]`, "request"},
		"a number":                  {`7`, "request"},
		"an empty object":           {`{}`, "flow"},
		"null":                      {`null`, "flow"},
		"too deep":                  {strings.Repeat(`{"a":`, 40) + "1" + strings.Repeat("}", 40), "request"},
		"flow in another case":      {`{"Flow":"backup-now","parameters":{}}`, "Flow"},
		"flow twice":                {`{"flow":"backup-now","flow":"track-job","parameters":{}}`, "flow"},
		"flow misspelt":             {`{"flwo":"backup-now","parameters":{}}`, "flwo"},
		"flow unknown":              {`{"flow":"backup-nwo","parameters":{}}`, "flow"},
		"flow a number":             {`{"flow":7,"parameters":{}}`, "flow"},
		"flow empty":                {`{"flow":"","parameters":{}}`, "flow"},
		"flow null":                 {`{"flow":null,"parameters":{}}`, "flow"},
		"parameters missing":        {`{"flow":"backup-now"}`, "parameters"},
		"parameters null":           {`{"flow":"backup-now","parameters":null}`, "parameters"},
		"parameters a list":         {`{"flow":"backup-now","parameters":[]}`, "parameters"},
		"parameters a text":         {`{"flow":"backup-now","parameters":"x"}`, "parameters"},
		"parameters empty":          {`{"flow":"backup-now","parameters":{}}`, "parameters.itemId"},
		"a repeated parameter":      {`{"flow":"backup-now","parameters":{"itemId":"a","itemId":"b"}}`, "parameters.itemId"},
		"a parameter of a target":   {`{"flow":"backup-now","parameters":{"fileShare":{"vault":"x"}}}`, "parameters.fileShare.vault"},
		"a job's name":              {`{"flow":"track-job","parameters":{"jobId":"eeda2c9e"}}`, "parameters.jobId"},
		"a job as a number":         {`{"flow":"track-job","parameters":{"jobId":1}}`, "parameters.jobId"},
		"an unknown field":          {`{"flow":"backup-now","parameters":{},"priority":1}`, "priority"},
		"a template without a list": {`{"template":{"flow":"backup-now","parameters":{}}}`, "targets"},
		"targets without template":  {`{"targets":[{}]}`, "template.flow"},
		"a bulk with no target":     {`{"template":{"flow":"backup-now","parameters":{}},"targets":[]}`, "targets"},
		"a bulk with a wrong flow":  {`{"template":{"flow":"x","parameters":{}},"targets":[{}]}`, "flow"},
		"a bulk with a key inside":  {`{"template":{"flow":"backup-now","parameters":{},"key":"k"},"targets":[{}]}`, "template.key"},
		"a bulk with a dry run":     {`{"dryRun":true,"template":{"flow":"backup-now","parameters":{}},"targets":[{}]}`, "dryRun"},
	}
	request := func(name, field, member string, value any) {
		r := object{"flow": "backup-now", "key": "bad", "parameters": object{"itemId": item}}
		r[member] = value
		raw, _ := json.Marshal(r) // it holds only plain values
		all[name] = bad{string(raw), field}
	}
	for name, value := range map[string]any{
		"a number": 7, "too long": strings.Repeat("k", 201), "with a line break": "a\nb", "reserved": "schedule:x", "reserved for rules": "protect:x", "an object": object{},
	} {
		request("a key that is "+name, "key", "key", value)
	}
	for name, value := range map[string]any{
		"a word": "tomorrow", "a number": 60, "in capitals": "6H", "a fraction": "1,5h", "negative": "-PT1H", "too short": "PT1S", "too long": "P31D", "empty units": "PT", "an object": object{},
	} {
		request("a deadline that is "+name, "deadline", "deadline", value)
	}
	for name, c := range map[string]struct {
		value any
		field string
	}{
		"a list": {[]int{1}, "labels"}, "a text": {"a=b", "labels"}, "of numbers": {object{"a": 1}, "labels.a"}, "with a wrong name": {object{"a b": "c"}, "labels"},
		"with an empty value": {object{"a": ""}, "labels.a"}, "with a long value": {object{"a": strings.Repeat("v", 129)}, "labels.a"},
		"too many": {func() object {
			many := object{}
			for i := range 11 {
				many[fmt.Sprint("l", i)] = "v"
			}
			return many
		}(), "labels"},
	} {
		request("labels that are "+name, c.field, "labels", c.value)
	}
	for name, value := range map[string]any{"a number": 7, "too long": strings.Repeat("r", 501), "with a line break": "a\nb"} {
		request("a reason that is "+name, "reason", "reason", value)
	}
	request("a dry run that is a text", "dryRun", "dryRun", "yes")
	for name, value := range map[string]string{
		"a name": "vm1", "of a vault": demoVault, "with a query": item + "?x=1", "a URL": "https://management.azure.com" + item, "with dots": demoVault + "/../x", "empty": "",
	} {
		request("an item that is "+name, "parameters.itemId", "parameters", object{"itemId": value})
	}
	for name, value := range map[string]any{"a text": "x", "a list": []int{}, "a number": 7} {
		request("a file share that is "+name, "parameters.fileShare", "parameters", object{"fileShare": value})
	}
	for _, field := range []string{"vaultId", "storageAccountId", "name"} {
		for name, value := range map[string]any{"missing": nil, "a number": 7, "wrong": "../x", "an object": object{}} {
			share := object{"vaultId": demoVault, "storageAccountId": demoAccount, "name": "testshare"}
			share[field] = value
			request("a file share whose "+field+" is "+name, "parameters.fileShare."+field, "parameters", object{"fileShare": share})
		}
	}
	return all
}

// libraryText matches phrases of Go and of libraries, and names of Go's types.
var libraryText = regexp.MustCompile(`json: |\*?\b(step|request|flow|engine)\.[A-Z]|(?i:strconv|unmarshal|invalid character|looking for beginning|cannot parse|parsing (time|")|interface \{\}|map\[string|goroutine|runtime error|%!|unexpected EOF|nil pointer|\[\]byte|float64|int64)`)

// requireExplained asserts that the answer names the field, what is wrong and what
// would be right, in plain words.
func requireExplained(t *testing.T, fields []step.FieldError, want, whole string) {
	t.Helper()
	var named []string
	for _, f := range fields {
		named = append(named, f.Field)
		require.NotEmpty(t, f.Problem)
		require.NotEmpty(t, f.Want, "%s: %s", f.Field, f.Problem)
	}
	require.Contains(t, named, want)
	require.NotRegexp(t, libraryText, whole)
}

func TestBadInputs_AreExplained(t *testing.T) {
	t.Parallel()
	all := badRequests()
	r := newRig(t)
	count := 0
	for _, name := range slices.Sorted(maps.Keys(all)) {
		c := all[name]
		path := "/operations"
		if strings.Contains(c.body, `"t`+`argets"`) || strings.Contains(c.body, `"template"`) {
			path = "/operations:bulk"
		}
		req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/api"+path, strings.NewReader(c.body))
		recorder := httptest.NewRecorder()
		r.api.ServeHTTP(recorder, req)
		require.Equal(t, http.StatusBadRequest, recorder.Code, "%s over HTTP: %s", name, recorder.Body)
		var p wire.Problem
		require.NoError(t, json.Unmarshal(recorder.Body.Bytes(), &p))
		var fields []step.FieldError
		for _, f := range p.Fields {
			fields = append(fields, step.FieldError(f))
		}
		t.Log("HTTP: " + name)
		requireExplained(t, fields, c.field, recorder.Body.String())

		t.Log("queue: " + name)
		message := fmt.Sprint("bad-", count)
		r.receive(r.message(message, []byte(c.body), nil))
		page, err := r.store.ListRejected(t.Context(), rejected.Query{PageSize: 500})
		require.NoError(t, err)
		i := slices.IndexFunc(page.Requests, func(one rejected.Request) bool { return one.MessageID == message })
		require.GreaterOrEqual(t, i, 0, "not rejected")
		requireExplained(t, page.Requests[i].Fields, c.field, page.Requests[i].Reason)
		count++
	}
	require.Greater(t, 2*count, 150, "over HTTP and over the queue")
	require.Zero(t, r.store.creations)
}

func TestBadInputs_QueriesAreExplained(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for query, field := range map[string]string{
		"status=Done": "status", "flow=nope": "flow", "label=x": "label", "label=%3Dx": "label", "since=yesterday": "since", "until=2026-13-01": "until", "pageSize=0": "pageSize",
		"pageSize=501": "pageSize", "pageSize=ten": "pageSize", "pageSize=1.5": "pageSize", "pageSize=99999999999999999999": "pageSize", "continue=x": "continue", "colour=red": "colour",
		"errors=yes": "errors", "sort=size": "sort", "flow=a&flow=b": "flow", "Status=Failed": "Status", "since=": "since",
		"label=team=100%": "query", "item=/a/StorageContainer;Storage;rg;sa": "query", "status=Failed&flow=%zz": "query",
	} {
		var p wire.Problem
		res := r.call(r.api, http.MethodGet, "/operations?"+query, nil, &p)
		require.Equal(t, http.StatusBadRequest, res.StatusCode, query)
		var fields []step.FieldError
		for _, f := range p.Fields {
			fields = append(fields, step.FieldError(f))
		}
		t.Log(query)
		requireExplained(t, fields, field, string(res.Body))
	}
}

// A reason that would be lost changes nothing.
func TestBadInputs_ACommandWithAWrongQueryIsRejected(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var op wire.Started
	r.call(r.api, http.MethodPost, "/operations", backupRequest("k", "testshare"), &op)
	var p wire.Problem
	res := r.call(r.api, http.MethodDelete, "/operations/"+op.ID+"?reason=a;b", nil, &p)
	require.Equal(t, http.StatusBadRequest, res.StatusCode)
	require.Equal(t, []wire.FieldError{{Field: "query", Problem: "cannot be parsed", Want: "a query in which % and ; in values are written as %25 and %3B"}}, p.Fields)
	row, err := r.store.Load(t.Context(), op.ID)
	require.NoError(t, err)
	require.False(t, row.Operation.CancelRequested)
}
