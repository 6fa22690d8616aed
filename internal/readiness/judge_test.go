package readiness_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/api"
	"azbackupflow/internal/drill/evidence"
	"azbackupflow/internal/readiness"
)

const day = 24 * time.Hour

func now() time.Time { return time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC) }

func at(age time.Duration) *time.Time { p := now().Add(-age); return &p }

// drilled is a drill of an item, some days ago.
func drilled(item string, result evidence.Result, daysAgo int) evidence.Evidence {
	return evidence.Evidence{ID: "d", Item: evidence.Item{ID: item}, Started: now().AddDate(0, 0, -daysAgo), Result: result}
}

func judge(t *testing.T, maxAge time.Duration) *readiness.Judge {
	t.Helper()
	j, err := readiness.New(readiness.Config{Now: now(), MaxProofAge: 365 * day, MaxPointAge: maxAge})
	require.NoError(t, err)
	return j
}

func TestAssess_CountsTheUnknownAgainstTheItem(t *testing.T) {
	t.Parallel()
	proven := []evidence.Evidence{drilled("/V/Item/", evidence.Proven, 3)}
	for name, c := range map[string]struct {
		state   string
		point   *time.Time
		maxAge  time.Duration
		drills  []evidence.Evidence
		want    api.ReadinessState
		reasons []string
	}{
		"proven":              {"Protected", nil, 0, proven, api.ReadinessProven, []string{"the newest drill is Proven"}},
		"instance":            {"ProtectionConfigured", nil, 0, proven, api.ReadinessProven, []string{"the newest drill is Proven"}},
		"point in time":       {"Protected", at(day), day, proven, api.ReadinessProven, []string{"the newest drill is Proven"}},
		"point too old":       {"Protected", at(day + time.Second), day, proven, api.ReadinessObjectivesMissed, []string{"the last backup is 24 hours old, more than 24 hours", "the newest drill is Proven"}},
		"point unknown":       {"Protected", nil, day, proven, api.ReadinessNotProven, []string{"the time of the last backup is unknown", "the newest drill is Proven"}},
		"point of the future": {"Protected", at(-day), day, proven, api.ReadinessNotProven, []string{"the time of the last backup is in the future", "the newest drill is Proven"}},
		"clock ahead":         {"Protected", at(-time.Minute), day, proven, api.ReadinessProven, []string{"the newest drill is Proven"}},
		"no drill":            {"Protected", nil, 0, nil, api.ReadinessNotProven, []string{"there is no evidence of a drill"}},
		"drill of another":    {"Protected", nil, 0, []evidence.Evidence{drilled("/v/item2", evidence.Proven, 3)}, api.ReadinessNotProven, []string{"there is no evidence of a drill"}},
		"proof too old":       {"Protected", nil, 0, []evidence.Evidence{drilled("/v/item", evidence.Proven, 366)}, api.ReadinessNotProven, []string{"the newest drill started 366 days ago"}},
		"proof of the future": {"Protected", nil, 0, []evidence.Evidence{drilled("/v/item", evidence.Proven, -1)}, api.ReadinessNotProven, []string{"the newest drill starts in the future"}},
		"failed since":        {"Protected", nil, 0, []evidence.Evidence{drilled("/v/item", evidence.Failed, 3), drilled("/v/item", evidence.Proven, 4)}, api.ReadinessNotProven, []string{"the newest drill is Failed"}},
		"repaired since":      {"Protected", nil, 0, []evidence.Evidence{drilled("/v/item", evidence.Failed, 4), drilled("/v/item", evidence.Proven, 3)}, api.ReadinessProven, []string{"the newest drill is Proven"}},
		"not validated":       {"Protected", nil, 0, []evidence.Evidence{drilled("/v/item", evidence.NotValidated, 3)}, api.ReadinessNotProven, []string{"the newest drill is NotValidated"}},
		"drill was slow":      {"Protected", nil, 0, []evidence.Evidence{drilled("/v/item", evidence.ObjectivesMissed, 3)}, api.ReadinessObjectivesMissed, []string{"the newest drill missed an objective"}},
		"stopped":             {"ProtectionStopped", at(2 * day), day, proven, api.ReadinessNotProtected, []string{"the protection state is ProtectionStopped", "the last backup is 2 days old, more than 24 hours", "the newest drill is Proven"}},
		"first backup":        {"IRPending", nil, 0, nil, api.ReadinessNotProtected, []string{"the protection state is IRPending", "there is no evidence of a drill"}},
		"soft-deleted":        {"SoftDeleted", nil, 0, nil, api.ReadinessNotProtected, []string{"the protection state is SoftDeleted", "there is no evidence of a drill"}},
		"no state":            {"", nil, 0, nil, api.ReadinessNotProtected, []string{"Azure reports no protection state", "there is no evidence of a drill"}},
	} {
		item := readiness.NewDrills(c.drills).Apply(api.ReadinessItem{ItemID: "/v/item", VaultID: "/v", Name: "item", Type: "VM", ProtectionState: c.state, LastRecoveryPoint: c.point})
		got := judge(t, c.maxAge).Assess(item)
		require.Equal(t, c.want, got.State, name)
		require.Equal(t, c.reasons, got.Reasons, name)
		require.Equal(t, got, judge(t, c.maxAge).Assess(got), "%s: judging again changes nothing", name)
	}
}

