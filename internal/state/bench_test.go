package state

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/operation"
)

// rowOfRealisticSize is an operation that polls, with signed URLs as long as
// recorded ones, and the event of its save.
func rowOfRealisticSize() (operation.Operation, operation.Event) {
	at := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	url := "https://management.azure.com/subscriptions/00000000-0000-0000-0000-000000000000/operations/x?t=" + strings.Repeat("c0ffee", 480)
	op := operation.Operation{
		Identity: operation.Identity{
			ID: "op0001", Key: "nightly", Flow: "backup-now", Version: 1, Parameters: []byte(`{"vaultId":"/subscriptions/x","item":"share"}`),
			RequestHash: strings.Repeat("a", 64), Labels: map[string]string{"team": "a"}, CreatedAt: at,
		},
		Progress:   operation.Progress{Status: operation.Running, Step: "await", Seq: 7, WriteID: "w7", DueAt: at, Deadline: at.Add(time.Hour), UpdatedAt: at, StepStartedAt: at},
		AzureState: operation.AzureState{Learned: map[string]string{"container": "c", "item": "i"}, Tracking: &operation.Tracking{StatusURL: url, ResultURL: url, SubmittedAt: at}},
	}
	return op, operation.Event{Seq: 7, At: at, Step: "await", Status: operation.Running, What: "waiting for the job", WriteID: "w7"}
}

// encodeSave returns the body of the transaction that saves a row with its event.
func encodeSave(tb testing.TB, op operation.Operation, ev operation.Event) []byte {
	tb.Helper()
	record, err := Encode(op)
	require.NoError(tb, err)
	event, err := EncodeEvent(ev)
	require.NoError(tb, err)
	row, err := operationEntity(op, "marker", record)
	require.NoError(tb, err)
	line, err := eventEntity(op.ID, ev, event)
	require.NoError(tb, err)
	b := batch{changes: []change{
		{method: http.MethodPut, partition: op.ID, row: operationRow, entity: row, etag: "etag"}, {method: http.MethodPost, entity: line},
	}}
	return b.encode("https://account.table.core.windows.net/operations", "boundary")
}

func BenchmarkEncodeSave(b *testing.B) {
	op, ev := rowOfRealisticSize()
	b.ReportAllocs()
	for b.Loop() {
		encodeSave(b, op, ev)
	}
}

func decodeRow(tb testing.TB, text []byte) operation.Operation {
	tb.Helper()
	record, _, err := operationOf(text)
	require.NoError(tb, err)
	op, err := Decode(record)
	require.NoError(tb, err)
	return op
}

func BenchmarkDecodeRow(b *testing.B) {
	op, _ := rowOfRealisticSize()
	text := storedRow(b, op)
	b.ReportAllocs()
	for b.Loop() {
		decodeRow(b, text)
	}
}

func storedRow(tb testing.TB, op operation.Operation) []byte {
	tb.Helper()
	record, err := Encode(op)
	require.NoError(tb, err)
	text, err := operationEntity(op, "marker", record)
	require.NoError(tb, err)
	return text
}

func BenchmarkReadAnswer(b *testing.B) {
	text := []byte(answerOf(accepted, accepted))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := readParts(multipartMixed, text); err != nil {
			b.Fatal(err)
		}
	}
}

// The paths of every step allocate no more than this. The limits are the measured
// numbers, those with the race detector, and a few more; raise one only with a reason.
func TestRows_EncodeAndDecodeWithFewAllocations(t *testing.T) { //nolint:paralleltest // AllocsPerRun counts what all goroutines allocate.
	op, ev := rowOfRealisticSize()
	text, answer := storedRow(t, op), []byte(answerOf(accepted, accepted))
	for name, c := range map[string]struct {
		limit float64
		run   func()
	}{
		"a save is encoded":        {maxEncodeAllocations, func() { encodeSave(t, op, ev) }},
		"a row is decoded":         {maxDecodeAllocations, func() { decodeRow(t, text) }},
		"a transaction's answer":   {maxAnswerAllocations, func() { _, _ = readParts(multipartMixed, answer) }},
		"a poll's body is encoded": {3, func() { (&batch{changes: []change{{method: http.MethodPost, entity: text}}}).encode("t", "b") }},
	} {
		require.LessOrEqual(t, testing.AllocsPerRun(100, c.run), c.limit, fmt.Sprint(name))
	}
}

const (
	maxEncodeAllocations = 98
	maxDecodeAllocations = 36
	maxAnswerAllocations = 14
)
