package statetest

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/state"
)

func scheduleTests() []test {
	return []test{
		{"ScheduleIsReadAsItWasSaved", scheduleIsRead},
		{"ScheduleSavedByAnotherIsNotOverwritten", scheduleIsGuarded},
		{"NewScheduleIsSavedOnce", newScheduleOnce},
	}
}

func verdictTests() []test {
	return []test{
		{"LastVerdictIsRead", lastVerdict},
		{"VerdictsAreListedByResource", verdictsByResource},
		{"VerdictsOfAnOutcomeOrARuleAreListed", verdictsChosen},
		{"VerdictsGoOnOnlyAfterTheirOwnPages", verdictsContinue},
		{"ExclusionIsFoundWhateverItsCasing", excluded},
	}
}

func oneSchedule(name string) state.Schedule {
	return state.Schedule{
		Name: name, Timing: "30 2 * * * Europe/Berlin", Handled: start(), LastSlot: "2025-03-01T02:30", Slot: "2025-03-02T02:30", Done: "ab",
		Behind:       map[string]state.Behind{"item": {Running: "2025-03-01T02:30", Waiting: "2025-03-02T02:30", Item: json.RawMessage(`{"id":"x"}`)}},
		FailingSince: start(), NotBefore: start().Add(time.Minute),
	}
}

func scheduleIsRead(t *testing.T, s Store) {
	rows, err := s.Schedules(t.Context())
	require.NoError(t, err)
	require.Empty(t, rows)
	a, b := oneSchedule("a"), oneSchedule("b-"+strings.Repeat("x", 60))
	for _, row := range []*state.Schedule{&a, &b} {
		row.ETag, err = s.SaveSchedule(t.Context(), *row)
		require.NoError(t, err)
	}
	rows, err = s.Schedules(t.Context())
	require.NoError(t, err)
	require.Equal(t, map[string]state.Schedule{a.Name: a, b.Name: b}, rows)
}

func scheduleIsGuarded(t *testing.T, s Store) {
	row := oneSchedule("a")
	var err error
	row.ETag, err = s.SaveSchedule(t.Context(), row)
	require.NoError(t, err)
	first, second := row, row
	first.LastSlot, second.LastSlot = "first", "second"
	first.ETag, err = s.SaveSchedule(t.Context(), first)
	require.NoError(t, err)
	require.NotEqual(t, row.ETag, first.ETag)
	_, err = s.SaveSchedule(t.Context(), second)
	require.ErrorIs(t, err, state.ErrScheduleChanged)
	rows, err := s.Schedules(t.Context())
	require.NoError(t, err)
	require.Equal(t, first, rows["a"])
}

func newScheduleOnce(t *testing.T, s Store) {
	_, err := s.SaveSchedule(t.Context(), oneSchedule("a"))
	require.NoError(t, err)
	_, err = s.SaveSchedule(t.Context(), oneSchedule("a"))
	require.ErrorIs(t, err, state.ErrScheduleChanged)
}

func lastVerdict(t *testing.T, s Store) {
	const id = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/a/fileServices/default/shares/x"
	_, err := s.Verdict(t.Context(), id)
	require.ErrorIs(t, err, state.ErrNoVerdict)
	v := state.Verdict{ResourceID: id, At: start(), Outcome: "none", Reason: "no rule matches", Source: "event", EventID: "e"}
	require.NoError(t, s.RecordVerdict(t.Context(), v))
	v.ResourceID, v.Outcome, v.Rule, v.OperationID, v.WouldBe = strings.ToUpper(id), "protect", "all", "op", []string{"x"}
	require.NoError(t, s.RecordVerdict(t.Context(), v))
	got, err := s.Verdict(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, v, got)
}

func excluded(t *testing.T, s Store) {
	_, found, err := s.Excluded(t.Context(), "/subscriptions/s/a")
	require.NoError(t, err)
	require.False(t, found)
	x := state.Exclusion{ResourceID: "/Subscriptions/S/a", OperationID: "op0001", At: start()}
	require.NoError(t, s.Exclude(t.Context(), x))
	got, found, err := s.Excluded(t.Context(), "/subscriptions/s/A")
	require.NoError(t, err)
	require.True(t, found)
	require.Equal(t, x, got)
}

// verdicts lists all that the query wants, page by page.
func verdicts(t *testing.T, s Store, q state.VerdictQuery) (ids []string) {
	t.Helper()
	for pages := 0; ; pages++ {
		require.Less(t, pages, 1000, "the pages must come to an end")
		page, err := s.Verdicts(t.Context(), q)
		require.NoError(t, err)
		require.LessOrEqual(t, len(page.Verdicts), q.Size())
		for _, v := range page.Verdicts {
			require.Equal(t, start(), v.At)
			ids = append(ids, v.ResourceID)
		}
		if page.Continue == "" {
			return ids
		}
		q.Continue = page.Continue
	}
}

func recordVerdicts(t *testing.T, s Store) {
	t.Helper()
	for i, id := range []string{"/s/c", "/S/a", "/s/d", "/s/b"} {
		v := state.Verdict{ResourceID: id, At: start(), Outcome: "none", Reason: "no rule matches", Source: "sweep"}
		if i%2 == 1 {
			v.Outcome, v.Rule = "protect", "rule's"
		}
		require.NoError(t, s.RecordVerdict(t.Context(), v))
	}
}

func verdictsByResource(t *testing.T, s Store) {
	require.Empty(t, verdicts(t, s, state.VerdictQuery{}))
	recordVerdicts(t, s)
	want := []string{"/S/a", "/s/b", "/s/c", "/s/d"}
	require.Equal(t, want, verdicts(t, s, state.VerdictQuery{}))
	for _, size := range []int{1, 2, 3, 4} {
		require.Equal(t, want, verdicts(t, s, state.VerdictQuery{PageSize: size}))
	}
}

func verdictsChosen(t *testing.T, s Store) {
	recordVerdicts(t, s)
	require.Equal(t, []string{"/s/c", "/s/d"}, verdicts(t, s, state.VerdictQuery{Outcome: "none", PageSize: 1}))
	require.Equal(t, []string{"/S/a", "/s/b"}, verdicts(t, s, state.VerdictQuery{Rule: "rule's", PageSize: 1}))
	require.Empty(t, verdicts(t, s, state.VerdictQuery{Outcome: "none", Rule: "rule's"}))
}

func verdictsContinue(t *testing.T, s Store) {
	recordVerdicts(t, s)
	for _, text := range []string{"?", "JyBvciAn"} {
		_, err := s.Verdicts(t.Context(), state.VerdictQuery{Continue: text})
		require.ErrorIs(t, err, state.ErrContinue)
	}
}
