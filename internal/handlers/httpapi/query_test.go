package httpapi

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

func query(t *testing.T, text string, filters ...string) (operation.Query, []step.FieldError) {
	t.Helper()
	q, err := parseQuery(time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC), httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/api/operations?"+text, nil), filters...)
	if err == nil {
		return q, nil
	}
	var invalid *step.Invalid
	require.ErrorAs(t, err, &invalid)
	return q, invalid.Fields
}

func TestParseQuery_ReadsAllFilters(t *testing.T) {
	t.Parallel()
	all := []string{"status", "flow", "label", "since", "until", "pageSize", "continue"}
	q, wrong := query(t, "status=failed,Parked&status=Running&flow=backup-now&label=team=files&since=2026-11-20T00:00:00Z&until=2026-11-21T01:00:00%2B01:00&pageSize=500&continue=c&code=key", all...)
	require.Empty(t, wrong)
	require.True(t, q.Until.Equal(time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)))
	q.Until = time.Time{}
	require.Equal(t, operation.Query{
		Status: []operation.Status{operation.Failed, operation.Parked, operation.Running},
		Flow:   "backup-now", Labels: []operation.Label{{Key: "team", Value: "files"}},
		Since: time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC), PageSize: 500, Continue: "c",
	}, q)
}

func TestParseQuery_ReadsAges(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Time{
		"36h":        time.Date(2026, 11, 19, 15, 0, 0, 0, time.UTC),
		"P7D":        time.Date(2026, 11, 14, 3, 0, 0, 0, time.UTC),
		"2026-11-20": time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC),
	} {
		q, wrong := query(t, "since="+text+"&until="+text, "since", "until")
		require.Empty(t, wrong)
		require.Equal(t, want, q.Since, text)
		require.Equal(t, want, q.Until, text)
	}
}

func TestParseQuery_ReadsSeveralLabelsAndRejectsOtherRepetitions(t *testing.T) {
	t.Parallel()
	q, wrong := query(t, "label=a=b&label=c=d=e&schedule=nightly&bulk=b/1&sort=-duration&errors=true", "label", "schedule", "bulk", "sort", "errors")
	require.Empty(t, wrong)
	require.Equal(t, operation.Query{
		Labels: []operation.Label{{Key: "a", Value: "b"}, {Key: "c", Value: "d=e"}, {Key: "schedule", Value: "nightly"}}, Bulk: "b/1",
	}, q)
	for text, problem := range map[string]string{
		"flow=a&flow=b": "is given 2 times", "label==x": `"=x" is not a label`, "label=x": `"x" is not a label`,
		"sort=size": `"size" is not an order`, "errors=yes": `"yes" is neither true nor false`,
	} {
		_, wrong := query(t, text, "label", "flow", "sort", "errors")
		require.Len(t, wrong, 1, text)
		require.Equal(t, problem, wrong[0].Problem)
		require.NotEmpty(t, wrong[0].Want)
	}
}

func TestParseQuery_NamesEveryWrongFilterInOrder(t *testing.T) {
	t.Parallel()
	for range 20 {
		_, wrong := query(t, "until=x&since=yesterday&pageSize=501&pagesize=3&status=Done", "status", "since", "pageSize")
		require.Equal(t, []step.FieldError{
			{Field: "pageSize", Problem: `"501" is not a page size`, Want: "1 to 500"},
			{Field: "pagesize", Problem: "is not a filter", Want: "one of status, since, pageSize"},
			{Field: "since", Problem: `"yesterday" is not a time`, Want: "a time such as 2026-11-21T03:00:00Z, a date, or an age such as 36h or 7d"},
			{Field: "status", Problem: `"Done" is not a status`, Want: "one of Pending, Running, Parked, Succeeded, SucceededWithWarnings, Failed, Canceled, TimedOut"},
			{Field: "until", Problem: "is not a filter", Want: "one of status, since, pageSize"},
		}, wrong)
	}
}

func TestParseQuery_RejectsARepeatedFilter(t *testing.T) {
	t.Parallel()
	all := []string{"status", "label", "outcome", "pageSize"}
	_, wrong := query(t, "label=a=b&label=c=d&outcome=none&outcome=protect&pageSize=5&pageSize=6&status=Failed&status=Parked", all...)
	require.Equal(t, []step.FieldError{
		{Field: "outcome", Problem: "is given 2 times", Want: "one value"},
		{Field: "pageSize", Problem: "is given 2 times", Want: "one value"},
	}, wrong)
}

// A script with an unset variable must not select everything.
func TestParseQuery_RejectsAnEmptyFilter(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"bulk", "drill", "errors", "flow", "id", "item", "key", "label", "outcome", "overdue", "pageSize", "paused", "result", "rule", "schedule", "since", "sort", "status", "until", "vault",
	} {
		_, wrong := query(t, name+"=", name)
		require.Equal(t, []step.FieldError{{Field: name, Problem: "is empty", Want: "a value, or no " + name}}, wrong)
	}
	for _, name := range []string{"continue", "reason"} {
		_, wrong := query(t, name+"=", name)
		require.Empty(t, wrong, name)
	}
}
