package handlers_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	wire "azbackupflow/internal/api"
	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/ratelimit"
	"azbackupflow/internal/request"
)

func TestStart_SaysWhetherItStartedAnything(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var first, again wire.Started
	require.Equal(t, http.StatusAccepted, r.call(r.api, http.MethodPost, "/operations", backupRequest("k", "testshare"), &first).StatusCode)
	require.True(t, first.Created)
	res := r.call(r.api, http.MethodPost, "/operations", backupRequest("k", "testshare"), &again)
	require.Equal(t, http.StatusOK, res.StatusCode, "it has not ended")
	require.False(t, again.Created)
	require.Equal(t, first.Operation, again.Operation)
	require.Equal(t, "/api/operations/"+first.ID, res.Header.Get("Location"))
	require.NotEmpty(t, res.Header.Get("Retry-After"))
	r.work()
	require.Equal(t, http.StatusOK, r.call(r.api, http.MethodPost, "/operations", backupRequest("k", "testshare"), &again).StatusCode)
	require.False(t, again.Created)
	require.True(t, again.Status.Terminal())
}

func TestList_FiltersByEverythingThatAStartNames(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ids := map[string]string{}
	start := func(name string, request object) {
		t.Helper()
		var op wire.Started
		r.call(r.api, http.MethodPost, "/operations", request, &op)
		ids[name] = op.ID
		r.time.Advance(time.Second)
	}
	labeled := backupRequest("a", "testshare")
	labeled["labels"] = object{"team": "files", "env": "prod"}
	start("a", labeled)
	other := backupRequest("b", "othershare")
	other["labels"] = object{"team": "files"}
	start("b", other)
	start("c", deletion("a"))
	r.requestedRun(t, "nightly")
	for range 2 { // the first one sees a new schedule
		require.NoError(t, r.schedules.Tick(t.Context()))
	}
	var all wire.OperationPage
	r.call(r.api, http.MethodGet, "/operations?schedule=nightly", nil, &all)
	require.Len(t, all.Operations, 1)
	ids["d"] = all.Operations[0].ID
	require.Equal(t, &wire.Actor{Kind: "schedule", ID: "nightly"}, func() *wire.Actor {
		row, err := r.store.Load(t.Context(), ids["d"])
		require.NoError(t, err)
		require.Equal(t, "run-1", row.Operation.Labels["slot"])
		return &wire.Actor{Kind: "schedule", ID: row.Operation.Labels["schedule"]}
	}())
	row, err := r.store.Load(t.Context(), ids["b"])
	require.NoError(t, err)
	row.Operation.LastError = &operation.Error{Code: "Throttled", Class: operation.Throttled}
	row.Operation.WriteID = "w"
	_, err = r.store.Save(t.Context(), row, operation.Event{Seq: 1, WriteID: "w"})
	require.NoError(t, err)

	for query, want := range map[string]string{
		"":                                "dcba",
		"key=a":                           "ca",
		"key=a&flow=backup-now":           "a",
		"key=nothing":                     "",
		"key=a&label=team=files":          "a",
		"label=team=files":                "ba",
		"label=team=files&label=env=prod": "a",
		"item=testshare":                  "a",
		"item=OTHERSHARE":                 "b",
		"item=" + url.QueryEscape(demoAccount+"/fileServices/default/shares/testshare"): "a",
		"vault=azurefilesvault":               "dcba",
		"vault=" + url.QueryEscape(demoVault): "dcba",
		"vault=another":                       "",
		"id=" + ids["a"][:12]:                 "a",
		"id=" + strings.ToUpper(ids["a"]):     "a",
		"errors=true":                         "b",
		"errors=true&status=Succeeded":        "",
		"errors=false":                        "dcba",
		"schedule=nightly":                    "d",
		"sort=createdAt":                      "abcd",
		"sort=-createdAt&pageSize=2":          "dc",
		"sort=key&label=team=files":           "ab",
		"sort=-duration":                      "abcd",
		"key=a&sort=createdAt":                "ac",
		"key=a&sort=-flow":                    "ca",
	} {
		var page wire.OperationPage
		require.Equal(t, http.StatusOK, r.call(r.api, http.MethodGet, "/operations?"+query, nil, &page).StatusCode, query)
		got := ""
		for _, op := range page.Operations {
			for name, id := range ids {
				if id == op.ID {
					got += name
				}
			}
		}
		require.Equal(t, want, got, query)
	}
}

