package autoprotect_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/arm/dataprotection/kinds"
	"azbackupflow/internal/arm/datasource"
	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/autoprotect"
	"azbackupflow/internal/autoprotect/decision"
	"azbackupflow/internal/local/armsim"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

const (
	machines  = "/subscriptions/" + subscription + "/resourceGroups/machines/providers/Microsoft.Compute/virtualMachines/"
	blobs     = "/subscriptions/" + subscription + "/resourceGroups/blobs/providers/Microsoft.Storage/storageAccounts/"
	mySQLID   = "/subscriptions/" + subscription + "/resourceGroups/mysqltest/providers/Microsoft.DBforMySQL/flexibleServers/mysqltestserver"
	diskID    = "/subscriptions/" + subscription + "/resourceGroups/disks/providers/Microsoft.Compute/disks/datadisk1"
	clusterID = "/subscriptions/" + subscription + "/resourceGroups/clusters/providers/Microsoft.ContainerService/managedClusters/akscluster1"
	snapshots = "/subscriptions/" + subscription + "/resourceGroups/snapshots"
)

// kindCase is a kind that a rule protects.
type kindCase struct {
	rule string
	// announced is the resource of the event; empty if no event announces such
	// resources.
	announced string
	// id is the resource of the decision.
	id, flow string
	// parameters of the request, without the vault.
	parameters string
}

func kindCases() map[autoprotect.Kind]kindCase {
	const toMachines = ", protect: {vaultId: " + vault + ", policy: DefaultPolicy, firstBackup: true"
	backup := func(policy, more string) string {
		return ", protect: {vaultId: " + backupVault + ", policy: " + policy + more + "}"
	}
	return map[autoprotect.Kind]kindCase{
		autoprotect.VirtualMachine: {
			rule: "match: {type: virtualMachine, names: [vm2]}" + toMachines + ", parameters: {excludeDisks: {luns: [1]}}}",
			id:   machines + "vm2", announced: machines + "vm2", flow: "protect-vm",
			parameters: `"virtualMachineId":"` + machines + `vm2","policy":"DefaultPolicy","firstBackup":{},"excludeDisks":{"luns":[1]}`,
		},
		autoprotect.HanaDatabase: {
			rule: "match: {type: hanaDatabase, virtualMachines: [hana*]}, protect: {vaultId: " + vault + ", policy: DailyHana}",
			id:   machines + "hanavm2/sapHanaSystems/HDB/databases/SYSTEMDB", flow: "protect-database",
			parameters: `"virtualMachineId":"` + machines + `hanavm2","workload":"SAPHana","instance":"HDB","databases":["SYSTEMDB"],"policy":"DailyHana"`,
		},
		autoprotect.Disk: {
			rule: "match: {type: disk}" + backup("diskpol1", ", parameters: {snapshotResourceGroupId: "+snapshots+"}"),
			id:   diskID, announced: diskID, flow: "protect-disk",
			parameters: `"diskId":"` + diskID + `","location":"westus","policy":"diskpol1","snapshotResourceGroupId":"` + snapshots + `"`,
		},
		autoprotect.Blobs: {
			rule: "match: {type: blobs, names: [blobaccount1, datalake1]}" + backup("blobpol1", ""),
			id:   blobs + "blobaccount1/blobServices/default", announced: blobs + "blobaccount1", flow: "protect-blobs",
			parameters: `"storageAccountId":"` + blobs + `blobaccount1","location":"westus","policy":"blobpol1"`,
		},
		autoprotect.DataLake: {
			rule: "match: {type: dataLake}" + backup("adlspol1", ", parameters: {containers: [raw]}"),
			id:   blobs + "datalake1/blobServices/default", announced: blobs + "datalake1", flow: "protect-blobs",
			parameters: `"storageAccountId":"` + blobs + `datalake1","location":"westus","policy":"adlspol1","dataLake":true,"containers":["raw"]`,
		},
		autoprotect.Cluster: {
			rule: "match: {type: cluster, names: ['*1']}" + backup("akspol1", ""),
			id:   clusterID, announced: clusterID, flow: "protect-cluster",
			parameters: `"clusterId":"` + clusterID + `","location":"westus","policy":"akspol1","friendlyName":"automatic","snapshotResourceGroupId":"` + strings.SplitN(clusterID, "/providers/", 2)[0] + `"`,
		},
		autoprotect.MySQLFlexibleServer: {
			rule: "match: {type: mysqlFlexibleServer}" + backup("mysqlpol1", ""),
			id:   mySQLID, announced: mySQLID, flow: "protect-mysql", parameters: `"serverId":"` + mySQLID + `","location":"westus","policy":"mysqlpol1"`,
		},
	}
}

