package drill_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/declaration"
	"azbackupflow/internal/drill"
)

const (
	subscription  = "/subscriptions/00000000-0000-0000-0000-000000000000"
	recoveryVault = subscription + "/resourceGroups/files/providers/Microsoft.RecoveryServices/vaults/filesvault"
	backupVault   = subscription + "/resourceGroups/data/providers/Microsoft.DataProtection/backupVaults/datavault"
	account       = subscription + "/resourceGroups/drills/providers/Microsoft.Storage/storageAccounts/drillaccount"
	group         = subscription + "/resourceGroups/drills"
)

// shares is a drill of file shares, disks and machines are drills of disks.
const (
	shares = `
- name: shares
  cron: 0 4 1 * *
  timeZone: Europe/Berlin
  select: {vaultId: ` + recoveryVault + `, type: AzureFileShare, names: ["orders-*"], count: 3}
  point: {rule: randomWithin, window: P30D}
  target: {storageAccountId: ` + account + `}
  objectives: {restoreTime: PT4H, pointAge: P1D}
  validation: {by: callback, window: PT6H}
  cleanUp: delete
  evidence: {retention: P400D}
`
	disks = `
- name: disks
  cron: 0 4 1 * *
  timeZone: UTC
  enabled: false
  select: {vaultId: ` + backupVault + `, type: Microsoft.Compute/disks, percent: 10}
  point: {rule: latest}
  target: {resourceGroupId: ` + group + `}
  validation: {by: none}
  cleanUp: keep
  evidence: {retention: P1D}
`
	machines = `
- name: machines
  cron: 0 4 1 * *
  timeZone: UTC
  select: {vaultId: ` + backupVault + `, type: Microsoft.Compute/disks}
  point: {rule: latestWithin, window: P1D}
  target: {resourceGroupId: ` + group + `}
  validation: {by: none}
  cleanUp: delete
  evidence: {retention: P1D}
`
)

// vms is a drill of virtual machines.
const vms = `
- name: vms
  cron: 0 4 1 * *
  timeZone: UTC
  select: {vaultId: ` + recoveryVault + `, type: VM, count: 1}
  point: {rule: latest}
  target: {storageAccountId: ` + account + `, resourceGroupId: ` + group + `}
  validation: {by: none}
  cleanUp: delete
  evidence: {retention: P1D}
`

// problemsOf parses drills and returns their names and the problems.
func problemsOf(t *testing.T, drills string) (names, problems []string) {
	t.Helper()
	parsed, err := drill.Parse("drills.yaml", []byte("version: 1\ndrills:"+drills))
	for _, d := range parsed {
		names = append(names, d.Name)
	}
	var invalid *declaration.Invalid
	if errors.As(err, &invalid) {
		for _, p := range invalid.Problems {
			problems = append(problems, p.String())
		}
	} else {
		require.NoError(t, err)
	}
	return names, problems
}

func TestParse_ReadsEveryField(t *testing.T) {
	t.Parallel()
	drills, err := drill.Parse("drills.yaml", []byte("version: 1\ndrills:"+shares+disks+machines))
	require.NoError(t, err)
	require.Len(t, drills, 3)
	d := drills[0]
	require.Equal(t, "0 4 1 * * Europe/Berlin", d.Timing.String())
	require.Equal(t, "2026-12-01T03:00:00Z", d.Timing.Next(time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC), 1)[0].At.UTC().Format(time.RFC3339))
	d.Timing = drills[1].Timing
	const day = 24 * time.Hour
	require.Equal(t, drill.Drill{
		Name: "shares", Timing: drills[1].Timing, Enabled: true,
		Select: drill.Selection{VaultID: recoveryVault, Type: drill.FileShare, Names: []string{"orders-*"}, Count: 3},
		Point:  drill.PointRule{Rule: drill.RandomWithin, Window: 30 * day}, Target: drill.Target{StorageAccountID: account},
		MaxRestoreTime: 4 * time.Hour, MaxPointAge: day, ValidationWindow: 6 * time.Hour, CleanUp: drill.Delete, Retention: 400 * day,
	}, d)
	require.Equal(t, drill.Drill{
		Name: "disks", Timing: drills[1].Timing, Enabled: false,
		Select: drill.Selection{VaultID: backupVault, Type: drill.Disk, Percent: 10},
		Point:  drill.PointRule{Rule: drill.Latest}, Target: drill.Target{ResourceGroupID: group}, CleanUp: drill.Keep, Retention: day,
	}, drills[1])
	require.Equal(t, drill.Target{ResourceGroupID: group}, drills[2].Target)
}

