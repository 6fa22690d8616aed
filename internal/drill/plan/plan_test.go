package plan_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/drill"
	"azbackupflow/internal/drill/archive"
	"azbackupflow/internal/drill/plan"
	"azbackupflow/internal/flow"
	"azbackupflow/internal/request"
	"azbackupflow/internal/schedule"
)

const (
	vaultID  = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/azurefiles/providers/Microsoft.RecoveryServices/vaults/azurefilesvault"
	account  = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/drills/providers/Microsoft.Storage/storageAccounts/drillaccount"
	backupID = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/databases/providers/Microsoft.DataProtection/backupVaults/TestBkpVault"
)

// site is a vault with items, and an archive.
type site struct {
	items   []schedule.Item
	tested  []archive.Entry
	failing error
	queries []archive.Query
	// run holds the names of the items whose drill runs.
	run map[string]bool
}

func (s *site) running(i schedule.Item) bool { return s.run[i.Name] }

func (s *site) Items(context.Context, drill.Selection) ([]schedule.Item, error) {
	return slices.Clone(s.items), s.failing
}

// Tested returns one entry per page.
func (s *site) Tested(_ context.Context, q archive.Query) (archive.Page, error) {
	s.queries = append(s.queries, q)
	if s.failing != nil {
		return archive.Page{}, s.failing
	}
	at := 0
	if q.After != "" {
		if _, err := fmt.Sscan(q.After, &at); err != nil {
			return archive.Page{}, err
		}
	}
	if at >= len(s.tested) {
		return archive.Page{}, nil
	}
	return archive.Page{Entries: s.tested[at : at+1], Next: fmt.Sprint(at + 1)}, nil
}

func (s *site) add(n int, days func(i int) int) {
	for i := range n {
		id := fmt.Sprintf("%s/items/%03d", vaultID, i)
		s.items = append(s.items, schedule.Item{ID: id, Name: fmt.Sprintf("share%03d", i)})
		if d := days(i); d >= 0 {
			at := time.Date(2026, 11, 1, i%24, 0, 0, 0, time.UTC).AddDate(0, 0, -d)
			s.tested = append(s.tested,
				archive.Entry{ItemID: strings.ToUpper(id), Started: at}, archive.Entry{ItemID: id + "/", Started: at.AddDate(-1, 0, 0)})
		}
	}
}

func (s *site) schedule(t *testing.T, change func(*drill.Drill)) schedule.Schedule {
	t.Helper()
	timing, err := schedule.NewTiming("0 4 1 * *", "UTC")
	require.NoError(t, err)
	d := drill.Drill{
		Name: "monthly-files", Timing: timing, Enabled: true,
		Select: drill.Selection{VaultID: vaultID, Type: drill.FileShare}, Point: drill.PointRule{Rule: drill.RandomWithin, Window: 30 * 24 * time.Hour},
		Target:         drill.Target{StorageAccountID: account},
		MaxRestoreTime: 4 * time.Hour, MaxPointAge: 36 * time.Hour, ValidationWindow: 6*time.Hour + 30*time.Minute + time.Second, CleanUp: drill.Delete,
		Retention: 400 * 24 * time.Hour,
	}
	if change != nil {
		change(&d)
	}
	all, err := plan.Schedules(plan.Config{Drills: []drill.Drill{d}, Digest: plan.Digest([]byte("file")), Items: s, Tested: s.Tested})
	require.NoError(t, err)
	require.Len(t, all, 1)
	return all[0]
}

func count(n int) func(*drill.Drill) { return func(d *drill.Drill) { d.Select.Count = n } }

// chosen returns the numbers of the items of a run, in the order of their starts.
func (s *site) chosen(t *testing.T, slot string, change func(*drill.Drill)) (numbers []int, left int) {
	t.Helper()
	items, left, err := s.schedule(t, change).Plan.Items(t.Context(), slot, s.running)
	require.NoError(t, err)
	for i, item := range items {
		require.Equal(t, time.Duration(i)*time.Minute, item.After)
		n := -1
		_, err := fmt.Sscanf(item.Name, "share%03d", &n)
		require.NoError(t, err)
		numbers = append(numbers, n)
	}
	return numbers, left
}

func TestItems_TakesTheLongestUntestedFirst(t *testing.T) {
	t.Parallel()
	s := &site{}
	// Item i was tested i days ago, the last three never.
	s.add(10, func(i int) int {
		if i >= 7 {
			return -1
		}
		return i
	})
	got, left := s.chosen(t, "2026-11-02T04:00", count(5))
	require.Zero(t, left)
	require.ElementsMatch(t, []int{7, 8, 9}, got[:3])
	require.Equal(t, []int{6, 5}, got[3:])
	require.Equal(t, vaultID, s.queries[0].VaultID)

	for name, c := range map[string]struct {
		change func(*drill.Drill)
		want   int
	}{
		"all":             {nil, 10},
		"more than exist": {count(11), 10},
		"a part":          {func(d *drill.Drill) { d.Select.Percent = 25 }, 3},
		"one percent":     {func(d *drill.Drill) { d.Select.Percent = 1 }, 1},
		"all percent":     {func(d *drill.Drill) { d.Select.Percent = 100 }, 10},
	} {
		got, _ := s.chosen(t, "2026-11-02T04:00", c.change)
		require.Len(t, got, c.want, name)
	}
}

// An item whose drill runs has no evidence yet. It comes after all others.
func TestItems_TakesItemsWhoseDrillRunsLast(t *testing.T) {
	t.Parallel()
	s := &site{run: map[string]bool{"share000": true, "share003": true}}
	s.add(4, func(i int) int { return i - 1 }) // item 0 was never tested, item 3 two days ago
	got, _ := s.chosen(t, "2026-11-02T04:00", nil)
	require.Equal(t, []int{2, 1}, got[:2])
	require.ElementsMatch(t, []int{0, 3}, got[2:])
	got, _ = s.chosen(t, "2026-11-02T04:00", count(2))
	require.Equal(t, []int{2, 1}, got)
}