// started returns the parameters of an operation without those that do not follow
// from the rule.
func started(t *testing.T, op operation.Operation) string {
	t.Helper()
	var all map[string]any
	require.NoError(t, json.Unmarshal(op.Parameters, &all))
	delete(all, "vaultId")
	delete(all, "instanceName")
	raw, err := json.Marshal(all)
	require.NoError(t, err)
	return string(raw)
}

func TestKinds_AnEventAndTheSweepStartTheSameOperation(t *testing.T) {
	t.Parallel()
	for kind, c := range kindCases() {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			rule := "{name: it, " + c.rule + "}"
			bySweep := newSite(t, rule)
			require.NoError(t, bySweep.evaluator().Sweep(t.Context()))
			ops := bySweep.operations()
			require.Len(t, ops, 1, "%s", bySweep.logged())
			require.Equal(t, c.flow, ops[0].Flow)
			require.JSONEq(t, "{"+c.parameters+"}", started(t, ops[0]))
			v := bySweep.verdict(c.id)
			require.Equal(t, "protect", v.Outcome)
			require.Equal(t, ops[0].ID, v.OperationID)
			require.NoError(t, bySweep.evaluator().Sweep(t.Context()))
			require.Len(t, bySweep.operations(), 1, "a second sweep")
			if c.announced == "" {
				return
			}
			byEvent := newSite(t, rule)
			byEvent.deliver(strings.ToUpper(c.announced[:20]) + c.announced[20:])
			byEvent.deliver(c.announced)
			require.Len(t, byEvent.operations(), 1)
			require.Equal(t, ops[0].ID, byEvent.operations()[0].ID, "the sweep and the event start the same operation")
			require.Equal(t, "event", byEvent.verdict(c.id).Source)
		})
	}
}

// Each kind of the table of datasources that Azure still protects has a kind of
// rule, so that a new datasource cannot be forgotten.
func TestKinds_CoverTheTableOfDatasources(t *testing.T) {
	t.Parallel()
	for _, k := range kinds.All() {
		if k.Retired {
			continue
		}
		found := false
		for _, rule := range autoprotect.Datasources() {
			found = found || rule == k.Type
		}
		require.True(t, found, "no rule protects a %s", k.Name)
		require.True(t, k.SourceVersion != "" || k.SourceType == datasource.TypeStorageAccount, "%s cannot be listed", k.Name)
	}
}

func TestKinds_ExclusionsAreThoseOfTheFlows(t *testing.T) {
	t.Parallel()
	for kind, c := range kindCases() {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			s := newSite(t, "{name: it, "+c.rule+"}")
			// The flows that end protection name the datasource of a backup instance,
			// which is the account and not its blobs.
			excluded := strings.TrimSuffix(c.id, "/blobServices/default")
			require.NoError(t, s.store.SaveExclusion(t.Context(), decision.Exclusion{ResourceID: excluded, OperationID: "op-of-a-user", At: s.clock.Now()}))
			require.NoError(t, s.evaluator().Sweep(t.Context()))
			require.Empty(t, s.operations())
			require.Equal(t, "excluded", s.verdict(c.id).Outcome)
		})
	}
}

