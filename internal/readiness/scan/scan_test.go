package scan_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/api"
	"azbackupflow/internal/readiness/scan"
)

// Every one of 5,000 resources in 50 subscriptions and 100 vaults is in the right
// state, no list of a vault is read twice, and the report knows its cost.
func TestReport_IsRightForEachOf5000Resources(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("makes and scans a large estate")
	}
	e := newEstate()
	r := newRig(t, e.world, e.rules.String())
	e.settle(r)
	q := scan.Request{MaxPointAge: day, Tag: "env"}
	report, requests := r.complete(q)
	require.Greater(t, requests, 1, "one invocation is too short for the whole estate")

	require.Len(t, report.Items, 5000)
	seen := map[string]bool{}
	want := map[api.ReadinessState]int{}
	failing := 0
	for _, i := range report.Items {
		f, known := e.truth[i.Name]
		require.True(t, known, i.Name)
		require.False(t, seen[i.Name], "%s is there twice", i.Name)
		seen[i.Name] = true
		require.Equal(t, f.state, i.State, "%s (%s): %v", i.Name, f.name, i.Reasons)
		require.NotEmpty(t, i.Reasons)
		require.True(t, strings.EqualFold(e.ids[i.Name], i.ResourceID), i.ResourceID)
		require.Equal(t, f.state == api.ReadinessProven || f.state == api.ReadinessExcluded, len(i.Next) == 0 || f.name == "failing", "%s: %v", i.Name, i.Next)
		want[f.state]++
		if f.name == "failing" {
			failing++
		}
	}
	total := report.Scores[0]
	require.Equal(t, api.ReadinessScore{
		Group: "total", Items: 5000, Proven: want[api.ReadinessProven], NotProven: want[api.ReadinessNotProven], ObjectivesMissed: want[api.ReadinessObjectivesMissed],
		NotProtected: want[api.ReadinessNotProtected], Excluded: want[api.ReadinessExcluded], FailingBackups: failing,
		ProvenPercent: want[api.ReadinessProven] * 100 / (5000 - want[api.ReadinessExcluded]),
	}, total)
	groups := map[string]int{}
	counted := map[string]int{}
	for _, s := range report.Scores {
		groups[s.Group]++
		counted[s.Group] += s.Items
	}
	require.Equal(t, map[string]int{"total": 1, "vault": 101, "subscription": 50, "tag": 2}, groups, "and one for resources without a vault")
	require.Equal(t, map[string]int{"total": 5000, "vault": 5000, "subscription": 5000, "tag": 5000}, counted)

	require.Len(t, report.Vaults, 100)
	guarded, immutable := 0, 0
	for _, v := range report.Vaults {
		if v.MultiUserAuthorization {
			guarded++
		}
		if v.Immutability == "Locked" {
			immutable++
		}
	}
	require.Equal(t, []int{25, 50}, []int{guarded, immutable})

	// Settings, policies and items of 100 vaults, jobs of 50; of each subscription the
	// storage accounts with 6 lists of shares, the servers, and the tags. The list of
	// file shares does not have the last backup that succeeded if a later one failed.
	cost := 100*3 + 50 + subscriptions*(1+accounts+1+1)
	for name, f := range e.truth {
		if f.name == "failing" && strings.Contains(e.ids[name], "/shares/") {
			cost++
		}
	}
	// An invocation that ends while it lists shares lists the accounts again.
	calls := r.calls(2)
	require.GreaterOrEqual(t, calls, cost)
	require.LessOrEqual(t, calls, cost+4*(requests-1))
	require.Equal(t, calls, report.Scan.Calls, "the report knows its cost")
	t.Logf("%d calls for %d resources in %d invocations", calls, len(report.Items), requests)
	require.Equal(t, report.Scan.Parts, report.Scan.Read)
	require.Empty(t, report.Scan.Problems)

	again, requests := r.complete(q)
	require.Equal(t, 1, requests)
	require.Zero(t, again.Scan.CallsNow, "the data is new enough")
	require.Equal(t, report.Items, again.Items)
	require.Equal(t, calls, again.Scan.Calls)
}
