package statetest

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/operation"
	"azbackupflow/internal/rejected"
	"azbackupflow/internal/state"
)

func pageTests() []test {
	return []test{
		{"pages contain every operation once", pagesHoldEveryOperationOnce},
		{"the last page has no token", lastPage},
		{"newer operations do not change later pages", newerBetweenPages},
		{"the page size is limited", pageSizeIsLimited},
		{"an unknown continuation token is an error", unknownContinuation},
	}
}

func pagesHoldEveryOperationOnce(t *testing.T, s Store) {
	const operations, workers = 250, 8
	concurrently(workers, func(w int) {
		for i := w; i < operations; i += workers {
			op := newOperation(i)
			op.Labels = map[string]string{"half": fmt.Sprint(i % 2)}
			if i%5 == 0 {
				op.Status = operation.Failed
			}
			if _, _, err := s.Create(t.Context(), op, eventOf(op, "created")); err != nil {
				t.Error(err)
			}
			if i%5 == 0 {
				if err := s.FinalizeByID(t.Context(), op.ID); err != nil {
					t.Error(err)
				}
			}
		}
	})
	want := func(selected func(i int) bool) []string {
		var ids []string
		for i := range operations {
			if selected(i) {
				ids = append(ids, newOperation(i).ID)
			}
		}
		slices.Reverse(ids)
		return ids
	}
	failed, pending := []operation.Status{operation.Failed}, []operation.Status{operation.Pending}
	require.Equal(t, want(func(int) bool { return true }), listed(t, s, operation.Query{PageSize: 60}))
	require.Equal(t, want(func(i int) bool { return i%2 == 1 }),
		listed(t, s, operation.Query{PageSize: 50, Labels: []operation.Label{{Key: "half", Value: "1"}}}))
	require.Equal(t, want(func(i int) bool { return i%5 == 0 }), listed(t, s, operation.Query{PageSize: 20, Status: failed}))
	require.Equal(t, want(func(i int) bool { return i%5 != 0 }), listed(t, s, operation.Query{PageSize: 80, Status: pending}))
	require.Equal(t, want(func(i int) bool { return i%10 == 0 }),
		listed(t, s, operation.Query{PageSize: 7, Status: failed, Labels: []operation.Label{{Key: "half", Value: "0"}}}))
	require.Equal(t, want(func(int) bool { return true }),
		listed(t, s, operation.Query{PageSize: 90, Status: slices.Concat(failed, pending)}))
}

func lastPage(t *testing.T, s Store) {
	for i := range 4 {
		create(t, s, newOperation(i))
	}
	page, err := s.List(t.Context(), operation.Query{PageSize: 4})
	require.NoError(t, err)
	require.Len(t, page.Operations, 4)
	require.Empty(t, page.Continue)
	page, err = s.List(t.Context(), operation.Query{PageSize: 3})
	require.NoError(t, err)
	require.Len(t, page.Operations, 3)
	require.NotEmpty(t, page.Continue)
}

func newerBetweenPages(t *testing.T, s Store) {
	for i := range 4 {
		create(t, s, newOperation(i))
	}
	page, err := s.List(t.Context(), operation.Query{PageSize: 2})
	require.NoError(t, err)
	create(t, s, newOperation(9))
	require.Equal(t, []string{"op0001", "op0000"}, listed(t, s, operation.Query{PageSize: 2, Continue: page.Continue}))
}

func pageSizeIsLimited(t *testing.T, s Store) {
	create(t, s, newOperation(1))
	for _, size := range []int{-1, 0, 1_000_000} {
		page, err := s.List(t.Context(), operation.Query{PageSize: size})
		require.NoError(t, err)
		require.Len(t, page.Operations, 1)
	}
}

func unknownContinuation(t *testing.T, s Store) {
	create(t, s, newOperation(1))
	for _, text := range []string{"x", "!", "%", state.Position("abc").Continue(), state.Position("' or PartitionKey ne '").Continue()} {
		_, err := s.List(t.Context(), operation.Query{Continue: text})
		require.ErrorIs(t, err, operation.ErrContinue, text)
		_, err = s.ListRejected(t.Context(), rejected.Query{Continue: text})
		require.ErrorIs(t, err, operation.ErrContinue, text)
	}
}
