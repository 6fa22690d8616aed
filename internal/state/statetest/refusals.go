package statetest

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/state"
	"azbackupflow/internal/step"
)

func refusalTests() []test {
	return []test{
		{"RefusalIsListedAsItWas", refusalIsListed},
		{"NewestRefusalComesFirst", newestRefusalFirst},
		{"RefusalsAreBoundedBySince", refusalsSince},
		{"SameRefusalIsRecordedOnce", sameRefusalOnce},
		{"LongBodyIsShortened", longBody},
		{"OddRefusalsSurvive", oddRefusals},
	}
}

func newRefusal(i int) state.Refusal {
	return state.Refusal{
		ID: fmt.Sprintf("r%d", i), At: start().Add(time.Duration(i) * time.Minute),
		Source: "requests", MessageID: "m", Key: "k", Flow: "backup-now", Reason: "invalid",
		Fields: []step.FieldError{{Field: "parameters.vaultId", Problem: "missing", Want: "an ARM id"}},
		Body:   `{"flow":"backup-now"}`,
	}
}

func refusals(t *testing.T, s Store, q state.RefusalQuery) []state.Refusal {
	t.Helper()
	var all []state.Refusal
	for pages := 0; ; pages++ {
		require.Less(t, pages, 1000, "the pages must come to an end")
		page, err := s.Refusals(t.Context(), q)
		require.NoError(t, err)
		require.LessOrEqual(t, len(page.Refusals), q.Size())
		all = append(all, page.Refusals...)
		if page.Continue == "" {
			return all
		}
		q.Continue = page.Continue
	}
}

func refusalIsListed(t *testing.T, s Store) {
	require.Empty(t, refusals(t, s, state.RefusalQuery{}))
	require.NoError(t, s.RecordRefusal(t.Context(), newRefusal(1)))
	require.Equal(t, []state.Refusal{newRefusal(1)}, refusals(t, s, state.RefusalQuery{}))
}

func newestRefusalFirst(t *testing.T, s Store) {
	for _, i := range []int{2, 0, 4, 1, 3} {
		require.NoError(t, s.RecordRefusal(t.Context(), newRefusal(i)))
	}
	want := []state.Refusal{newRefusal(4), newRefusal(3), newRefusal(2), newRefusal(1), newRefusal(0)}
	require.Equal(t, want, refusals(t, s, state.RefusalQuery{}))
	require.Equal(t, want, refusals(t, s, state.RefusalQuery{PageSize: 2}))
}

func refusalsSince(t *testing.T, s Store) {
	for i := range 4 {
		require.NoError(t, s.RecordRefusal(t.Context(), newRefusal(i)))
	}
	require.Equal(t, []state.Refusal{newRefusal(3), newRefusal(2)},
		refusals(t, s, state.RefusalQuery{Since: newRefusal(2).At, PageSize: 1}))
}

func sameRefusalOnce(t *testing.T, s Store) {
	for range 2 {
		require.NoError(t, s.RecordRefusal(t.Context(), newRefusal(1)))
	}
	require.Len(t, refusals(t, s, state.RefusalQuery{}), 1)
}

func longBody(t *testing.T, s Store) {
	r := newRefusal(1)
	r.Body = "x" + strings.Repeat("ü", 10_000)
	require.NoError(t, s.RecordRefusal(t.Context(), r))
	kept := refusals(t, s, state.RefusalQuery{})[0].Body
	require.True(t, strings.HasPrefix(r.Body, kept))
	require.True(t, utf8.ValidString(kept))
	require.InDelta(t, 8<<10, len(kept), 4)
}

func oddRefusals(t *testing.T, s Store) {
	for i, text := range odd() {
		r := newRefusal(i)
		r.ID, r.Key, r.Flow, r.Reason, r.Body = text, text, text, text, text
		require.NoError(t, s.RecordRefusal(t.Context(), r))
	}
	all := refusals(t, s, state.RefusalQuery{})
	require.Len(t, all, len(odd()))
	for i, text := range odd() {
		require.Equal(t, text, all[len(all)-1-i].Body)
	}
}
