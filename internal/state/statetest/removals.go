package statetest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/operation"
	"azbackupflow/internal/rejected"
	"azbackupflow/internal/state"
)

func removalTests() []test {
	return []test{
		{"a removal is listed as it was saved", removalIsListed},
		{"removals are listed newest first, in pages", removalPages},
		{"a removal and a request with the same ID are two records", removalAndRequest},
		{"a purge keeps the records of removals", purgeKeepsRemovals},
		{"old removals are deleted in portions", removalsExpire},
	}
}

func newRemoval(i int) rejected.Removal {
	at := start().Add(time.Duration(i) * time.Minute)
	return rejected.Removal{
		ID: rejected.NewID(at, "removal", "m", nil), At: at, Request: newRejected(i).ID,
		By: operation.Cause{Actor: operation.Actor{Kind: operation.ActorKey, ID: "12345678"}, Reason: "it is a test"},
	}
}

func listRemovals(t *testing.T, s Store, q rejected.Query) (all []rejected.Removal) {
	t.Helper()
	for {
		page, err := s.ListRemovals(t.Context(), q)
		require.NoError(t, err)
		require.LessOrEqual(t, len(page.Removals), q.Size())
		require.Empty(t, page.Unreadable)
		all = append(all, page.Removals...)
		if page.Continue == "" {
			return all
		}
		require.NotEqual(t, q.Continue, page.Continue, "the pages must end")
		q.Continue = page.Continue
	}
}

func removalIsListed(t *testing.T, s Store) {
	require.Empty(t, listRemovals(t, s, rejected.Query{}))
	r := newRemoval(1)
	require.NoError(t, s.SaveRemoval(t.Context(), r))
	require.Equal(t, []rejected.Removal{r}, listRemovals(t, s, rejected.Query{}))
	r.Removed, r.Finished = 1, true
	require.NoError(t, s.SaveRemoval(t.Context(), r))
	require.Equal(t, []rejected.Removal{r}, listRemovals(t, s, rejected.Query{}), "the second save replaces the first")
	r.ID = "x"
	require.Error(t, s.SaveRemoval(t.Context(), r))
}

func removalPages(t *testing.T, s Store) {
	for _, i := range []int{2, 0, 3, 1} {
		require.NoError(t, s.SaveRemoval(t.Context(), newRemoval(i)))
	}
	want := []rejected.Removal{newRemoval(3), newRemoval(2), newRemoval(1), newRemoval(0)}
	for _, size := range []int{0, 1, 3, 4} {
		require.Equal(t, want, listRemovals(t, s, rejected.Query{PageSize: size}))
	}
	require.Equal(t, want[:2], listRemovals(t, s, rejected.Query{Since: newRemoval(2).At, PageSize: 1}))
	_, err := s.ListRemovals(t.Context(), rejected.Query{Continue: "x"})
	require.ErrorIs(t, err, operation.ErrContinue)
}

func removalAndRequest(t *testing.T, s Store) {
	request, removal := newRejected(1), newRemoval(1)
	removal.ID = request.ID
	require.NoError(t, s.SaveRejected(t.Context(), request))
	require.NoError(t, s.SaveRemoval(t.Context(), removal))
	require.NoError(t, s.DeleteRejected(t.Context(), request.ID))
	require.Empty(t, listRejected(t, s, rejected.Query{}))
	require.Equal(t, []rejected.Removal{removal}, listRemovals(t, s, rejected.Query{}))
}

func purgeKeepsRemovals(t *testing.T, s Store) {
	require.NoError(t, s.SaveRejected(t.Context(), newRejected(1)))
	require.NoError(t, s.SaveRemoval(t.Context(), newRemoval(1)))
	n, more, err := s.PurgeRejected(t.Context(), later(), 10)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.False(t, more)
	require.Len(t, listRemovals(t, s, rejected.Query{}), 1)
}

func removalsExpire(t *testing.T, s Store) {
	for i := range 4 {
		require.NoError(t, s.SaveRemoval(t.Context(), newRemoval(60*i)))
	}
	before := newRemoval(180).At
	require.Equal(t, state.Expired{Removals: 2, More: true}, expire(t, s, before, 2))
	require.Equal(t, state.Expired{Removals: 1}, expire(t, s, before, 2))
	require.Equal(t, []rejected.Removal{newRemoval(180)}, listRemovals(t, s, rejected.Query{}))
}
