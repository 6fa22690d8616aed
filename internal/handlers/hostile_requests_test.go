package handlers_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/autoprotect"
	"azbackupflow/internal/handlers"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/rejected"
)

// hostileBodies returns bodies that no way in may accept.
func hostileBodies() map[string]string {
	nested := strings.Repeat("[", 50_000) + strings.Repeat("]", 50_000)
	objects := strings.Repeat(`{"a":`, 20_000) + "1" + strings.Repeat("}", 20_000)
	bodies := map[string]string{
		"nothing": "", "white space": " \n\t ", "null": "null", "true": "true", "a number": "7", "a text": `"text"`, "an empty list": "[]",
		"a list": "[1,2]", "an empty object": "{}", "half an object": `{"flow":`, "two objects": "{}{}", "a NUL": "\x00", "invalid UTF-8": "\xff\xfe{}",
		"100 KB of arrays": nested, "objects inside each other": objects, "open arrays": strings.Repeat("[", 100_000),
		"200 KB of one word": strings.Repeat("x", 200_000), "a long text": `"` + strings.Repeat("x", 200_000) + `"`,
		"escapes": `"` + strings.Repeat(`\u0000`, 30_000) + `"`, "a long number": strings.Repeat("9", 200_000), "a long exponent": "1e" + strings.Repeat("9", 100_000),
		"unknown fields": `{"flow":"backup-now","parameters":{},"admin":true}`, "a repeated unknown field": `{"` + strings.Repeat(`a":1,"`, 20_000) + `b":1}`,
		"names of metadata":   `{"flow":"backup-now","parameters":{},"messageId":"` + strings.Repeat("x", 200_000) + `"}`,
		"replaced properties": `{"flow":"nope","parameters":{},"applicationProperties":{"azbackupflow-enqueued":"9999-01-01T00:00:00Z"}}`,
	}
	request := func(name string, change func(object)) {
		r := backupRequest("hostile", "testshare")
		change(r)
		raw, _ := json.Marshal(r) // it holds only text and numbers
		bodies[name] = string(raw)
	}
	for name, v := range map[string]any{
		"missing": nil, "unknown": "nope", "a number": 7, "a list": []int{1}, "long": strings.Repeat("x", 100_000), "with a path": "../backup-now", "with a NUL": "backup-now\x00",
	} {
		request("a flow that is "+name, func(r object) { r["flow"] = v })
	}
	for name, v := range map[string]any{
		"a number": 7, "too long": strings.Repeat("k", 201), "very long": strings.Repeat("k", 150_000), "with a newline": "a\nb", "with a NUL": "a\x00b",
		"of a schedule": "schedule:daily:2026-03-02T02:30:request", "of a protection": "protect:1:rule:unknown", "of a drill": "drill:1", "in capitals": "SCHEDULE:x",
	} {
		request("a key "+name, func(r object) { r["key"] = v })
	}
	for name, v := range map[string]any{
		"missing": nil, "a list": []int{1}, "a text": "x", "a number": 7, "empty": object{}, "long": object{"x": strings.Repeat("x", 40<<10)}, "nested": json.RawMessage(nested),
	} {
		request("parameters that are "+name, func(r object) { r["parameters"] = v })
	}
	for name, v := range map[string]any{"empty": "P", "negative": "-PT1H", "huge": "P99999999999Y", "short": "PT1S", "a number": 7, "long": "PT" + strings.Repeat("1", 50_000) + "H"} {
		request("a deadline that is "+name, func(r object) { r["deadline"] = v })
	}
	many := object{}
	for i := range 2000 {
		many[fmt.Sprint("l", i)] = "v"
	}
	for name, v := range map[string]any{"too many": many, "with a bad name": object{"a b": "v"}, "with a long name": object{strings.Repeat("n", 50_000): "v"}, "with a long value": object{"n": strings.Repeat("v", 50_000)}, "with a NUL": object{"n": "\x00"}, "a list": []int{1}, "nested": object{"n": object{}}} {
		request("labels that are "+name, func(r object) { r["labels"] = v })
	}
	for name, v := range map[string]any{
		"with dots": demoVault + "/../../other", "percent-encoded": strings.ReplaceAll(demoVault, "/vaults/", "/vaults%2F"), "with a query": demoVault + "?x=1", "a URL": "https://evil.example" + demoVault,
		"with a newline": demoVault + "\n", "long": demoVault + strings.Repeat("x", 20_000), "empty": "", "a number": 7, "of another type": demoAccount, "signed": "https://a.blob.core.windows.net/c?sig=S3cr3t",
	} {
		request("a vault "+name, func(r object) { r["parameters"].(object)["fileShare"].(object)["vaultId"] = v }) //nolint:errcheck // built above
	}
	bulk := func(name string, template, targets any) {
		raw, _ := json.Marshal(object{"key": "hostile", "template": template, "targets": targets}) // as above
		bodies[name] = string(raw)
	}
	valid := object{"flow": "backup-now", "parameters": object{"fileShare": object{"vaultId": demoVault, "storageAccountId": demoAccount}}}
	bulk("a bulk without targets", valid, []int{})
	bulk("a bulk without a template", nil, []object{{}})
	bulk("a bulk whose targets are a text", valid, "x")
	bulk("a bulk of numbers", valid, slices.Repeat([]int{1}, 9000))
	bulk("a bulk with too many targets", valid, slices.Repeat([]object{{}}, 10_001))
	bulk("a bulk with a nested target", valid, []json.RawMessage{json.RawMessage(nested)})
	bulk("a bulk of a large template", object{"flow": "backup-now", "parameters": object{"x": strings.Repeat("x", 31<<10)}}, slices.Repeat([]object{{}}, 9000))
	bulk("a bulk whose targets are all wrong", valid, slices.Repeat([]object{{"nope": 1}}, 2000))
	bulk("a bulk of large wrong targets", object{"flow": "backup-now", "parameters": object{"x": strings.Repeat("x", 20_000)}}, slices.Repeat([]object{{"y": 1}}, 1600))
	return bodies
}

