package statetest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/operation"
)

func listTests() []test {
	return []test{
		{"an empty store lists nothing", emptyList},
		{"the newest operation comes first", newestFirst},
		{"operations with the same creation time are all listed", oneInstant},
		{"tracking URLs are not listed", noTrackingURLs},
		{"list by status", byStatus},
		{"an ended operation is listed by status once finalized", endedOnceFinalized},
		{"the status is that of the row", statusOfTheRow},
		{"list by flow", byFlow},
		{"list by label", byLabel},
		{"unusual labels and flows stay distinct", oddLabels},
		{"long labels stay distinct", longLabels},
		{"since is inclusive and until exclusive", sinceUntil},
		{"time limits may be far away", farBounds},
		{"all filters apply together", allFilters},
	}
}

// listed returns the IDs of all pages. It checks that no page is longer than
// requested.
func listed(t *testing.T, s Store, q operation.Query) []string {
	t.Helper()
	var ids []string
	for pages := 0; ; pages++ {
		require.Less(t, pages, 1000, "the pages must end")
		page, err := s.List(t.Context(), q)
		require.NoError(t, err)
		require.LessOrEqual(t, len(page.Operations), q.Size())
		for _, op := range page.Operations {
			ids = append(ids, op.ID)
		}
		if page.Continue == "" {
			return ids
		}
		q.Continue = page.Continue
	}
}

func emptyList(t *testing.T, s Store) {
	for _, q := range []operation.Query{
		{},
		{Flow: "x"},
		{Labels: []operation.Label{{Key: "a", Value: "b"}}},
		{Status: operation.Statuses()},
		{Status: []operation.Status{operation.Running}},
		{Status: []operation.Status{operation.Failed}},
		{Since: start(), Until: start()},
	} {
		require.Empty(t, listed(t, s, q))
	}
}

func newestFirst(t *testing.T, s Store) {
	for _, i := range []int{2, 0, 3, 1} {
		create(t, s, newOperation(i))
	}
	require.Equal(t, []string{"op0003", "op0002", "op0001", "op0000"}, listed(t, s, operation.Query{}))
	require.Equal(t, []string{"op0003", "op0002", "op0001", "op0000"},
		listed(t, s, operation.Query{Status: []operation.Status{operation.Pending}}))
}

func oneInstant(t *testing.T, s Store) {
	for i := range 7 {
		op := newOperation(i)
		op.CreatedAt = start()
		create(t, s, op)
	}
	for _, q := range []operation.Query{{}, {Status: []operation.Status{operation.Pending}}, {Since: start(), Until: start().Add(1)}} {
		q.PageSize = 2
		require.ElementsMatch(t, []string{"op0000", "op0001", "op0002", "op0003", "op0004", "op0005", "op0006"}, listed(t, s, q))
	}
}

func noTrackingURLs(t *testing.T, s Store) {
	op := newOperation(1)
	op.Tracking = &operation.Tracking{StatusURL: "https://secret", ResultURL: "https://secret", JobID: "job", SubmittedAt: start()}
	row := create(t, s, op)
	page, err := s.List(t.Context(), operation.Query{})
	require.NoError(t, err)
	require.Equal(t, &operation.Tracking{JobID: "job", SubmittedAt: start()}, page.Operations[0].Tracking)
	require.Equal(t, row, load(t, s, op.ID), "the row keeps them")
}

func byStatus(t *testing.T, s Store) {
	for i, status := range operation.Statuses() {
		row := create(t, s, newOperation(i))
		if status.Terminal() {
			end(t, s, row, status)
		} else {
			save(t, s, row, func(op *operation.Operation) { op.Status = status })
		}
	}
	for i, status := range operation.Statuses() {
		require.Equal(t, []string{newOperation(i).ID}, listed(t, s, operation.Query{Status: []operation.Status{status}}), status)
	}
	require.Equal(t, []string{"op0007", "op0005", "op0002", "op0001"}, listed(t, s, operation.Query{Status: []operation.Status{
		operation.Failed, operation.TimedOut, operation.Running, operation.Parked,
	}}))
	require.Equal(t, []string{"op0004", "op0003", "op0000"}, listed(t, s, operation.Query{Status: []operation.Status{
		operation.Pending, operation.Succeeded, operation.SucceededWithWarnings,
	}}))
	require.Len(t, listed(t, s, operation.Query{Status: operation.Statuses()}), len(operation.Statuses()))
	require.Len(t, listed(t, s, operation.Query{Status: []operation.Status{operation.Failed, operation.Failed}}), 1)
}

func endedOnceFinalized(t *testing.T, s Store) {
	row := save(t, s, create(t, s, newOperation(1)), ended(operation.Failed))
	require.Equal(t, []string{"op0001"}, listed(t, s, operation.Query{}))
	require.Empty(t, listed(t, s, operation.Query{Status: []operation.Status{operation.Pending, operation.Running}}))
	require.NoError(t, s.FinalizeByID(t.Context(), row.Operation.ID))
	require.Equal(t, []string{"op0001"}, listed(t, s, operation.Query{Status: []operation.Status{operation.Failed}}))
}

func statusOfTheRow(t *testing.T, s Store) {
	save(t, s, create(t, s, newOperation(1)), func(op *operation.Operation) { op.Status = operation.Running })
	require.Empty(t, listed(t, s, operation.Query{Status: []operation.Status{operation.Pending}}))
	page, err := s.List(t.Context(), operation.Query{Status: []operation.Status{operation.Running}})
	require.NoError(t, err)
	require.Equal(t, operation.Running, page.Operations[0].Status)
}