// A sorted list has one page. It is not cut unless the caller asks for it.
func TestList_SortedHasOnePage(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.receive(r.message("m", bulkOf(t, "nightly", shares(60)...), nil))
	r.drain()
	for query, want := range map[string]int{"": 50, "?sort=createdAt": 60, "?sort=key&pageSize=51": 51} {
		var page wire.OperationPage
		r.call(r.api, http.MethodGet, "/operations"+query, nil, &page)
		require.Len(t, page.Operations, want, query)
		require.Equal(t, query == "", page.Continue != "", query)
	}
	var first wire.OperationPage
	r.call(r.api, http.MethodGet, "/operations?pageSize=1", nil, &first)
	for _, query := range []string{"sort=createdAt", "key=a", "key=a&sort=flow"} {
		var p wire.Problem
		res := r.call(r.api, http.MethodGet, "/operations?"+query+"&continue="+url.QueryEscape(first.Continue), nil, &p)
		require.Equal(t, http.StatusBadRequest, res.StatusCode, query)
		require.Equal(t, []wire.FieldError{{Field: "continue", Problem: "is given with sort or key", Want: "no continue: such a list has one page"}}, p.Fields)
	}
}

// Paused and overdue operations are listed as the summary counts them, and from the
// live ones only.
func TestList_FindsPausedAndOverdueOperations(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ids := map[string]string{}
	for _, key := range []string{"paused", "late", "parked", "ended"} {
		var op wire.Started
		r.call(r.api, http.MethodPost, "/operations", backupRequest(key, key), &op)
		ids[op.ID] = key
		row, err := r.store.Load(t.Context(), op.ID)
		require.NoError(t, err)
		row.Operation.DueAt = r.time.Now()
		switch key {
		case "paused":
			row.Operation.Paused = true
		case "parked":
			row.Operation.Status = operation.Parked
		case "ended":
			row.Operation.Status, row.Operation.Paused = operation.Canceled, true
		}
		row.Operation.WriteID = key
		_, err = r.store.Save(t.Context(), row, operation.Event{Seq: 1, WriteID: key})
		require.NoError(t, err)
	}
	r.time.Advance(10*time.Minute + time.Second)
	for query, want := range map[string][]string{
		"paused=true": {"paused"}, "overdue=true": {"late"}, "paused=true&overdue=true": nil, "paused=true&status=Canceled": nil,
		"paused=true&status=Pending,Canceled": {"paused"}, "overdue=false&paused=false": {"ended", "parked", "late", "paused"},
	} {
		var page wire.OperationPage
		require.Equal(t, http.StatusOK, r.call(r.api, http.MethodGet, "/operations?"+query, nil, &page).StatusCode, query)
		var got []string
		for _, op := range page.Operations {
			got = append(got, ids[op.ID])
		}
		require.ElementsMatch(t, want, got, query)
	}
	var s wire.Summary
	r.call(r.api, http.MethodGet, "/summary", nil, &s)
	require.Equal(t, [3]int{1, 1, 1}, [3]int{s.Paused, s.Overdue, s.Parked})
	var p wire.Problem
	require.Equal(t, http.StatusBadRequest, r.call(r.api, http.MethodGet, "/operations?paused=1", nil, &p).StatusCode)
	require.Equal(t, "paused", p.Fields[0].Field)
}

func TestList_RejectsUnknownFlow(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var p wire.Problem
	require.Equal(t, http.StatusBadRequest, r.call(r.api, http.MethodGet, "/operations?flow=backup-nwo", nil, &p).StatusCode)
	require.Equal(t, "flow", p.Fields[0].Field)
	require.Contains(t, p.Fields[0].Want, "backup-now")
}