func TestAssess_KnowsWhatIsExcludedOnPurpose(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		item   api.ReadinessItem
		want   api.ReadinessState
		reason string
	}{
		"by a rule":            {api.ReadinessItem{RuleOutcome: "exclude", Rule: "scratch"}, api.ReadinessExcluded, "the rule scratch excludes it"},
		"by a user":            {api.ReadinessItem{ItemID: "/i", ProtectionState: "ProtectionStopped", ExcludedBy: "op1"}, api.ReadinessExcluded, "a user ended its protection with operation op1"},
		"by both":              {api.ReadinessItem{RuleOutcome: "exclude", Rule: "scratch", ExcludedBy: "op1"}, api.ReadinessExcluded, "a user ended its protection with operation op1"},
		"protected anyway":     {api.ReadinessItem{ItemID: "/i", ProtectionState: "Protected", RuleOutcome: "exclude", Rule: "scratch"}, api.ReadinessNotProven, "there is no evidence of a drill"},
		"protected again":      {api.ReadinessItem{ItemID: "/i", ProtectionState: "Protected", ExcludedBy: "op1"}, api.ReadinessNotProven, "there is no evidence of a drill"},
		"first backup":         {api.ReadinessItem{ItemID: "/i", ProtectionState: "IRPending", ExcludedBy: "op1"}, api.ReadinessNotProtected, "the protection state is IRPending"},
		"in error":             {api.ReadinessItem{ItemID: "/i", ProtectionState: "ProtectionError", RuleOutcome: "exclude", Rule: "scratch"}, api.ReadinessNotProtected, "the protection state is ProtectionError"},
		"unknown state":        {api.ReadinessItem{ItemID: "/i", ProtectionState: "Other", ExcludedBy: "op1"}, api.ReadinessNotProtected, "the protection state is Other"},
		"no state":             {api.ReadinessItem{ItemID: "/i", ExcludedBy: "op1"}, api.ReadinessNotProtected, "Azure reports no protection state"},
		"suspended":            {api.ReadinessItem{ItemID: "/i", ProtectionState: "BackupsSuspended", ExcludedBy: "op1"}, api.ReadinessExcluded, "a user ended its protection with operation op1"},
		"schedules suspended":  {api.ReadinessItem{ItemID: "/i", ProtectionState: "BackupSchedulesSuspended", ExcludedBy: "op1"}, api.ReadinessExcluded, "a user ended its protection with operation op1"},
		"deleted":              {api.ReadinessItem{ItemID: "/i", ProtectionState: "SoftDeleted", ExcludedBy: "op1"}, api.ReadinessExcluded, "a user ended its protection with operation op1"},
		"deleted, by a rule":   {api.ReadinessItem{ItemID: "/i", ProtectionState: "SoftDeleted", RuleOutcome: "exclude", Rule: "scratch"}, api.ReadinessExcluded, "the rule scratch excludes it"},
		"without an item":      {api.ReadinessItem{ExcludedBy: "op1"}, api.ReadinessExcluded, "a user ended its protection with operation op1"},
		"a rule, but no vault": {api.ReadinessItem{RuleOutcome: "protect", Rule: "all"}, api.ReadinessNotProtected, "the rule all protects it, but no vault of the report does"},
		"no rule":              {api.ReadinessItem{RuleOutcome: "none"}, api.ReadinessNotProtected, "no rule matches it, and no vault of the report protects it"},
	} {
		got := judge(t, 0).Assess(c.item)
		require.Equal(t, c.want, got.State, name)
		require.Equal(t, c.reason, got.Reasons[0], name)
	}
}

