package statetest

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/rejected"
	"azbackupflow/internal/step"
)

func rejectedTests() []test {
	return []test{
		{"a request is listed as it was saved", rejectedIsListed},
		{"the newest request comes first", newestRejectedFirst},
		{"a list starts at its since time", rejectedSince},
		{"saving a request twice stores it once", sameRejectedOnce},
		{"an invalid ID is an error", invalidRejectedID},
		{"a list cuts long bodies between characters", longBody},
		{"unusual text survives", oddRejected},
		{"a request is loaded whole", rejectedWhole},
		{"a missing request is not found", rejectedMissing},
		{"a request is deleted", rejectedDeleted},
		{"old requests are purged in portions", rejectedPurged},
	}
}

func newRejected(i int) rejected.Request {
	at := start().Add(time.Duration(i) * time.Minute)
	return rejected.Request{
		ID: rejected.NewID(at, rejected.Requests, "m", nil), At: at,
		Source: rejected.Requests, MessageID: "m", Key: "k", Flow: "backup-now", Reason: "invalid",
		Fields: []step.FieldError{{Field: "parameters.vaultId", Problem: "missing", Want: "an ARM id"}},
		Body:   `{"flow":"backup-now"}`,
	}
}

func listRejected(t *testing.T, s Store, q rejected.Query) []rejected.Request {
	t.Helper()
	var all []rejected.Request
	for pages := 0; ; pages++ {
		require.Less(t, pages, 1000, "the pages must end")
		page, err := s.ListRejected(t.Context(), q)
		require.NoError(t, err)
		require.LessOrEqual(t, len(page.Requests), q.Size())
		all = append(all, page.Requests...)
		if page.Continue == "" {
			return all
		}
		q.Continue = page.Continue
	}
}

func rejectedIsListed(t *testing.T, s Store) {
	require.Empty(t, listRejected(t, s, rejected.Query{}))
	require.NoError(t, s.SaveRejected(t.Context(), newRejected(1)))
	require.Equal(t, []rejected.Request{newRejected(1)}, listRejected(t, s, rejected.Query{}))
}

func newestRejectedFirst(t *testing.T, s Store) {
	for _, i := range []int{2, 0, 4, 1, 3} {
		require.NoError(t, s.SaveRejected(t.Context(), newRejected(i)))
	}
	want := []rejected.Request{newRejected(4), newRejected(3), newRejected(2), newRejected(1), newRejected(0)}
	require.Equal(t, want, listRejected(t, s, rejected.Query{}))
	require.Equal(t, want, listRejected(t, s, rejected.Query{PageSize: 2}))
}

func rejectedSince(t *testing.T, s Store) {
	for i := range 4 {
		require.NoError(t, s.SaveRejected(t.Context(), newRejected(i)))
	}
	require.Equal(t, []rejected.Request{newRejected(3), newRejected(2)},
		listRejected(t, s, rejected.Query{Since: newRejected(2).At, PageSize: 1}))
}

func sameRejectedOnce(t *testing.T, s Store) {
	for range 2 {
		require.NoError(t, s.SaveRejected(t.Context(), newRejected(1)))
	}
	require.Len(t, listRejected(t, s, rejected.Query{}), 1)
}

func invalidRejectedID(t *testing.T, s Store) {
	for _, id := range append(odd(), "", "' or PartitionKey ne '", newRejected(1).ID[20:]) {
		r := newRejected(1)
		r.ID = id
		require.Error(t, s.SaveRejected(t.Context(), r), id)
		_, err := s.LoadRejected(t.Context(), id)
		require.ErrorIs(t, err, rejected.ErrNotFound, id)
		require.NoError(t, s.DeleteRejected(t.Context(), id), id)
	}
	require.Empty(t, listRejected(t, s, rejected.Query{}))
}

func longBody(t *testing.T, s Store) {
	r := newRejected(1)
	r.Body = "x" + strings.Repeat("ü", 10_000)
	require.NoError(t, s.SaveRejected(t.Context(), r))
	kept := listRejected(t, s, rejected.Query{})[0].Body
	require.True(t, strings.HasPrefix(r.Body, kept))
	require.True(t, utf8.ValidString(kept))
	require.InDelta(t, 8<<10, len(kept), 4)
}

func oddRejected(t *testing.T, s Store) {
	for i, text := range odd() {
		r := newRejected(i)
		r.ID = rejected.NewID(r.At, r.Source, text, []byte(text))
		r.MessageID, r.Key, r.Flow, r.Reason, r.Body = text, text, text, text, text
		require.NoError(t, s.SaveRejected(t.Context(), r))
	}
	all := listRejected(t, s, rejected.Query{})
	require.Len(t, all, len(odd()))
	for i, text := range odd() {
		require.Equal(t, text, all[len(all)-1-i].Body)
		require.Equal(t, text, all[len(all)-1-i].MessageID)
	}
}

func rejectedWhole(t *testing.T, s Store) {
	for i, body := range []string{"", "short", strings.Repeat("é", 20<<10), strings.Repeat("x", 200<<10)} {
		id := rejected.NewID(start(), rejected.Requests, fmt.Sprint(i), nil)
		r := rejected.Request{ID: id, At: start(), Source: rejected.Requests, Reason: "r", Body: body, ReplyTo: "answers"}
		require.NoError(t, s.SaveRejected(t.Context(), r))
		read, err := s.LoadRejected(t.Context(), r.ID)
		require.NoError(t, err)
		require.Equal(t, r, read)

		r.ReplayedAt, r.ReplayedAs = start().Add(time.Hour), "m"
		require.NoError(t, s.SaveRejected(t.Context(), r))
		read, err = s.LoadRejected(t.Context(), r.ID)
		require.NoError(t, err)
		require.Equal(t, r, read)
	}
	page, err := s.ListRejected(t.Context(), rejected.Query{})
	require.NoError(t, err)
	require.Len(t, page.Requests, 4)
	for _, r := range page.Requests {
		require.LessOrEqual(t, len(r.Body), 8<<10, "lists stay short")
	}
}

func rejectedMissing(t *testing.T, s Store) {
	for _, id := range []string{"", "x", "../x", "a'b", newRejected(1).ID} {
		_, err := s.LoadRejected(t.Context(), id)
		require.ErrorIs(t, err, rejected.ErrNotFound, id)
	}
}

func rejectedDeleted(t *testing.T, s Store) {
	r := newRejected(1)
	require.NoError(t, s.SaveRejected(t.Context(), r))
	for range 2 {
		require.NoError(t, s.DeleteRejected(t.Context(), r.ID))
	}
	_, err := s.LoadRejected(t.Context(), r.ID)
	require.ErrorIs(t, err, rejected.ErrNotFound)
}

func rejectedPurged(t *testing.T, s Store) {
	for i := range 5 {
		require.NoError(t, s.SaveRejected(t.Context(), newRejected(60*i)))
	}
	n, more, err := s.PurgeRejected(t.Context(), start().Add(210*time.Minute), 3)
	require.NoError(t, err)
	require.Equal(t, 3, n)
	require.True(t, more)
	n, more, err = s.PurgeRejected(t.Context(), start().Add(210*time.Minute), 3)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.False(t, more)
}