func TestList_LinksToTheNextPageWithoutTheKey(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, key := range []string{"a", "b", "c"} {
		r.call(r.api, http.MethodPost, "/operations", backupRequest(key, "testshare"), nil)
		r.time.Advance(time.Second)
	}
	var page wire.OperationPage
	res := r.call(r.api, http.MethodGet, "/operations?pageSize=2&flow=backup-now&code=secret", nil, &page)
	link := res.Header.Get("Link")
	require.Equal(t, `</api/operations?continue=`+page.Continue+`&flow=backup-now&pageSize=2>; rel="next"`, link)
	target, _, _ := strings.Cut(strings.TrimPrefix(link, "</api"), ">")
	res = r.call(r.api, http.MethodGet, target, nil, &page)
	require.Len(t, page.Operations, 1)
	require.Empty(t, res.Header.Get("Link"))
}

// startedOperation starts an operation, and returns its path and its ETag.
func (r *rig) startedOperation() (path, etag string) {
	r.t.Helper()
	var op wire.Started
	r.call(r.api, http.MethodPost, "/operations", backupRequest("k", "testshare"), &op)
	path = "/operations/" + op.ID
	return path, r.call(r.api, http.MethodGet, path, nil, nil).Header.Get("ETag")
}

// A proxy that compresses responses makes their ETags weak, and a cache may send several.
func TestGet_ComparesETagsWeakly(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	path, etag := r.startedOperation()
	for known, want := range map[string]int{
		etag: http.StatusNotModified, "W/" + etag: http.StatusNotModified, `"other", W/` + etag: http.StatusNotModified, etag + `,"other"`: http.StatusNotModified,
		"*": http.StatusNotModified, "": http.StatusOK, `"other"`: http.StatusOK, `W/"other", "another"`: http.StatusOK, strings.Trim(etag, `"`): http.StatusOK,
	} {
		res := r.call(r.api, http.MethodGet, path, nil, nil, "If-None-Match", known)
		require.Equal(t, want, res.StatusCode, known)
		require.Equal(t, etag, res.Header.Get("ETag"))
	}
	began := r.time.Now()
	r.call(r.api, http.MethodGet, path, nil, nil, "If-None-Match", "W/"+etag, "Prefer", "wait=20")
	require.Equal(t, 20*time.Second, r.time.Now().Sub(began))
}

func TestGet_WaitsForAChange(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	path, etag := r.startedOperation()

	began := r.time.Now()
	res := r.call(r.api, http.MethodGet, path, nil, nil, "If-None-Match", etag, "Prefer", "respond-async, wait=20")
	require.Equal(t, http.StatusNotModified, res.StatusCode)
	require.Equal(t, "wait=20", res.Header.Get("Preference-Applied"))
	require.Equal(t, 20*time.Second, r.time.Now().Sub(began))

	r.slept = func() {
		if r.time.Now().Sub(began) > 25*time.Second {
			r.slept = nil
			_, err := r.engine.Pause(t.Context(), strings.TrimPrefix(path, "/operations/"), operation.Cause{})
			require.NoError(t, err)
		}
	}
	var changed wire.Operation
	res = r.call(r.api, http.MethodGet, path, nil, &changed, "If-None-Match", etag, "Prefer", "wait=3600")
	require.Equal(t, http.StatusOK, res.StatusCode)
	require.Equal(t, "wait=30", res.Header.Get("Preference-Applied"))
	require.True(t, changed.Paused)
	require.Less(t, r.time.Now().Sub(began), 30*time.Second)

	began = r.time.Now()
	for _, headers := range [][]string{{"Prefer", "wait=20"}, {"If-None-Match", `"other"`, "Prefer", "wait=20"}, {"If-None-Match", res.Header.Get("ETag"), "Prefer", "wait=soon"}} {
		r.call(r.api, http.MethodGet, path, nil, nil, headers...)
	}
	require.Equal(t, began, r.time.Now(), "nothing to wait for")
}

func TestOpenAPI_IsServedWithoutReferencesToFiles(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var doc struct {
		OpenAPI string         `json:"openapi"`
		Paths   map[string]any `json:"paths"`
	}
	res := r.call(r.api, http.MethodGet, "/openapi.json", nil, &doc)
	require.Equal(t, "3.1.0", doc.OpenAPI)
	require.Len(t, doc.Paths, len(document(t).Paths.Map()))
	require.NotContains(t, string(res.Body), "schema.json\"")
}