// Each case changes one thing of a valid drill, which is then left out and
// explained.
func TestParse_OmitsInvalidDrillsAndExplainsThem(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ entry, old, replacement, want string }{
		"unknown field":                       {shares, "  cleanUp: delete", "  cleanup: delete\n  cleanUp: delete", "drills[1].cleanup: is not a known field; want one of cleanUp, cron"},
		"no clean-up":                         {shares, "  cleanUp: delete\n", "", "drills[1].cleanUp: is missing; want delete, to delete the place that the drill made, or keep"},
		"no validation":                       {shares, "  validation: {by: callback, window: PT6H}\n", "", "drills[1].validation: is missing"},
		"no retention":                        {shares, "{retention: P400D}", "{}", "drills[1].evidence.retention: is missing; want how long the evidence is kept"},
		"bad name":                            {shares, "name: shares", "name: My Shares", `drills[1].name: "My Shares" does not have the required form`},
		"same name":                           {shares, "name: shares", "name: disks", `drills[1].name: "disks" is the name of an earlier drill; want a unique name`},
		"bad cron":                            {shares, "0 4 1 * *", "0 25 1 * *", `line 15: drills[1].cron: "0 25 1 * *" cannot be parsed`},
		"no such day":                         {shares, "0 4 1 * *", "0 4 30 2 *", `drills[1].cron: "0 4 30 2 *" never fires: no date matches it; want five fields that some date matches`},
		"unknown zone":                        {shares, "Europe/Berlin", "Europe/Atlantis", `drills[1].timeZone: "Europe/Atlantis" is not a time zone of the tz database; want an IANA time zone`},
		"unknown type":                        {shares, "type: AzureFileShare", "type: SQLDataBase", `drills[1].select.type: is "SQLDataBase"; want one of AzureFileShare, VM, Microsoft.Compute/disks`},
		"vault of another kind":               {shares, recoveryVault, backupVault, `drills[1].select.vaultId: "` + backupVault + `" cannot have items of type AzureFileShare: resource ID has the type Microsoft.DataProtection/backupVaults; want the resource ID of a Recovery Services vault, which has the types AzureFileShare, VM`},
		"vault with a bad name":               {shares, recoveryVault, recoveryVault + "_1", `vault "filesvault_1" is not a valid name; want the resource ID of a Recovery Services vault`},
		"count and percent":                   {shares, "count: 3", "count: 3, percent: 10", "drills[1].select.percent: is set together with count; want one of the two"},
		"count of none":                       {shares, "count: 3", "count: 0", "drills[1].select.count: is 0, below 1"},
		"percent above all":                   {shares, "count: 3", "percent: 101", "drills[1].select.percent: is 101, above 100"},
		"random without window":               {shares, "rule: randomWithin, window: P30D", "rule: randomWithin", "drills[1].point.window: is missing with rule: randomWithin; want the maximum age"},
		"latest with window":                  {shares, "rule: randomWithin", "rule: latest", "drills[1].point.window: is set with rule: latest; want rule: latestWithin, or no window"},
		"window in words":                     {shares, "window: P30D", "window: 30 days", `drills[1].point.window: "30 days" is not a duration; want one such as 90m, 36h, 7d, 1d12h or PT36H`},
		"negative window":                     {shares, "window: P30D", "window: -P30D", `drills[1].point.window: "-P30D" is not a duration; want one such as 90m, 36h, 7d, 1d12h or PT36H`},
		"endless validation":                  {shares, "window: PT6H", "window: P32D", `drills[1].validation.window: "P32D" is not within the limits; want a duration from 1 minute to 31 days`},
		"callback forever":                    {shares, "by: callback, window: PT6H", "by: callback", "drills[1].validation.window: is missing with by: callback; want how long to wait"},
		"window of no validator":              {shares, "by: callback", "by: none", "drills[1].validation.window: is set with by: none; want by: callback, or no window"},
		"no restore time":                     {shares, "restoreTime: PT4H", "restoreTime: PT0S", `drills[1].objectives.restoreTime: "PT0S" is not within the limits`},
		"short retention":                     {shares, "retention: P400D", "retention: PT1H", `drills[1].evidence.retention: "PT1H" is not within the limits; want a duration from 1 day to 3660 days`},
		"no account":                          {shares, "{storageAccountId: " + account + "}", "{}", "drills[1].target.storageAccountId: is missing for items of type AzureFileShare; want the storage account for the file shares of the drills"},
		"account of a name":                   {shares, account, "drillaccount", `drills[1].target.storageAccountId: "drillaccount" is not the resource ID of a storage account`},
		"vault as account":                    {shares, "{storageAccountId: " + account, "{storageAccountId: " + recoveryVault, "is not the resource ID of a storage account"},
		"group that is not used":              {shares, "{storageAccountId: " + account, "{resourceGroupId: " + group + ", storageAccountId: " + account, "drills[1].target.resourceGroupId: is set for items of type AzureFileShare; want a storageAccountId only"},
		"no group":                            {machines, "{resourceGroupId: " + group + "}", "{}", "drills[1].target.resourceGroupId: is missing for items of type Microsoft.Compute/disks; want the resource group for the restored disks"},
		"group of a name":                     {machines, "resourceGroupId: " + group, "resourceGroupId: drills", `drills[1].target.resourceGroupId: "drills" is not the resource ID of a resource group`},
		"group of the vault":                  {machines, "resourceGroupId: " + group, "resourceGroupId: " + strings.ToUpper(subscription) + "/resourcegroups/DATA", "drills[1].target.resourceGroupId: is the resource group of the vault; want a resource group for drills only"},
		"a machine's disks":                   {shares, "type: AzureFileShare", "type: VM", "drills[1].target.resourceGroupId: is missing for items of type VM; want the resource group for the restored disks"},
		"no staging account":                  {vms, "storageAccountId: " + account + ", ", "", "drills[1].target.storageAccountId: is missing for items of type VM; want the storage account for what Azure writes while it restores a machine"},
		"machines of a vault of another kind": {vms, recoveryVault, backupVault, "which has the types AzureFileShare, VM"},
		"account for a disk":                  {machines, "{resourceGroupId: " + group, "{storageAccountId: " + account + ", resourceGroupId: " + group, "drills[1].target.storageAccountId: is set for items of type Microsoft.Compute/disks; want a resourceGroupId only"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, 1, strings.Count(c.entry, c.old), "the case changes one thing")
			names, problems := problemsOf(t, disks+strings.Replace(c.entry, c.old, c.replacement, 1))
			require.Equal(t, []string{"disks"}, names)
			require.Len(t, problems, 1, problems)
			require.Contains(t, problems[0], c.want)
		})
	}
	_, problems := problemsOf(t, strings.Replace(disks, "resourceGroupId: "+group, "resourceGroupId: "+group+", storageAccountId: "+account, 1))
	require.Len(t, problems, 1)
	require.Contains(t, problems[0], "drills[0].target.storageAccountId: is set for items of type Microsoft.Compute/disks; want a resourceGroupId only")
	_, problems = problemsOf(t, strings.Replace(disks, backupVault, recoveryVault, 1))
	require.Len(t, problems, 1)
	require.Contains(t, problems[0], "cannot have items of type Microsoft.Compute/disks: resource ID has the type Microsoft.RecoveryServices/vaults; want the resource ID of a Backup vault, which has the types Microsoft.Compute/disks, Microsoft.Storage")
}