// A storage account may have shares and blobs, each with its own rule and decision.
func TestKinds_AnAccountHasSharesAndBlobs(t *testing.T) {
	t.Parallel()
	s := newSite(t, "{name: blobs, match: {type: blobs}, protect: {vaultId: "+backupVault+", policy: blobpol1}}", toDaily)
	s.deliver(accountID)
	flows := map[string]int{}
	for _, op := range s.operations() {
		flows[op.Flow]++
	}
	require.Equal(t, map[string]int{"protect-file-share": 2, "protect-blobs": 1}, flows)
	require.Equal(t, "blobs", s.verdict(accountID+"/blobServices/default").Rule)
	require.Equal(t, "daily", s.verdict(ordersID).Rule)
}

// Rules without a type protect what they protected before there were other types.
func TestKinds_ARuleWithoutATypeProtectsNoMachine(t *testing.T) {
	t.Parallel()
	s := newSite(t, "{name: all, "+toVault+"}", "{name: servers, "+toBackup+"}")
	for _, id := range []string{machines + "vm2", diskID, clusterID, mySQLID} {
		s.deliver(id)
	}
	require.NoError(t, s.evaluator().Sweep(t.Context()))
	require.NotEmpty(t, s.operations())
	for _, op := range s.operations() {
		require.Contains(t, []string{"protect-file-share", "protect-postgres"}, op.Flow)
	}
}

func TestSweep_IgnoresMachinesThatTheVaultProtects(t *testing.T) {
	t.Parallel()
	s := newSite(t, "{name: all, match: {type: virtualMachine}, protect: {vaultId: "+vault+", policy: DefaultPolicy}}")
	require.NoError(t, s.evaluator().Sweep(t.Context()))
	var found []string
	for _, op := range s.operations() {
		var p struct{ VirtualMachineID string }
		require.NoError(t, json.Unmarshal(op.Parameters, &p))
		found = append(found, resourceid.LastName(p.VirtualMachineID))
	}
	require.ElementsMatch(t, []string{"vm2", "sqlvm", "sqlvm2", "hanavm", "hanavm2"}, found, "vm1 is protected")
}

// A vault is chosen by the region of the machine. A machine in another region is
// left to later rules.
func TestDecide_ChoosesTheVaultOfTheRegion(t *testing.T) {
	t.Parallel()
	const other = "/subscriptions/" + subscription + "/resourceGroups/g/providers/Microsoft.RecoveryServices/vaults/north"
	all := rules(t,
		"{name: regional, match: {type: virtualMachine}, protect: {vaults: {westeurope: "+vault+", North Europe: "+other+"}, policy: p}}",
		"{name: rest, match: {type: virtualMachine}, protect: {vaultId: "+vault+", policy: p}}",
	)
	machine := autoprotect.Resource{Kind: autoprotect.VirtualMachine, ID: machines + "vm9", SourceID: machines + "vm9", Name: "vm9", Location: "northeurope"}
	d := autoprotect.Decide(all, machine)
	require.Equal(t, "regional", d.Rule.Name)
	require.Equal(t, "protect with policy p of vault north", d.Reason)
	machine.Location = "eastus"
	d = autoprotect.Decide(all, machine)
	require.Equal(t, "rest", d.Rule.Name)
	require.Equal(t, "location eastus is not one of North Europe, westeurope, the locations of the rule's vaults", d.Results[0].Reason)

	_, err := autoprotect.Parse("protection.yaml", []byte("version: 1\nrules:\n"+
		"- {name: a, match: {type: virtualMachine}, protect: {vaults: {westeurope: "+vault+"}, policy: p}}\n"+
		"- {name: b, match: {type: virtualMachine, locations: [West Europe]}, protect: {vaultId: "+vault+", policy: p}}\n"), nil)
	require.ErrorContains(t, err, "never decides: the earlier rule a matches everything that it matches")
}