func TestRoutes_NameTheirMethods(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for target, allow := range map[string]string{
		"/operations": "GET, HEAD, OPTIONS, POST", "/operations/x": "DELETE, GET, HEAD, OPTIONS", "/operations/x/pause": "OPTIONS, POST",
		"/operations:bulk": "OPTIONS, POST", "/summary": "GET, HEAD, OPTIONS", "/bulks/a%252Fb": "GET, HEAD, OPTIONS",
	} {
		for _, method := range []string{http.MethodPut, http.MethodPatch} {
			var p wire.Problem
			res := r.call(r.api, method, target, nil, &p)
			require.Equal(t, http.StatusMethodNotAllowed, res.StatusCode, target)
			require.Equal(t, "method-not-allowed", problem(p))
			require.Equal(t, allow, res.Header.Get("Allow"))
			require.Contains(t, p.Detail, allow)
		}
		res := r.call(r.api, http.MethodOptions, target, nil, nil)
		require.Equal(t, http.StatusNoContent, res.StatusCode)
		require.Equal(t, allow, res.Header.Get("Allow"))
	}
	require.Equal(t, http.StatusNotFound, r.call(r.api, http.MethodPut, "/nowhere", nil, nil).StatusCode)
	require.Equal(t, http.StatusOK, r.call(r.api, http.MethodHead, "/flows", nil, nil).StatusCode)
	// The Functions host answers methods that function.json does not name with 404.
	var function struct {
		Bindings []struct{ Methods []string } `json:"bindings"`
	}
	require.NoError(t, json.Unmarshal([]byte(file(t, "../../functions/api/function.json")), &function))
	require.ElementsMatch(t, []string{"get", "head", "options", "post", "put", "patch", "delete"}, function.Bindings[0].Methods)
}

func TestBulk_HasAStatus(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	share, other := backupRequest("", "testshare")["parameters"], backupRequest("", "othershare")["parameters"]
	bulk := object{
		"key": "night/1", "reason": "before the upgrade", "template": object{"flow": "backup-now", "parameters": object{}}, "targets": []any{share, other, object{}},
	}
	var result wire.BulkResult
	res := r.call(r.api, http.MethodPost, "/operations:bulk", bulk, &result, "X-Functions-Key", "secret")
	require.Equal(t, "/api/bulks/night%2F1", res.Header.Get("Location"))
	require.Len(t, result.Accepted, 2)
	var status wire.BulkStatus
	res = r.call(r.api, http.MethodGet, "/bulks/night%252F1", nil, &status)
	require.NotEmpty(t, res.Header.Get("Retry-After"))
	require.Equal(t, "backup-now", status.Flow)
	require.Equal(t, 2, status.Targets)
	require.Equal(t, 2, status.Waiting)
	require.False(t, status.Done)
	require.Equal(t, "before the upgrade", status.Reason)
	require.Equal(t, &wire.Actor{Kind: "functionKey", ID: "2bb80d53"}, status.StartedBy, "the beginning of the key's SHA-256")

	r.drain()
	r.call(r.api, http.MethodGet, "/bulks/night%2F1", nil, &status)
	require.Zero(t, status.Waiting)
	require.Equal(t, 2, status.Status[wire.Pending])
	require.False(t, status.Done)
	var page wire.OperationPage
	r.call(r.api, http.MethodGet, "/operations?bulk="+url.QueryEscape("night/1"), nil, &page)
	require.Len(t, page.Operations, 2)
	for _, op := range page.Operations {
		require.Equal(t, "night/1", op.Bulk)
		require.Equal(t, status.StartedBy, op.StartedBy, "the queue carries who sent the bulk")
		require.Equal(t, "before the upgrade", op.Reason)
	}

	r.work() // neither share is protected
	res = r.call(r.api, http.MethodGet, "/bulks/night%2F1", nil, &status)
	require.Empty(t, res.Header.Get("Retry-After"))
	require.True(t, status.Done)
	require.Equal(t, 2, status.Status[wire.Failed])
	require.Len(t, status.Problems, 2)
	require.NotNil(t, status.Problems[0].Error)

	require.Equal(t, http.StatusNotFound, r.call(r.api, http.MethodGet, "/bulks/nobody", nil, nil).StatusCode)
}

