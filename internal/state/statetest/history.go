package statetest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/operation"
	"azbackupflow/internal/state"
)

func historyTests() []test {
	return []test{
		{"every save adds its event", everySaveAddsEvent},
		{"events with the same seq are sorted by time", eventsOfOneSeq},
		{"seq 10 comes after seq 9", seqTen},
		{"an event keeps its exchanges", eventKeepsExchanges},
		{"an unknown operation has no history", unknownHistory},
		{"histories of similar IDs stay distinct", historiesStayDistinct},
		{"iteration may stop early", historyStopsEarly},
		{"a too large event is an error that names the field", tooLargeEvent},
	}
}

func everySaveAddsEvent(t *testing.T, s Store) {
	op := newOperation(1)
	row := create(t, s, op)
	want := []operation.Event{eventOf(op, "created")}
	for range 3 {
		row = save(t, s, row, func(op *operation.Operation) {
			op.LastError = &operation.Error{Code: "X", Message: "line\nline", RetryAfter: time.Minute}
		})
		want = append(want, eventOf(row.Operation, "saved"))
	}
	require.Equal(t, want, collect(t, s.History(t.Context(), op.ID)))
}

func eventsOfOneSeq(t *testing.T, s Store) {
	row := create(t, s, newOperation(1))
	var want []string
	for i := range 4 {
		row.Operation.WriteID = fmt.Sprintf("%d", 9-i) // decreases while the time increases
		row.Operation.UpdatedAt = start().Add(time.Hour + time.Duration(i))
		etag, err := s.Save(t.Context(), row, eventOf(row.Operation, fmt.Sprintf("save %d", i)))
		require.NoError(t, err)
		row.ETag = etag
		want = append(want, fmt.Sprintf("save %d", i))
	}
	var got []string
	for _, ev := range collect(t, s.History(t.Context(), "op0001")) {
		got = append(got, ev.What)
	}
	require.Equal(t, append([]string{"created"}, want...), got)
}

func seqTen(t *testing.T, s Store) {
	row := create(t, s, newOperation(1))
	for range 11 {
		row = save(t, s, row, func(*operation.Operation) {})
	}
	for i, ev := range collect(t, s.History(t.Context(), "op0001")) {
		require.EqualValues(t, i, ev.Seq)
	}
}

func eventKeepsExchanges(t *testing.T, s Store) {
	row := create(t, s, newOperation(1))
	row.Operation.Seq, row.Operation.WriteID = 1, "w/1"
	ev := eventOf(row.Operation, "called <Azure> & waited")
	ev.Exchanges = []operation.Exchange{
		{Method: "POST", Path: "/subscriptions/x", Status: 202, CorrelationID: "c", RequestID: "r"},
		{Method: "GET", Path: strings.Repeat("/long", 20_000), Failure: "connection reset"},
	}
	_, err := s.Save(t.Context(), row, ev)
	require.NoError(t, err)
	require.Equal(t, ev, collect(t, s.History(t.Context(), "op0001"))[1])
}

func unknownHistory(t *testing.T, s Store) {
	require.Empty(t, collect(t, s.History(t.Context(), "unknown")))
}

func historiesStayDistinct(t *testing.T, s Store) {
	for i, id := range []string{"a", "a-", "a.", "ab", "A"} {
		op := newOperation(i)
		op.ID = id
		create(t, s, op)
	}
	require.Len(t, collect(t, s.History(t.Context(), "a")), 1)
}

func historyStopsEarly(t *testing.T, s Store) {
	row := create(t, s, newOperation(1))
	save(t, s, row, func(*operation.Operation) {})
	for ev, err := range s.History(t.Context(), "op0001") {
		require.NoError(t, err)
		require.Equal(t, "created", ev.What)
		break
	}
}

func tooLargeEvent(t *testing.T, s Store) {
	row := create(t, s, newOperation(1))
	ev := eventOf(row.Operation, "saved")
	ev.Exchanges = []operation.Exchange{{Path: strings.Repeat("x", 1<<20)}}
	_, err := s.Save(t.Context(), row, ev)
	var tooLarge *state.TooLarge
	require.ErrorAs(t, err, &tooLarge)
	require.Equal(t, "exchanges", tooLarge.Field)
}
