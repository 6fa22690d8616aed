package autoprotect_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/autoprotect"
	"azbackupflow/internal/declaration"
)

const (
	subscription = "00000000-0000-0000-0000-000000000000"
	vault        = "/subscriptions/" + subscription + "/resourceGroups/azurefiles/providers/Microsoft.RecoveryServices/vaults/azurefilesvault"
	backupVault  = "/subscriptions/" + subscription + "/resourceGroups/TestBkpVaultRG/providers/Microsoft.DataProtection/backupVaults/TestBkpVault"
	toVault      = "protect: {vaultId: " + vault + ", policy: schedule1}"
	toBackup     = "protect: {vaultId: " + backupVault + ", policy: pgflexpol1}"
)

func rules(t *testing.T, lines ...string) []autoprotect.Rule {
	t.Helper()
	read, err := autoprotect.Parse("protection.yaml", []byte("version: 1\nrules:\n- "+strings.Join(lines, "\n- ")+"\n"), nil)
	require.NoError(t, err)
	return read
}

func share() autoprotect.Resource {
	const account = "/subscriptions/" + subscription + "/resourceGroups/RG-App/providers/Microsoft.Storage/storageAccounts/stapp01"
	return autoprotect.Resource{
		Kind: autoprotect.FileShare, ID: account + "/fileServices/default/shares/orders-eu", SourceID: account, Account: "stapp01", Name: "orders-eu",
		Subscription: subscription, ResourceGroup: "RG-App", Location: "westeurope", Tags: map[string]string{"Backup": "daily", "env": "prod"},
	}
}

func TestDecide_MatchesEveryPartOfARule(t *testing.T) {
	t.Parallel()
	for match, reason := range map[string]string{
		"{}":                "",
		"{type: fileShare}": "",
		"{subscriptions: [" + strings.ToUpper(subscription) + "]}":            "",
		"{subscriptions: [11111111-0000-0000-0000-000000000000]}":             "subscription " + subscription + " is not one of 11111111-0000-0000-0000-000000000000",
		"{resourceGroups: [rg-*]}":                                            "",
		"{resourceGroups: [x, 'rg-ap?']}":                                     "",
		"{resourceGroups: [rg]}":                                              "resource group RG-App is not one of rg",
		"{storageAccounts: [st*01]}":                                          "",
		"{storageAccounts: ['*02']}":                                          "storage account stapp01 is not one of *02",
		"{names: [ORDERS-*]}":                                                 "",
		"{names: [orders]}":                                                   "name orders-eu is not one of orders",
		"{locations: [West Europe]}":                                          "",
		"{locations: [eastus]}":                                               "location westeurope is not one of eastus",
		"{tags: {include: {backup: daily}}}":                                  "",
		"{tags: {include: {BACKUP: [weekly, d*]}}}":                           "",
		"{tags: {include: {backup: Daily}}}":                                  "tag backup is daily, not one of Daily",
		"{tags: {include: {backup: daily, team: x}}}":                         "tag team is missing",
		"{tags: {exclude: {env: [dev, prod]}}}":                               "tag env is prod, which the rule excludes",
		"{tags: {include: {backup: '*'}, exclude: {env: dev}}}":               "",
		"{names: [orders-*], locations: [eastus], tags: {include: {env: x}}}": "location westeurope is not one of eastus",
	} {
		t.Run(match, func(t *testing.T) {
			t.Parallel()
			d := autoprotect.Decide(rules(t, "{name: one, match: "+match+", "+toVault+"}"), share())
			if reason == "" {
				require.Equal(t, autoprotect.Protect, d.Outcome)
				require.Equal(t, "one", d.Rule.Name)
				return
			}
			require.Equal(t, autoprotect.None, d.Outcome)
			require.Equal(t, []autoprotect.RuleResult{{Rule: "one", Reason: reason}}, d.Results)
		})
	}
}