func TestBulk_CountsTargetsThatTheQueueRejects(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	share := backupRequest("", "testshare")["parameters"]
	raw, err := json.Marshal(object{"key": "q", "template": object{"flow": "backup-now", "parameters": object{}}, "targets": []any{object{}, share, share, object{"x": 1}}})
	require.NoError(t, err)
	r.receive(r.message("m", raw, nil))
	r.drain()
	var status wire.BulkStatus
	r.call(r.api, http.MethodGet, "/bulks/q", nil, &status)
	require.Equal(t, 3, status.Targets, "equal targets are one")
	require.Equal(t, 2, status.Rejected)
	require.Zero(t, status.Waiting)
	require.Equal(t, 1, status.Status[wire.Pending])
	require.Equal(t, &wire.Actor{Kind: "queue", ID: "requests"}, status.StartedBy)
}

// A target that was rejected may start later. It is then no longer a rejected one, and
// the bulk still waits for the other target.
func TestBulk_CountsARejectedTargetThatStartsOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	share, other := backupRequest("", "testshare")["parameters"], backupRequest("", "othershare")["parameters"]
	raw, err := json.Marshal(object{"key": "q", "template": object{"flow": "backup-now", "parameters": object{}}, "targets": []any{share, other}})
	require.NoError(t, err)
	b, err := request.ReadBulk(raw)
	require.NoError(t, err)
	require.NoError(t, r.bulks.Record(t.Context(), b, operation.Cause{}, b.Keys(), b.Keys()[:1]))
	var status wire.BulkStatus
	r.call(r.api, http.MethodGet, "/bulks/q", nil, &status)
	require.Equal(t, []int{2, 1, 1}, []int{status.Targets, status.Rejected, status.Waiting})

	parameters, err := json.Marshal(share)
	require.NoError(t, err)
	op, _, err := r.engine.Start(t.Context(), request.Request{Flow: "backup-now", Key: b.Keys()[0], Parameters: parameters}, engine.Origin{Bulk: "q"})
	require.NoError(t, err)
	_, err = r.engine.Cancel(t.Context(), op.ID, operation.Cause{})
	require.NoError(t, err)
	r.work()
	r.call(r.api, http.MethodGet, "/bulks/q", nil, &status)
	require.Equal(t, []int{2, 0, 1, 1}, []int{status.Targets, status.Rejected, status.Waiting, status.Status[wire.Canceled]})
	require.False(t, status.Done)
}

func TestSummary_CountsByStatusAndFlow(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.call(r.api, http.MethodPost, "/operations", backupRequest("old", "noshare"), nil)
	r.work()
	r.time.Advance(25 * time.Hour)
	r.call(r.api, http.MethodPost, "/operations", backupRequest("failed", "noshare"), nil)
	r.work()
	var op wire.Started
	r.call(r.api, http.MethodPost, "/operations", backupRequest("paused", "testshare"), &op)
	r.call(r.api, http.MethodPost, "/operations/"+op.ID+"/pause", nil, nil)
	r.call(r.api, http.MethodPost, "/operations", deletion("overdue"), nil)
	var s wire.Summary
	r.call(r.api, http.MethodGet, "/summary", nil, &s)
	require.Equal(t, []int{2, 1, 1, 0}, []int{s.Status[wire.Pending], s.Status[wire.Failed], s.Paused, s.Overdue})
	require.Len(t, s.Status, len(wire.Statuses()))
	require.Equal(t, []wire.FlowSummary{
		{Flow: "backup-now", Status: map[wire.Status]int{wire.Pending: 1, wire.Failed: 1}},
		{Flow: "delete-protection", Status: map[wire.Status]int{wire.Pending: 1}},
	}, s.Flows)
	r.time.Advance(11 * time.Minute)
	r.call(r.api, http.MethodGet, "/summary?since=2026-01-01T00:00:00Z", nil, &s)
	require.Equal(t, []int{2, 1}, []int{s.Status[wire.Failed], s.Overdue})
}