func TestAssess_ReportsFailingBackups(t *testing.T) {
	t.Parallel()
	item := api.ReadinessItem{ItemID: "/i", ProtectionState: "Protected", LastBackup: at(3 * time.Hour), LastRecoveryPoint: at(30 * time.Hour), FailedBackups: 2}
	got := judge(t, day).Assess(item)
	require.Equal(t, api.ReadinessNotProven, got.State, "the newer of backup and recovery point counts")
	require.Contains(t, got.Reasons, "2 backups failed since the last one that succeeded")
	require.Equal(t, "azbackupflow start backup-now --item /i --wait", got.Next[0])
	item.FailedBackups, item.BackupFailed = 0, "Unhealthy"
	require.Contains(t, judge(t, day).Assess(item).Reasons, "the last backup or the protection failed: Unhealthy")
}

func TestAssess_NamesTheNextCommands(t *testing.T) {
	t.Parallel()
	const share = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/a/fileServices/default/shares/it's $HOME"
	const item = "/v/protectedItems/AzureFileShare;1"
	for want, i := range map[string]api.ReadinessItem{
		`azbackupflow start protect-file-share --set 'fileShare=it'\''s $HOME' --set firstTime=true --set vaultId=/v --wait`: {
			ResourceID: share, RuleOutcome: "protect",
			ProtectCommand: readiness.ProtectCommand("protect-file-share", map[string]any{"vaultId": "/v", "fileShare": "it's $HOME", "firstTime": true, "firstBackup": map[string]any{}}),
		},
		"azbackupflow protect explain " + `'/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/a/fileServices/default/shares/it'\''s $HOME'`: {ResourceID: share, RuleOutcome: "protect", ProtectCommand: readiness.ProtectCommand("protect-database", map[string]any{"databases": []any{"x"}})},
		"azbackupflow protect explain /r":                                   {ResourceID: "/r", RuleOutcome: "none"},
		"azbackupflow start undelete --item '" + item + "' --wait":          {ItemID: item, ProtectionState: "SoftDeleted"},
		"azbackupflow start resume-protection --item '" + item + "' --wait": {ItemID: item, ProtectionState: "ProtectionStopped"},
		"azbackupflow start backup-now --item '" + item + "' --wait":        {ItemID: item, ProtectionState: "IRPending"},
		"azbackupflow items list /v":                                        {ItemID: item, VaultID: "/v", ProtectionState: "ProtectionError"},
		"azbackupflow drills list":                                          {ItemID: item, ProtectionState: "Protected"},
	} {
		require.Equal(t, []string{want}, judge(t, 0).Assess(i).Next)
	}
	require.Equal(t, []string{}, judge(t, 0).Assess(api.ReadinessItem{RuleOutcome: "exclude"}).Next)
	proven := readiness.NewDrills([]evidence.Evidence{drilled("/i", evidence.Proven, 1)}).Apply(api.ReadinessItem{ItemID: "/i", ProtectionState: "Protected"})
	require.Equal(t, []string{}, judge(t, 0).Assess(proven).Next)
	proven.LastBackup = at(2 * day)
	require.Equal(t, []string{"azbackupflow start backup-now --item /i --wait", "azbackupflow drills list"}, judge(t, day).Assess(proven).Next)
}