func TestParse_RejectsAFileThatIsNotAListOfDrills(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                             "drills.yaml: is empty; want a YAML document",
		"version: 2\ndrills: []":       "drills.yaml: line 1: version: is 2; want 1",
		"version: 1":                   "drills: is missing; want a list of drills",
		"version: 1\ndrills: []\nx: 1": "x: is not a known field; want one of drills, version",
		"version: 1\ndrills: {a: b}":   "drills: is of type object; want a list of drills",
	} {
		drills, err := drill.Parse("drills.yaml", []byte(text))
		require.ErrorContains(t, err, want)
		require.Empty(t, drills)
	}
}

func TestParseAllowed_RejectsTargetsThatAreNotAllowed(t *testing.T) {
	t.Parallel()
	raw := []byte("version: 1\ndrills:" + disks + shares + vms)
	only := func(ids ...string) func(string) bool { return func(id string) bool { return slices.Contains(ids, id) } }
	all, err := drill.ParseAllowed("drills.yaml", raw, only(group, account))
	require.NoError(t, err)
	require.Len(t, all, 3)
	all, err = drill.ParseAllowed("drills.yaml", raw, only(group))
	require.Len(t, all, 1, "the drill of disks uses the group only")
	require.ErrorContains(t, err, `drills[1].target.storageAccountId: "`+account+`" is not an allowed drill target; want one of the setting AZBACKUPFLOW_DRILL_TARGETS`)
	require.ErrorContains(t, err, "drills[2].target.storageAccountId")
	all, err = drill.ParseAllowed("drills.yaml", raw, only())
	require.Empty(t, all)
	require.ErrorContains(t, err, "drills[2].target.resourceGroupId")
}