func TestSchedules_ShowRunPauseAndResume(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var list wire.ScheduleList
	r.call(r.api, http.MethodGet, "/schedules", nil, &list)
	require.Len(t, list.Schedules, 3)
	nightly, off := list.Schedules[0], list.Schedules[2]
	require.Equal(t, []string{"nightly", "0 2 * * *", "Europe/Berlin", "backup-now"}, []string{nightly.Name, nightly.Cron, nightly.TimeZone, nightly.Flow})
	require.Equal(t, wire.ScheduledRun{Slot: "2026-03-02T02:00", At: time.Date(2026, 3, 2, 1, 0, 0, 0, time.UTC)}, nightly.Next[0])
	require.Len(t, nightly.Next, 10)
	require.Equal(t, wire.ScheduledRun{Slot: "2026-03-11T02:00", At: time.Date(2026, 3, 11, 1, 0, 0, 0, time.UTC)}, nightly.Next[9])
	require.Nil(t, nightly.Last)
	require.Empty(t, off.Next)

	var run wire.RequestedRun
	require.Equal(t, http.StatusAccepted, r.call(r.api, http.MethodPost, "/schedules/nightly/run?reason=test", nil, &run, "Idempotency-Key", "a").StatusCode)
	require.Equal(t, "run-a", run.Slot)
	r.call(r.api, http.MethodPost, "/schedules/nightly/run", nil, &run, "Idempotency-Key", "a")
	var page wire.OperationPage
	r.call(r.api, http.MethodGet, "/operations?schedule=nightly&label=slot=run-a", nil, &page)
	require.Len(t, page.Operations, 1, "the same id is the same run")
	require.Equal(t, "test", page.Operations[0].Reason)
	require.Equal(t, "anonymous", page.Operations[0].StartedBy.Kind)
	require.Equal(t, http.StatusBadRequest, r.call(r.api, http.MethodPost, "/schedules/nightly/run", nil, nil, "Idempotency-Key", "a b").StatusCode)
	require.Equal(t, http.StatusAccepted, r.call(r.api, http.MethodPost, "/schedules/off/run", nil, &run).StatusCode, "a disabled schedule runs on request")

	var s wire.Schedule
	r.call(r.api, http.MethodPost, "/schedules/nightly/pause?reason=holiday", nil, &s)
	require.True(t, s.Paused)
	require.Equal(t, "holiday", s.PauseReason)
	require.Equal(t, "run-a", s.LastRequested)
	r.time.Advance(48 * time.Hour)
	require.NoError(t, r.schedules.Tick(t.Context()))
	r.call(r.api, http.MethodGet, "/operations?schedule=nightly", nil, &page)
	require.Len(t, page.Operations, 1, "a paused schedule starts nothing")
	r.call(r.api, http.MethodPost, "/schedules/nightly/resume", nil, &s)
	require.False(t, s.Paused)
	require.Equal(t, 2, s.Skipped)
	r.time.Advance(24 * time.Hour)
	require.NoError(t, r.schedules.Tick(t.Context()))
	r.call(r.api, http.MethodGet, "/operations?schedule=nightly", nil, &page)
	require.Len(t, page.Operations, 2)
	require.Equal(t, &wire.Actor{Kind: "schedule", ID: "nightly"}, page.Operations[0].StartedBy)
	r.call(r.api, http.MethodGet, "/schedules", nil, &list)
	require.Equal(t, &wire.ScheduledRun{Slot: "2026-03-04T02:00", At: time.Date(2026, 3, 4, 1, 0, 0, 0, time.UTC)}, list.Schedules[0].Last)
}