func byFlow(t *testing.T, s Store) {
	for i, flow := range []string{"backup-now", "backup", "protect-postgres", "backup-now"} {
		op := newOperation(i)
		op.Flow = flow
		create(t, s, op)
	}
	require.Equal(t, []string{"op0003", "op0000"}, listed(t, s, operation.Query{Flow: "backup-now"}))
	require.Equal(t, []string{"op0001"}, listed(t, s, operation.Query{Flow: "backup"}))
	require.Empty(t, listed(t, s, operation.Query{Flow: "none"}))
}

func byLabel(t *testing.T, s Store) {
	for i, labels := range []map[string]string{
		{"team": "a"}, {"team": "b"}, {"team": "a", "env": "prod"}, nil, {"a": "team"}, {"team": ""},
	} {
		op := newOperation(i)
		op.Labels = labels
		create(t, s, op)
	}
	require.Equal(t, []string{"op0002", "op0000"}, listed(t, s, operation.Query{Labels: []operation.Label{{Key: "team", Value: "a"}}}))
	require.Equal(t, []string{"op0002"}, listed(t, s, operation.Query{Labels: []operation.Label{{Key: "env", Value: "prod"}}}))
	require.Equal(t, []string{"op0005"}, listed(t, s, operation.Query{Labels: []operation.Label{{Key: "team"}}}))
	require.Empty(t, listed(t, s, operation.Query{Labels: []operation.Label{{Key: "team", Value: "c"}}}))
}

func oddLabels(t *testing.T, s Store) {
	for i, text := range odd() {
		op := newOperation(i)
		op.Flow, op.Labels = text, map[string]string{text: text}
		create(t, s, op)
	}
	for i, text := range odd() {
		want := []string{newOperation(i).ID}
		require.Equal(t, want, listed(t, s, operation.Query{Flow: text}), "%q", text)
		require.Equal(t, want, listed(t, s, operation.Query{Labels: []operation.Label{{Key: text, Value: text}}}), "%q", text)
	}
	op := newOperation(500)
	op.Labels = map[string]string{"a=b": "c"}
	create(t, s, op)
	require.Empty(t, listed(t, s, operation.Query{Labels: []operation.Label{{Key: "a", Value: "b=c"}}}))
}

func longLabels(t *testing.T, s Store) {
	long := func(end string) string {
		text := make([]byte, 3000)
		for i := range text {
			text[i] = '/'
		}
		return string(text) + end
	}
	for i, ending := range []string{"a", "b"} {
		op := newOperation(i)
		op.Labels = map[string]string{"k": long(ending), long(ending): "v"}
		create(t, s, op)
	}
	require.Equal(t, []string{"op0001"}, listed(t, s, operation.Query{Labels: []operation.Label{{Key: "k", Value: long("b")}}}))
	require.Equal(t, []string{"op0000"}, listed(t, s, operation.Query{Labels: []operation.Label{{Key: long("a"), Value: "v"}}}))
}

func sinceUntil(t *testing.T, s Store) {
	for i := range 4 {
		create(t, s, newOperation(i))
	}
	at := func(i int) time.Time { return newOperation(i).CreatedAt }
	for _, status := range [][]operation.Status{nil, {operation.Pending}} {
		require.Equal(t, []string{"op0002", "op0001"}, listed(t, s, operation.Query{Status: status, Since: at(1), Until: at(3)}))
		require.Equal(t, []string{"op0003", "op0002"}, listed(t, s, operation.Query{Status: status, Since: at(2)}))
		require.Equal(t, []string{"op0001", "op0000"}, listed(t, s, operation.Query{Status: status, Until: at(2)}))
		require.Equal(t, []string{"op0002"}, listed(t, s, operation.Query{Status: status, Since: at(2), Until: at(2).Add(1)}))
		require.Empty(t, listed(t, s, operation.Query{Status: status, Since: at(2).Add(1), Until: at(3)}))
		require.Equal(t, []string{"op0001"}, listed(t, s, operation.Query{
			Status: status, Since: at(1).In(time.FixedZone("x", 3600)), Until: at(2),
		}))
	}
}

func farBounds(t *testing.T, s Store) {
	create(t, s, newOperation(1))
	far := time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)
	long := time.Date(1, 1, 1, 0, 0, 0, 1, time.UTC)
	require.Len(t, listed(t, s, operation.Query{Since: long, Until: far}), 1)
	require.Empty(t, listed(t, s, operation.Query{Since: far}))
	require.Empty(t, listed(t, s, operation.Query{Until: long}))
}

func allFilters(t *testing.T, s Store) {
	for i := range 12 {
		op := newOperation(i)
		op.Flow = []string{"backup-now", "protect"}[i%2]
		op.Labels = map[string]string{"team": []string{"a", "b", "c"}[i%3]}
		row := create(t, s, op)
		if i >= 6 {
			end(t, s, row, operation.Failed)
		}
	}
	q := operation.Query{Flow: "backup-now", Labels: []operation.Label{{Key: "team", Value: "a"}}}
	require.Equal(t, []string{"op0006", "op0000"}, listed(t, s, q))
	q.Status = []operation.Status{operation.Failed}
	require.Equal(t, []string{"op0006"}, listed(t, s, q))
	q.Until = newOperation(6).CreatedAt
	require.Empty(t, listed(t, s, q))
	require.Equal(t, []string{"op0010", "op0008", "op0006"},
		listed(t, s, operation.Query{Flow: "backup-now", Status: []operation.Status{operation.Failed}}))
	require.Equal(t, []string{"op0005", "op0003", "op0001"},
		listed(t, s, operation.Query{Flow: "protect", Status: []operation.Status{operation.Pending}}))
}