func TestDecide_UsesTheFirstMatchAndOnlyRecordsDryRuns(t *testing.T) {
	t.Parallel()
	all := rules(t,
		"{name: servers, "+toBackup+"}",
		"{name: try-exclude, dryRun: true, exclude: true}",
		"{name: try, dryRun: true, match: {names: [orders-*]}, protect: {vaultId: "+vault+", policy: other, firstBackup: true}}",
		"{name: out, exclude: true, match: {names: [tmp-*]}}",
		"{name: in, match: {names: [orders-*]}, "+toVault+"}",
		"{name: rest, exclude: true}",
	)
	d := autoprotect.Decide(all, share())
	require.Equal(t, autoprotect.Protect, d.Outcome)
	require.Equal(t, "in", d.Rule.Name)
	require.Equal(t, []string{
		"try-exclude: exclude from automatic protection",
		"try: protect with policy other of vault azurefilesvault and start a first backup",
	}, d.DryRunMatches)
	var asked []string
	for _, a := range d.Results {
		asked = append(asked, a.Rule)
	}
	require.Equal(t, []string{"servers", "try-exclude", "try", "out", "in"}, asked)
	require.Equal(t, "the rule is for type postgresFlexibleServer", d.Results[0].Reason)

	res := share()
	res.Name = "tmp-1"
	require.Equal(t, "out", autoprotect.Decide(all, res).Rule.Name)
	res.Name = "x"
	require.Equal(t, "rest", autoprotect.Decide(all, res).Rule.Name)
}

// A rule that never decides is rejected; a rule that may decide is not.
func TestParse_RejectsUnreachableRules(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		first, second string
		unreachable   bool
	}{
		{"{}", "{}", true},
		{"{}", "{names: [x]}", true},
		{"{names: [x]}", "{}", false},
		{"{names: ['*']}", "{}", true},
		{"{names: [orders-*]}", "{names: [orders-eu, Orders-US*]}", true},
		{"{names: [orders-*]}", "{names: [orders-eu, invoices]}", false},
		{"{names: ['orders-?']}", "{names: [orders-*]}", false},
		{"{names: ['a*?']}", "{names: [a*]}", false},
		{"{names: [a*]}", "{names: ['a?']}", true},
		{"{locations: [West Europe, eastus]}", "{locations: [westeurope]}", true},
		{"{tags: {include: {a: [x, y]}}}", "{tags: {include: {A: x, b: z}}}", true},
		{"{tags: {include: {a: x}}}", "{tags: {include: {a: [x, y]}}}", false},
		{"{tags: {include: {a: X}}}", "{tags: {include: {a: x}}}", false},
		{"{tags: {exclude: {a: x}}}", "{}", false},
		{"{tags: {exclude: {a: x}}}", "{tags: {exclude: {a: [x, y]}}}", true},
		{"{resourceGroups: [rg-*], names: ['*']}", "{resourceGroups: [rg-app], locations: [eastus]}", true},
		{"{resourceGroups: [rg-*], names: [a]}", "{resourceGroups: [rg-app]}", false},
	} {
		t.Run(c.first+" before "+c.second, func(t *testing.T) {
			t.Parallel()
			_, err := autoprotect.Parse("protection.yaml", []byte("version: 1\nrules:\n- {name: one, match: "+c.first+", exclude: true}\n- {name: two, match: "+c.second+", "+toVault+"}\n"), nil)
			if !c.unreachable {
				require.NoError(t, err)
				return
			}
			require.EqualError(t, err, "protection.yaml: line 4: rules[1]: never decides: the earlier rule one matches everything that it matches; want the narrower rule first")
		})
	}
	rules(t, "{name: try, dryRun: true, exclude: true}", "{name: in, "+toVault+"}")
	rules(t, "{name: shares, "+toVault+"}", "{name: servers, "+toBackup+"}")
}

// A database rule decides only about machines that are registered with its vault.
func TestParse_AcceptsDatabaseRulesOfSeveralVaults(t *testing.T) {
	t.Parallel()
	const (
		a = "protect: {vaultId: " + vault + "a, policy: p}"
		b = "protect: {vaultId: " + vault + "b, policy: p}"
		// aAndB has a vault for each of two regions, bAndA the same in the other regions.
		aAndB = "protect: {vaults: {westeurope: " + vault + "a, northeurope: " + vault + "b}, policy: p}"
		bAndA = "protect: {vaults: {westeurope: " + vault + "b, northeurope: " + vault + "a}, policy: p}"
	)
	for _, c := range []struct {
		first, second string
		unreachable   bool
	}{
		{a, b, false},
		{a, a, true},
		{"protect: {vaultId: " + strings.ToUpper(vault) + "A, policy: p}", a, true},
		{a, "exclude: true", false},
		{"exclude: true", a, true},
		{a, aAndB, false},
		{aAndB, a, false},
		{aAndB, aAndB, true},
		{aAndB, bAndA, false},
	} {
		_, err := autoprotect.Parse("protection.yaml", []byte("version: 1\nrules:\n- {name: one, match: {type: sqlDatabase}, "+c.first+"}\n- {name: two, match: {type: sqlDatabase}, "+c.second+"}\n"), nil)
		if !c.unreachable {
			require.NoError(t, err, "%s before %s", c.first, c.second)
			continue
		}
		require.ErrorContains(t, err, "rules[1]: never decides", "%s before %s", c.first, c.second)
	}
	rules(t, "{name: one, match: {type: sqlDatabase}, "+aAndB+"}", "{name: two, match: {type: sqlDatabase, locations: [westeurope]}, "+b+"}")
}