func TestDrills_KeepTheNewerOfTwoSources(t *testing.T) {
	t.Parallel()
	item := api.ReadinessItem{ItemID: "/i", Drill: &api.ReadinessDrill{ID: "stored", Started: now().Add(-2 * day), Result: "Failed"}}
	require.Equal(t, "d", readiness.NewDrills([]evidence.Evidence{drilled("/i", evidence.Proven, 1)}).Apply(item).Drill.ID)
	require.Equal(t, "stored", readiness.NewDrills([]evidence.Evidence{drilled("/i", evidence.Proven, 3)}).Apply(item).Drill.ID)
	item.Drill.ID = "d"
	item.Drill.Started = now().Add(-day)
	require.True(t, readiness.NewDrills([]evidence.Evidence{drilled("/i", evidence.Proven, 1)}).Apply(item).Drill.Verified, "the file of the same drill is verified")
	item.ProtectionState, item.Drill.Result = "Protected", "Proven"
	got := judge(t, 0).Assess(item)
	require.Equal(t, api.ReadinessNotProven, got.State)
	require.Equal(t, []string{"the evidence of the newest drill is not verified: it was changed, or an earlier key signed it"}, got.Reasons)
	item.Drill.Started = now().Add(-2 * day)
	e := drilled("/i", evidence.Proven, 1)
	e.Objectives.RTO = &evidence.Objective{Measured: "PT1M"}
	require.Equal(t, "PT1M", readiness.NewDrills([]evidence.Evidence{e}).Apply(item).Drill.RestoreTime)
	require.Nil(t, readiness.NewDrills([]evidence.Evidence{drilled("", evidence.Proven, 1)}).Apply(api.ReadinessItem{}).Drill)
}

// Every resource is in one score of each group, also among many.
func TestScores_CountEveryResourceOnce(t *testing.T) {
	t.Parallel()
	var items []api.ReadinessItem
	for n, s := range append(api.ReadinessStates(), api.ReadinessProven) {
		items = append(items, api.ReadinessItem{State: s, ItemID: "/i", ProtectionState: "Protected", VaultID: []string{"/v/A", "/v/a", ""}[n%3], Subscription: "s", Tag: []string{"prod", "Prod"}[n%2], FailedBackups: n % 2})
	}
	scores := readiness.Scores(items, []string{"/v/a", "/v/empty"}, true)
	require.Equal(t, []api.ReadinessScore{
		{Group: "total", Items: 6, Proven: 2, NotProven: 1, ObjectivesMissed: 1, NotProtected: 1, Excluded: 1, ProvenPercent: 40, FailingBackups: 3},
		{Group: "vault", Items: 2, ObjectivesMissed: 1, Proven: 1, ProvenPercent: 50, FailingBackups: 1},
		{Group: "vault", Name: "/v/a", Items: 4, Proven: 1, NotProven: 1, NotProtected: 1, Excluded: 1, ProvenPercent: 33, FailingBackups: 2},
		{Group: "vault", Name: "/v/empty"},
		{Group: "subscription", Name: "s", Items: 6, Proven: 2, NotProven: 1, ObjectivesMissed: 1, NotProtected: 1, Excluded: 1, ProvenPercent: 40, FailingBackups: 3},
		{Group: "tag", Name: "Prod", Items: 3, NotProven: 1, NotProtected: 1, Proven: 1, ProvenPercent: 33, FailingBackups: 3},
		{Group: "tag", Name: "prod", Items: 3, Proven: 1, ObjectivesMissed: 1, Excluded: 1, ProvenPercent: 50},
	}, scores)
	require.Equal(t, []api.ReadinessScore{{Group: "total"}}, readiness.Scores(nil, nil, false))
}

func TestFindings_NameWhatLetsBackupsBeDeleted(t *testing.T) {
	t.Parallel()
	require.Empty(t, readiness.Findings(api.ReadinessVault{SoftDelete: "AlwaysOn", Immutability: "Locked", MultiUserAuthorization: true}))
	require.Len(t, readiness.Findings(api.ReadinessVault{SoftDelete: "Off", Immutability: "Disabled"}), 3)
	require.Len(t, readiness.Findings(api.ReadinessVault{}), 3)
}

func TestNew_RejectsAnIncompleteConfig(t *testing.T) {
	t.Parallel()
	for _, c := range []readiness.Config{{MaxProofAge: day}, {Now: now()}, {Now: now(), MaxProofAge: day, MaxPointAge: -1}} {
		_, err := readiness.New(c)
		require.Error(t, err)
	}
}