func TestLimits_ShowWhoWaits(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var op wire.Started
	r.call(r.api, http.MethodPost, "/operations", backupRequest("k", "testshare"), &op)
	row, err := r.store.Load(t.Context(), op.ID)
	require.NoError(t, err)
	row.Operation.Reservation, row.Operation.DueAt, row.Operation.WriteID = "quota v a", r.clock().Add(time.Hour), "w"
	_, err = r.store.Save(t.Context(), row, operation.Event{Seq: 1, WriteID: "w"})
	require.NoError(t, err)
	r.known = []ratelimit.Known{
		{Key: "bucket", Name: "read limit", Subscription: "s", Provider: "p"},
		{Key: "quota v a", Quota: true, Name: "backupJobs read quota", Subscription: "s", Scope: "v", Action: "a", Limit: 150, Remaining: 0, Window: time.Hour},
	}
	var list wire.LimitList
	r.call(r.api, http.MethodGet, "/limits", nil, &list)
	require.Equal(t, []wire.Limit{
		{Kind: "bucket", Name: "read limit", Subscription: "s", Provider: "p", Waiting: []wire.LimitWaiter{}},
		{
			Kind: "quota", Name: "backupJobs read quota", Subscription: "s", Scope: "v", Action: "a", Limit: 150, Used: 150, WindowSeconds: 3600,
			WaitingCount: 1, Waiting: []wire.LimitWaiter{{Operation: op.ID, Flow: "backup-now", Until: row.Operation.DueAt}},
		},
	}, list.Limits)
}

func TestHistory_NamesTheStepThatRanAndWhoDidWhat(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	request := backupRequest("k", "testshare")
	request["reason"] = "nightly test"
	var op wire.Started
	r.call(r.api, http.MethodPost, "/operations", request, &op)
	require.Equal(t, "nightly test", op.Reason)
	path := "/operations/" + op.ID
	r.call(r.api, http.MethodPost, path+"/pause?reason=wait", nil, nil, "X-Functions-Key", "secret")
	r.call(r.api, http.MethodPost, path+"/resume", nil, nil)
	r.work()
	var history wire.History
	r.call(r.api, http.MethodGet, path+"/history", nil, &history)
	require.Equal(t, "nightly test", history.Events[0].Reason)
	require.Equal(t, "anonymous", history.Events[0].Actor.Kind)
	require.Equal(t, "accepted", history.Events[0].What)
	paused := history.Events[1]
	require.Equal(t, "paused by functionKey 2bb80d53: wait", paused.What)
	require.Equal(t, &wire.Actor{Kind: "functionKey", ID: "2bb80d53"}, paused.Actor)
	require.Equal(t, "wait", paused.Reason)
	ran := history.Events[3]
	require.Equal(t, "find-item", ran.Step, "the step that ran")
	require.NotEmpty(t, ran.Exchanges)
	require.Nil(t, ran.Actor)
	require.Equal(t, http.StatusConflict, r.call(r.api, http.MethodPost, path+"/pause", nil, nil).StatusCode, "it has ended")
}

func TestAccess_RecordsIDsAndNoNames(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	api := r.newAPI(true)
	const user, app = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
	claim := func(kind, value string) object { return object{"typ": kind, "val": value} }
	role, name := claim("roles", "Operations.Start"), claim("name", "Somebody")
	mail := claim("http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress", "somebody@example.com")
	for i, c := range []struct {
		claims []object
		want   wire.Actor
	}{
		{[]object{role, name, mail, claim("http://schemas.microsoft.com/identity/claims/objectidentifier", user)}, wire.Actor{Kind: "user", ID: user}},
		{[]object{role, name, claim("oid", user), claim("azp", app), claim("http://schemas.microsoft.com/identity/claims/scope", "x")}, wire.Actor{Kind: "user", ID: user}},
		{[]object{role, claim("oid", user), claim("azp", app)}, wire.Actor{Kind: "app", ID: app}},
		{[]object{role, claim("oid", user), claim("appid", app), claim("idtyp", "app")}, wire.Actor{Kind: "app", ID: app}},
		{[]object{role, name, mail, claim("oid", "somebody@example.com")}, wire.Actor{Kind: "user"}},
	} {
		var op wire.Started
		request := backupRequest(string(rune('a'+i)), "testshare")
		r.call(api, http.MethodPost, "/operations", request, &op, principalHeader, principal(object{"auth_typ": "aad", "role_typ": "roles", "claims": c.claims}))
		require.Equal(t, &c.want, op.StartedBy)
		row, err := r.store.Load(t.Context(), op.ID)
		require.NoError(t, err)
		raw, err := json.Marshal(row.Operation)
		require.NoError(t, err)
		require.NotContains(t, strings.ToLower(string(raw)), "somebody")
	}
}