// hostile is one hostile request. send returns an error if it is neither answered
// nor recorded.
type hostile struct {
	name string
	// recorded is set if the request must appear among the rejected requests.
	recorded bool
	send     func(r *rig) error
}

// parser evaluates nothing: it rejects events that are not valid.
type parser struct{}

func (parser) HandleEvent(_ context.Context, raw []byte, _ string) error {
	_, err := autoprotect.ParseEvent(raw)
	return err
}

func hostileRequests() (all []hostile) {
	bodies := hostileBodies()
	for i, name := range slices.Sorted(maps.Keys(bodies)) {
		body := bodies[name]
		queue := func(way, body string) {
			all = append(all, hostile{way + ": " + name, true, func(r *rig) error {
				_, err := handlers.StartOperation(r.intake)(r.t.Context(), r.message(fmt.Sprint(way, i), []byte(body), nil))
				return err
			}})
		}
		queue("queue", body)
		queue("event on the queue", `{"specversion":"1.0","id":"`+fmt.Sprint(i)+`","source":"/s","type":"t","data":`+body+`}`)
		for _, path := range []string{"/operations", "/operations:bulk"} {
			all = append(all, hostile{"POST " + path + ": " + name, false, func(r *rig) error { return r.hostileCall("POST", path, body) }})
		}
		all = append(all, hostile{"Event Grid: " + name, true, func(r *rig) error {
			inv := r.message(fmt.Sprint("event", i), []byte(body), nil)
			inv.ID, inv.Data["event"] = fmt.Sprint("event", i), inv.Data["message"]
			_, err := handlers.ProtectNewResource(parser{}, r.rejecter)(r.t.Context(), inv)
			return err
		}})
	}
	for _, target := range []string{
		"GET /operations/" + strings.Repeat("x", 5000), "GET /operations/..%252F..", "GET /operations?status=nope", "GET /operations?pageSize=999999999999", "GET /operations?continue=%00",
		"GET /operations?continue=" + strings.Repeat("A", 50_000), "GET /operations?label=x", "GET /operations?since=never", "GET /operations?" + strings.Repeat("x=1&", 5000), "GET /rejected/../operations/x",
		"GET /rejected/" + strings.Repeat("9", 5000), "DELETE /rejected", "DELETE /rejected?until=x", "POST /rejected/x/replay", "DELETE /operations/%00", "POST /operations/x/retry", "GET /decisions?outcome=x", "GET /nope", "POST /operations/x/nope",
	} {
		method, path, _ := strings.Cut(target, " ")
		all = append(all, hostile{"call " + target[:min(len(target), 60)], false, func(r *rig) error { return r.hostileCall(method, path, "") }})
	}
	return all
}