func TestSweep_FindsDatabasesOfRegisteredMachines(t *testing.T) {
	t.Parallel()
	s := newSite(t, "{name: system, exclude: true, match: {type: sqlDatabase, names: [stock]}}",
		"{name: sql, match: {type: sqlDatabase, tags: {include: {backup: sql}}}, protect: {vaultId: "+vault+", policy: HourlyLogBackup}}")
	s.world(func(w *armsim.World) {
		for i := range w.VirtualMachines {
			if w.VirtualMachines[i].Name == "sqlvm2" {
				w.VirtualMachines[i].RegisteredWith, w.VirtualMachines[i].Tags = w.Vaults[0].ID(), map[string]string{"backup": "sql"}
				w.VirtualMachines[i].Servers[0].Databases = append(w.VirtualMachines[i].Servers[0].Databases, "odd *", "späte daten")
			}
		}
	})
	require.NoError(t, s.evaluator().Sweep(t.Context()))
	var protected []string
	for _, op := range s.operations() {
		require.Equal(t, "protect-database", op.Flow)
		var p struct{ Databases []string }
		require.NoError(t, json.Unmarshal(op.Parameters, &p))
		protected = append(protected, p.Databases...)
	}
	require.ElementsMatch(t, []string{"sales", "salesarchive", "späte daten"}, protected, "%s", s.logged())
	const databases = machines + "sqlvm2/sqlInstances/MSSQLSERVER/databases/"
	odd := s.verdict(databases + "odd%20%2A")
	require.Equal(t, "rejected", odd.Outcome)
	require.Contains(t, odd.Reason, `database "odd *" has a * in its name, which would name other databases too`)
	require.Equal(t, "protect", s.verdict(databases+"sp%C3%A4te%20daten").Outcome)
}

// A machine that is registered with another vault than that of the rule is left
// alone.
func TestSweep_IgnoresDatabasesOfOtherVaults(t *testing.T) {
	t.Parallel()
	const other = "/subscriptions/" + subscription + "/resourceGroups/azurefiles/providers/Microsoft.RecoveryServices/vaults/other"
	s := newSite(t, "{name: other, match: {type: hanaDatabase, virtualMachines: [no-such]}, protect: {vaultId: "+vault+", policy: DailyHana}}",
		"{name: hana, match: {type: hanaDatabase}, protect: {vaultId: "+other+", policy: DailyHana}}")
	s.world(func(w *armsim.World) {
		v := w.Vaults[0]
		v.Name = "other"
		w.Vaults = append(w.Vaults, v)
	})
	require.NoError(t, s.evaluator().Sweep(t.Context()))
	require.Empty(t, s.operations())
}

// A vault finds new databases only when it inquires the machine, which the sweep
// requests at least every four hours.
func TestSweep_InquiresRegisteredMachines(t *testing.T) {
	t.Parallel()
	s := newSite(t, "{name: hana, match: {type: hanaDatabase}, protect: {vaultId: "+vault+", policy: DailyHana}}")
	inquiries := func() (n int) {
		for _, r := range s.arm.Requests() {
			if strings.HasSuffix(r.Path, "/inquire") {
				n++
			}
		}
		return n
	}
	for range 8 {
		require.NoError(t, s.evaluator().Sweep(t.Context()))
		s.clock.Advance(time.Hour)
	}
	require.Positive(t, inquiries())
	perMachine := map[string]int{}
	for _, r := range s.arm.Requests() {
		if strings.HasSuffix(r.Path, "/inquire") {
			perMachine[r.Path]++
		}
	}
	for path, n := range perMachine {
		require.Equal(t, 2, n, path)
	}
}