func TestParse_ReturnsNoRulesOnAnyError(t *testing.T) {
	t.Parallel()
	for rule, want := range map[string]string{
		"{name: a}": "rules[1]: has neither protect nor exclude; want either protect, or exclude: true",
		"{name: a, exclude: true, " + toVault + "}":                                        "rules[1].exclude: is set together with protect",
		"{name: a, exclude: false}":                                                        "rules[1].exclude: is false; want true",
		"{name: fine, exclude: true}":                                                      `rules[1].name: "fine" is the name of an earlier rule`,
		"{name: A, exclude: true}":                                                         `rules[1].name: "A" does not have the required form`,
		"{name: a, match: {nmaes: [x]}, exclude: true}":                                    "rules[1].match.nmaes: is not a known field; want one of locations, names",
		"{name: a, match: {names: x}, exclude: true}":                                      "rules[1].match.names: is of type string; want a list of names",
		"{name: a, match: {subscriptions: [mine]}, exclude: true}":                         `rules[1].match.subscriptions[0]: "mine" does not have the required form; want a subscription's ID, a GUID`,
		"{name: a, match: {tags: {include: {backup: true}}}, exclude: true}":               "rules[1].match.tags.include.backup: is of type boolean; want a value, or a list of values, quoted",
		"{name: a, protect: {vaultId: x, policy: p}}":                                      `rules[1].protect.vaultId: "x" is not the resource ID of a vault`,
		"{name: a, match: {type: postgresFlexibleServer}, " + toVault + "}":                "rules[1].match.type: is postgresFlexibleServer, which the vault cannot protect",
		"{name: a, match: {storageAccounts: [x]}, " + toBackup + "}":                       "rules[1].match.storageAccounts: is set in a rule for PostgreSQL flexible servers",
		"{name: a, protect: {vaultId: " + backupVault + ", policy: p, firstBackup: true}}": "rules[1].protect.firstBackup: is set in a rule for PostgreSQL flexible servers",
		"{name: a, protect: {vaultId: " + vault + "}}":                                     "rules[1].protect.policy: is missing; want the name of one of the vault's policies",
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			read, err := autoprotect.Parse("protection.yaml", []byte("version: 1\nrules:\n- {name: fine, match: {names: [zz]}, exclude: true}\n- "+rule+"\n"), nil)
			require.Empty(t, read)
			var invalid *declaration.Invalid
			require.ErrorAs(t, err, &invalid)
			require.Len(t, invalid.Problems, 1)
			require.Equal(t, 4, invalid.Problems[0].Line)
			require.Contains(t, err.Error(), want)
		})
	}
}

func TestSampleFile_ProtectsNothingAndHasValidExamples(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../../protection.yaml")
	require.NoError(t, err)
	read, err := autoprotect.Parse("protection.yaml", raw, nil)
	require.NoError(t, err)
	require.Empty(t, read)
	shown := strings.ReplaceAll(strings.Replace(string(raw), "rules: []", "rules:", 1), "\n#  ", "\n  ")
	read, err = autoprotect.Parse("protection.yaml", []byte(shown), nil)
	require.NoError(t, err)
	require.Len(t, read, 4)
}

func FuzzParse(f *testing.F) {
	f.Add("version: 1\nrules:\n- {name: a, match: {names: ['*']}, exclude: true}")
	f.Fuzz(func(t *testing.T, yaml string) {
		read, err := autoprotect.Parse("protection.yaml", []byte(yaml), nil)
		var invalid *declaration.Invalid
		if err != nil {
			require.Empty(t, read)
			require.ErrorAs(t, err, &invalid)
		}
		autoprotect.Decide(read, share())
	})
}

// FuzzCovers checks that a pattern which covers another matches the same texts.
func FuzzCovers(f *testing.F) {
	f.Add("a*", "ab*", "abc")
	f.Add("a*?", "a*", "a")
	f.Fuzz(func(t *testing.T, pattern, other, text string) {
		if len(pattern) > 200 || len(other) > 200 || strings.Contains(pattern+other, "\x01") || !declaration.Covers(pattern, other) {
			return
		}
		if declaration.Match(other, text) {
			require.True(t, declaration.Match(pattern, text), "%q covers %q, which matches %q", pattern, other, text)
		}
	})
}