// hostileCall returns an error unless the API answers with a problem of the
// caller.
func (r *rig) hostileCall(method, path, body string) error {
	req := httptest.NewRequestWithContext(r.t.Context(), method, "/api/x", strings.NewReader(body))
	before, query, _ := strings.Cut("/api"+path, "?")
	req.URL.Path, req.URL.RawQuery = before, query
	recorder := httptest.NewRecorder()
	r.api.ServeHTTP(recorder, req)
	if recorder.Code >= 300 && recorder.Code < 500 && recorder.Code != http.StatusTooManyRequests && recorder.Body.Len() < 64<<10 {
		return nil
	}
	return fmt.Errorf("answered with %d and %d bytes: %.200s", recorder.Code, recorder.Body.Len(), recorder.Body)
}

// canary starts the operation that nothing may change.
func (r *rig) canary() operation.Operation {
	r.t.Helper()
	request := backupRequest("canary", "testshare")
	request["labels"] = object{"bulk": "nightly"}
	raw, err := json.Marshal(request)
	require.NoError(r.t, err)
	r.receive(r.message("canary", raw, nil))
	return r.listed(10)[0]
}

// Each of at least 250 hostile requests is answered or recorded, and none changes
// what others see.
func TestHostileRequests_AreAnsweredOrRecordedAndChangeNothing(t *testing.T) {
	t.Parallel()
	all := hostileRequests()
	require.GreaterOrEqual(t, len(all), 250)
	r := newRig(t)
	canary := r.canary()
	steps := len(r.steps.Waiting())
	recorded := 0
	for _, h := range all {
		require.NoError(t, h.send(r), h.name)
		if h.recorded {
			recorded++
		}
		require.Empty(t, r.take("requests"), "%s: nothing is rescheduled", h.name)
		for _, m := range r.take("rejected") {
			require.LessOrEqual(t, len(m.body), 192<<10, h.name)
			require.LessOrEqual(t, len(m.id), 128, h.name)
			require.NotContains(t, string(m.body), "S3cr3t", h.name)
		}
	}
	var found []rejected.Request
	for q := (rejected.Query{PageSize: 500}); ; {
		page, err := r.store.ListRejected(t.Context(), q)
		require.NoError(t, err)
		found = append(found, page.Requests...)
		if q.Continue = page.Continue; q.Continue == "" {
			break
		}
	}
	require.Len(t, found, recorded, "each is recorded once")
	for _, one := range found {
		require.NotContains(t, fmt.Sprint(one), "S3cr3t")
		require.NotEmpty(t, one.Reason)
	}
	require.Equal(t, []operation.Operation{canary}, r.listed(10))
	page, err := r.store.List(t.Context(), operation.Query{})
	require.NoError(t, err)
	require.Len(t, page.Operations, 1)
	require.Len(t, r.steps.Waiting(), steps)
}

// maxHostileCPU limits the CPU time of one hostile request.
const maxHostileCPU = 100 * time.Millisecond

// BenchmarkHostileRequests fails if one hostile request takes more than 100 ms of
// CPU. It reports the longest.
func BenchmarkHostileRequests(b *testing.B) {
	r := newRig(b)
	var longest time.Duration
	slowest := ""
	for b.Loop() {
		for _, h := range hostileRequests() {
			took := time.Duration(1<<63 - 1)
			for range 3 { // the garbage collector's work for the set-up is not the request's
				began := cpuTime()
				err := h.send(r)
				took = min(took, cpuTime()-began)
				if err != nil {
					b.Fatal(h.name, err)
				}
			}
			if took > longest {
				longest, slowest = took, h.name
			}
			if took > maxHostileCPU {
				b.Errorf("%s took %v of CPU, at most %v", h.name, took, maxHostileCPU)
			}
		}
	}
	b.ReportMetric(float64(longest.Microseconds())/1000, "max-cpu-ms")
	b.Log("the slowest: ", slowest)
}

// cpuTime returns the CPU time of the process.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