func TestParse_ChecksTheRulesOfEachKind(t *testing.T) {
	t.Parallel()
	const vm, toVM = "match: {type: virtualMachine}, ", "protect: {vaultId: " + vault + ", policy: DefaultPolicy"
	for rule, want := range map[string]string{
		"{" + vm + "protect: {policy: p}}": "protect: has both or neither of vaultId and vaults",
		"{" + vm + "protect: {vaultId: " + vault + ", vaults: {westus: " + vault + "}, policy: p}}":                                             "protect: has both or neither of vaultId and vaults",
		"{" + vm + "protect: {vaults: {westus: x}, policy: p}}":                                                                                 `protect.vaults.westus: "x" is not the resource ID of a vault`,
		"{" + vm + "protect: {vaults: {eastus: " + vault + ", westus: " + backupVault + "}, policy: p}}":                                        "protect.vaults.westus: is another type of vault than that of the first region",
		"{" + vm + "protect: {vaults: {westus: " + vault + ", West US: " + vault + "}, policy: p}}":                                             "protect.vaults.westus: is the region of another entry",
		"{match: {type: virtualMachine, locations: [eastus]}, protect: {vaults: {westus: " + vault + "}, policy: p}}":                           "match.locations: has no location of protect.vaults; want one of westus",
		"{match: {type: disk}, " + toVM + "}}":                                                                                                  "match.type: is disk, which the vault cannot protect; want one of fileShare, virtualMachine, sqlDatabase, hanaDatabase",
		"{match: {type: machine}, " + toVM + "}}":                                                                                               `match.type: is "machine"; want one of fileShare, virtualMachine`,
		"{match: {type: virtualMachine, storageAccounts: [x]}, " + toVM + "}}":                                                                  "match.storageAccounts: is set in a rule for virtual machines",
		"{match: {type: virtualMachine, virtualMachines: [x]}, " + toVM + "}}":                                                                  "match.virtualMachines: is set in a rule for virtual machines",
		"{match: {type: sqlDatabase}, " + toVM + ", firstBackup: true}}":                                                                        "protect.firstBackup: is set in a rule for SQL Server databases",
		"{" + vm + toVM + ", parameters: {VirtualMachineId: x}}}":                                                                               "protect.parameters.VirtualMachineId: is set by the rule itself",
		"{" + vm + toVM + ", parameters: {firstBackup: {}}}}":                                                                                   "protect.parameters.firstBackup: is set by the rule itself",
		"{" + vm + toVM + ", parameters: {disks: [1]}}}":                                                                                        "protect.parameters.disks: is an unknown field",
		"{" + vm + toVM + ", parameters: {excludeDisks: {luns: [-1]}}}}":                                                                        "protect.parameters.excludeDisks",
		"{match: {type: dataLake}, protect: {vaultId: " + backupVault + ", policy: p}}":                                                         "protect.parameters.containers: is missing for a Data Lake Storage account",
		"{match: {type: blobs}, protect: {vaultId: " + backupVault + ", policy: p, parameters: {containers: [Ok]}}}":                            `protect.parameters.containers[0]: "Ok" is not the name of a blob container`,
		"{match: {type: disk}, protect: {vaultId: " + backupVault + ", policy: p, parameters: {snapshotResourceGroupId: ../x}}}":                "protect.parameters.snapshotResourceGroupId",
		"{match: {type: cluster}, protect: {vaultId: " + backupVault + ", policy: p, parameters: {friendlyName: \"a/b\"}}}":                     "protect.parameters.friendlyName",
		"{match: {type: mysqlFlexibleServer}, protect: {vaultId: " + backupVault + ", policy: " + backupVault + "2/backupPolicies/p}}":          "protect.policy",
		"{match: {type: sqlDatabase}, protect: {vaultId: " + vault + ", policy: p, parameters: {databases: ['*']}}}":                            "protect.parameters.databases: is set by the rule itself",
		"{match: {type: cluster}, protect: {vaultId: " + backupVault + ", policy: p, parameters: {instanceName: \"one\", friendlyName: none}}}": "",
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			_, err := autoprotect.Parse("protection.yaml", []byte("version: 1\nrules:\n- "+strings.Replace(rule, "{", "{name: one, ", 1)+"\n"), s.check)
			if want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, "rules[0]."+want)
		})
	}
}