// Items that were tested on the same day are chosen at random, and the same in each
// call for a run.
func TestItems_DrawsByTheNameOfTheRun(t *testing.T) {
	t.Parallel()
	s := &site{}
	s.add(40, func(int) int { return 3 })
	first, _ := s.chosen(t, "2026-11-01T04:00", count(5))
	slices.Reverse(s.items) // the order of the vault's list does not matter
	again, _ := s.chosen(t, "2026-11-01T04:00", count(5))
	require.Equal(t, first, again)
	seen := map[int]bool{}
	for month := range 12 {
		got, _ := s.chosen(t, fmt.Sprintf("2027-%02d-01T04:00", month+1), count(5))
		for _, n := range got {
			seen[n] = true
		}
	}
	require.Greater(t, len(seen), 20, "runs choose different items")
}

func TestItems_LeavesWhatARunCannotStart(t *testing.T) {
	t.Parallel()
	s := &site{}
	s.add(700, func(int) int { return -1 })
	got, left := s.chosen(t, "2026-11-01T04:00", nil)
	require.Len(t, got, 500)
	require.Equal(t, 200, left)
	for i := range s.items {
		s.items[i].Tags = map[string]string{"note": strings.Repeat("x", 4000)}
	}
	got, left = s.chosen(t, "2026-11-01T04:00", nil)
	require.Less(t, len(got), 60)
	require.Equal(t, 700, len(got)+left)
}

func TestItems_FailsIfTheVaultOrTheArchiveFails(t *testing.T) {
	t.Parallel()
	s := &site{failing: errors.New("unreachable")}
	_, _, err := s.schedule(t, nil).Plan.Items(t.Context(), "2026-11-01T04:00", s.running)
	require.ErrorIs(t, err, s.failing)
	empty := &site{}
	got, left := empty.chosen(t, "2026-11-01T04:00", count(3))
	require.Empty(t, got)
	require.Zero(t, left)
	require.Empty(t, empty.queries, "without items nothing is read")
}

func TestParameters_RepeatTheDeclaration(t *testing.T) {
	t.Parallel()
	s := &site{}
	parameters := func(item schedule.Item, change func(*drill.Drill)) flow.DrillRestore {
		raw, err := s.schedule(t, change).Plan.Parameters("2026-11-01T04:00", item)
		require.NoError(t, err)
		var got flow.DrillRestore
		require.NoError(t, json.Unmarshal(raw, &got))
		return got
	}
	want := flow.DrillRestore{
		Drill: flow.DrillRun{Name: "monthly-files", Run: "2026-11-01T04:00", ConfigurationDigest: "sha256:3b9c358f36f0a31b6ad3e14f309c7cf198ac9246e8316f9ce543d5b19ac02b80"},
		Type:  "AzureFileShare", ItemID: "/item", Tags: map[string]string{"tier": "gold"},
		Point:      flow.DrillPoint{Rule: "randomWithin", Window: "P30D"},
		Target:     flow.DrillTarget{StorageAccountID: account},
		Objectives: flow.DrillObjectives{RestoreTime: "PT4H", PointAge: "PT36H"},
		Validation: flow.DrillValidation{By: "callback", Window: "PT6H30M1S"},
		CleanUp:    "delete", Evidence: flow.DrillKeeping{Retention: "P400D"},
	}
	require.Equal(t, want, parameters(schedule.Item{ID: "/item", Tags: map[string]string{"tier": "gold"}}, nil))
	got := parameters(schedule.Item{ID: "/instance", Instance: true}, func(d *drill.Drill) {
		d.ValidationWindow, d.MaxRestoreTime, d.MaxPointAge, d.Point = 0, 0, 0, drill.PointRule{Rule: drill.Latest}
		d.Target, d.CleanUp = drill.Target{ResourceGroupID: "/group"}, drill.Keep
	})
	require.Equal(t, flow.DrillRestore{
		Drill: want.Drill, Type: want.Type, BackupInstanceID: "/instance", Point: flow.DrillPoint{Rule: "latest"},
		Target: flow.DrillTarget{ResourceGroupID: "/group"}, Validation: flow.DrillValidation{By: "none"}, CleanUp: "keep",
		Evidence: want.Evidence,
	}, got)
}

// The deadline leaves time for the restore and the validator.
func TestSchedules_HaveADeadlineWithAValidator(t *testing.T) {
	t.Parallel()
	s := &site{}
	for want, window := range map[string]time.Duration{"": 0, "PT54H": 6 * time.Hour, "P30D": 31 * 24 * time.Hour} {
		got := s.schedule(t, func(d *drill.Drill) { d.ValidationWindow = window })
		require.Equal(t, want, got.Request.Deadline)
	}
}

func TestCheck_UsesAnItemOfTheVault(t *testing.T) {
	t.Parallel()
	s := &site{}
	for id, want := range map[string]string{
		vaultID:  `"itemId":"` + vaultID + `/backupFabrics/`,
		backupID: `"backupInstanceId":"` + backupID + `/backupInstances/instance"`,
	} {
		change := func(d *drill.Drill) { d.Select.VaultID = id }
		var d drill.Drill
		sched := s.schedule(t, func(x *drill.Drill) { change(x); d = *x })
		refused := errors.New("refused")
		err := plan.Check(sched, d, func(r request.Request) error {
			require.Equal(t, "drill-restore", r.Flow)
			require.Contains(t, string(r.Parameters), want)
			return refused
		})
		require.ErrorIs(t, err, refused)
	}
}
