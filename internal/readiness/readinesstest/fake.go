// Package readinesstest has a report of a few resources, for tests of what shows it.
package readinesstest

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"azbackupflow/internal/api"
	"azbackupflow/internal/readiness"
	"azbackupflow/internal/readiness/scan"
)

// Fake makes the same report again and again, as far as the request selects it.
type Fake struct {
	Now func() time.Time
	// Err is the error of each report.
	Err error

	mu sync.Mutex
	// incomplete counts the reports that are not complete yet.
	incomplete int
	problems   []api.ReadinessProblem
	items      []api.ReadinessItem
	requests   []scan.Request
}

// Vault is the vault of the report.
const Vault = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/azurefiles/providers/Microsoft.RecoveryServices/vaults/azurefilesvault"

// Account is the storage account of the report's file shares.
const Account = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/AzureFiles/providers/Microsoft.Storage/storageAccounts/testvault2"

// Incomplete makes the next n reports incomplete.
func (f *Fake) Incomplete(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.incomplete = n
}

// Fail adds a part that cannot be read.
func (f *Fake) Fail(p api.ReadinessProblem) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.problems = append(f.problems, p)
}

// Show replaces the resources of the report.
func (f *Fake) Show(items ...api.ReadinessItem) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.items = items
}

// Requests returns what was requested.
func (f *Fake) Requests() []scan.Request {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]scan.Request(nil), f.requests...)
}

// Items returns a resource in each state.
func Items(now time.Time) []api.ReadinessItem {
	at := func(age time.Duration) *time.Time { t := now.Add(-age); return &t }
	const subscription = "00000000-0000-0000-0000-000000000000"
	item := func(name string) api.ReadinessItem {
		return api.ReadinessItem{
			ResourceID: Account + "/fileServices/default/shares/" + name, ItemID: Vault + "/backupFabrics/Azure/protectionContainers/c/protectedItems/AzureFileShare;" + name,
			VaultID: Vault, Name: name, Type: "AzureFileShare", Subscription: subscription, Tag: "prod", ProtectionState: "Protected", Policy: "schedule1", Retention: "daily 30 days",
			LastBackup: at(5 * time.Hour), Rule: "tagged-shares", RuleOutcome: "protect",
			ProtectCommand: readiness.ProtectCommand("protect-file-share", map[string]any{"vaultId": Vault, "storageAccountId": Account, "fileShare": name, "policy": "schedule1"}),
		}
	}
	proven, old, stopped := item("accounts"), item("billing"), item("contracts")
	proven.Drill = &api.ReadinessDrill{ID: "drill1", Started: now.Add(-240 * time.Hour), Result: "Proven", RestoreTime: "PT0H2M59S", Verified: true}
	old.LastBackup, old.LastRecoveryPoint, old.Tier, old.BackupFailed = nil, at(75*time.Hour), "HardenedRP", "Failed"
	stopped.ProtectionState, stopped.LastBackup = "ProtectionStopped", at(900*time.Hour)
	excluded := item("scratch-1")
	excluded.ItemID, excluded.VaultID, excluded.ProtectionState, excluded.Policy, excluded.Retention, excluded.LastBackup = "", "", "", "", "", nil
	unprotected := excluded
	excluded.Rule, excluded.RuleOutcome, excluded.ProtectCommand = "exclude-scratch", "exclude", ""
	unprotected.ResourceID, unprotected.Name, unprotected.Tag = Account+"/fileServices/default/shares/orders", "orders", "test"
	unprotected.ProtectCommand = item("orders").ProtectCommand
	return []api.ReadinessItem{unprotected, excluded, proven, old, stopped, item("drafts")}
}

// Report implements httpapi.Readiness.
func (f *Fake) Report(_ context.Context, q scan.Request) (api.Readiness, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.requests = append(f.requests, q)
	if f.Err != nil {
		return api.Readiness{}, f.Err
	}
	now := f.Now()
	r := api.Readiness{
		Version: api.ReadinessVersion, At: now, Items: []api.ReadinessItem{},
		Scan:   api.ReadinessScan{Complete: true, Parts: 3, Read: 3 - len(f.problems), Failed: len(f.problems), Calls: 9, Oldest: now.Add(-time.Minute), Problems: append([]api.ReadinessProblem{}, f.problems...)},
		Vaults: []api.ReadinessVault{{ID: Vault, Name: "azurefilesvault", Location: "westeurope", SoftDelete: "AlwaysOn", SoftDeleteDays: 14, Immutability: "Disabled", At: now.Add(-time.Minute)}},
	}
	r.Vaults[0].Findings = readiness.Findings(r.Vaults[0])
	if f.incomplete > 0 && !q.ReadNothing {
		f.incomplete--
		r.Scan.Complete, r.Scan.Read, r.Scan.RetryAfterSeconds = false, 1, 2
	}
	judge, err := readiness.New(readiness.Config{Now: now, MaxProofAge: q.MaxProofAge, MaxPointAge: q.MaxPointAge})
	if err != nil {
		return r, err
	}
	items := f.items
	if items == nil {
		items = Items(now)
	}
	for _, i := range items {
		if q.Tag == "" {
			i.Tag = ""
		}
		r.Items = append(r.Items, judge.Assess(i))
	}
	slices.SortFunc(r.Items, func(a, b api.ReadinessItem) int { return cmp.Compare(scan.Position(a), scan.Position(b)) })
	r.Scores = readiness.Scores(r.Items, []string{Vault}, q.Tag != "")
	return r, nil
}