// Explain names what Azure Policy compares differently.
func TestExplain_SaysWhatAzurePolicyMayMiss(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.world(func(w *armsim.World) {
		for i := range w.VirtualMachines {
			w.VirtualMachines[i].Tags = map[string]string{"backup": "gold", "env": "prod"}
			if w.VirtualMachines[i].Name == "vm2" {
				w.VirtualMachines[i].ImagePublisher = "Canonical"
			}
		}
	})
	all := rules(t, "{name: it, match: {type: virtualMachine, tags: {include: {backup: 'g*', env: prod}}}, protect: {vaults: {westeurope: "+vault+", eastus: "+vault+"}, policy: p}}")
	explain := func(id string) autoprotect.Explanation {
		found, err := autoprotect.Explain(t.Context(), all, s.config.Datasources, id)
		require.NoError(t, err)
		require.Len(t, found, 1)
		return found[0]
	}
	vm2 := explain(machines + "vm2")
	require.Equal(t, autoprotect.Protect, vm2.Decision.Outcome)
	require.Equal(t, []string{
		"it acts when a machine is created or written: a machine that is older than the assignment needs a remediation task; this one was created on 2024-01-01",
		"it deploys once: a deployment that failed needs a remediation task, and the app tries once a day",
		"an assignment has one vault and one region: eastus, westeurope need one assignment each",
		"it compares one tag: the rule compares several",
		"it compares whole values: the rule compares tag backup with a pattern",
	}, vm2.PolicyGaps)
	require.Contains(t, explain(machines+"vm1").PolicyGaps, "it knows machines by the publisher of their marketplace image: this machine has none")

	found, err := autoprotect.Explain(t.Context(), rules(t, toDaily), s.config.Datasources, machines+"vm2")
	require.NoError(t, err)
	require.Equal(t, autoprotect.None, found[0].Decision.Outcome)
	require.Equal(t, "the rule is for type fileShare", found[0].Decision.Results[0].Reason)
	require.Empty(t, found[0].PolicyGaps, "no rule protects the machine")
}

// The app explains with its own rules, and names the field of a request that it
// cannot answer.
func TestEvaluator_ExplainsWithItsOwnRules(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.config.Rules = rules(t, toDaily)
	found, err := s.evaluator().Explain(t.Context(), machines+"vm2")
	require.NoError(t, err)
	want, err := autoprotect.Explain(t.Context(), s.config.Rules, s.config.Datasources, machines+"vm2")
	require.NoError(t, err)
	require.Equal(t, want, found)

	var invalid *step.Invalid
	_, err = s.evaluator().Explain(t.Context(), "nonsense")
	require.ErrorAs(t, err, &invalid)
	require.Equal(t, "resource", invalid.Fields[0].Field)
	s.config.RulesErr = errors.New("line 3")
	_, err = s.evaluator().Explain(t.Context(), machines+"vm2")
	require.ErrorAs(t, err, &invalid)
	require.Contains(t, invalid.Fields[0].Problem, "cannot be parsed")
}

func TestExplainFacts_KnowsDatabases(t *testing.T) {
	t.Parallel()
	all := rules(t, "{name: sql, match: {type: sqlDatabase, virtualMachines: [sql*], names: [sales*]}, protect: {vaultId: "+vault+", policy: p}}")
	found, err := autoprotect.ExplainFacts(all, machines+"sqlvm2/sqlInstances/MSSQLSERVER/databases/sales%20eu", autoprotect.Facts{Location: "westeurope"})
	require.NoError(t, err)
	require.Len(t, found, 1)
	require.Equal(t, autoprotect.Protect, found[0].Decision.Outcome)
	require.Equal(t, machines+"sqlvm2/sqlInstances/MSSQLSERVER/databases/sales%20eu", found[0].ResourceID)
	for _, id := range []string{
		machines + "vm/sqlInstances/a/databases/%zz", machines + "vm/sqlInstances/a/databases/", machines + "../x/sqlInstances/a/databases/b",
		machines + "vm/otherInstances/a/databases/b", group + "Microsoft.Compute/disks/d/sqlInstances/a/databases/b", group + "Microsoft.Sql/servers/x",
		diskID + "/x", machines + "vm?x", "/subscriptions/" + subscription,
	} {
		_, err := autoprotect.ExplainFacts(all, id, autoprotect.Facts{})
		require.ErrorContains(t, err, "cannot be protected by rules", id)
	}
}
