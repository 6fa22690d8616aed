//go:build unix

package dashboard_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/api"
	"azbackupflow/internal/client/clienttest"
	"azbackupflow/internal/dashboard"
)

// Sizes of an app with many vaults, whose operators declared many schedules.
const (
	manyDeclared  = 200
	manyItems     = 2000
	manyDecisions = 4000
	manyVaults    = 300
)

// largeAPI is an API whose other lists are long, too. The rows have the lengths of
// those of Azure.
type largeAPI struct{ dashboard.API }

// manyRows makes each list of a dashboard long.
func manyRows(c *dashboard.Config) {
	inner := c.API
	c.API = func(r *http.Request) dashboard.API { return largeAPI{inner(r)} }
}

func manySchedules() (all []api.Schedule) {
	first := clienttest.Began()
	for n := range manyDeclared {
		one := api.Schedule{
			Name: fmt.Sprint("schedule-", n), Cron: "30 2 * * *", TimeZone: "Europe/Berlin", Flow: "backup-now", Enabled: true, Paused: n%10 == 0,
			PausedBy: &api.Actor{Kind: "user", ID: "00000000-0000-0000-0000-00000000abcd"}, PauseReason: "maintenance of the storage account",
			Last: &api.ScheduledRun{Slot: "2026-11-20T02:30", At: first}, Skipped: n, Rejected: n % 3, Waiting: n % 5,
		}
		for day := range 10 {
			at := first.AddDate(0, 0, day)
			one.Next = append(one.Next, api.ScheduledRun{Slot: at.Format("2006-01-02T15:04"), At: at})
		}
		all = append(all, one)
	}
	return all
}

func (largeAPI) Schedules(context.Context) (api.ScheduleList, error) {
	return api.ScheduleList{Schedules: manySchedules()}, nil
}

func (largeAPI) Drills(context.Context) (api.DrillList, error) {
	var list api.DrillList
	for _, one := range manySchedules() {
		list.Drills = append(list.Drills, api.Drill{
			Schedule: one, VaultID: clienttest.Vault, ItemType: "AzureFileShare",
			LastResults: &api.DrillResults{Run: "2026-11-20T02:30", Proven: 20, ObjectivesMissed: 3, NotValidated: 2, Failed: 1, CleanUpsFailed: 1},
		})
	}
	return list, nil
}

func (largeAPI) ListEvidence(_ context.Context, q api.EvidenceQuery) (page api.EvidencePage, err error) {
	page.Continue = "more"
	for n := range q.PageSize {
		page.Evidence = append(page.Evidence, api.Evidence{
			ID: strings.Repeat(fmt.Sprint(n%10), 40), Drill: "schedule-1", Run: "2026-11-20T02:30", Result: api.DrillProven, ItemID: manyID("vm", n),
			ItemName: fmt.Sprint("orders-", n), ItemType: "AzureFileShare", Ended: clienttest.Began(), RestoreTime: "PT42M", PointAge: "PT23H",
		})
	}
	return page, nil
}

// manyID returns a resource ID of the length of Azure's.
func manyID(kind string, n int) string {
	return fmt.Sprintf("%s/backupFabrics/Azure/protectionContainers/IaasVMContainer;iaasvmcontainerv2;rg-production;%s-%04d/protectedItems/VM;iaasvmcontainerv2;rg-production;%[2]s-%04[3]d", clienttest.Vault, kind, n)
}

func (largeAPI) Inventory(context.Context, string, map[string]string) (list api.Inventory, err error) {
	for n := range manyItems {
		at := clienttest.Began()
		list.Entries = append(list.Entries, api.InventoryEntry{
			ID: manyID("machine", n), Name: fmt.Sprintf("machine-%04d", n), Type: "VM", Policy: clienttest.Vault + "/backupPolicies/DefaultPolicy", State: "Protected", LastRecoveryPoint: &at,
		})
	}
	return list, nil
}

func (largeAPI) Decisions(_ context.Context, q api.DecisionQuery) (page api.DecisionPage, err error) {
	first := 0
	if q.Continue != "" {
		if _, err := fmt.Sscan(q.Continue, &first); err != nil {
			return page, err
		}
	}
	last := min(first+q.PageSize, manyDecisions)
	for n := first; n < last; n++ {
		page.Decisions = append(page.Decisions, api.Decision{
			ResourceID: manyID("machine", n), Outcome: []string{"protect", "lost", "none"}[n%3], Rule: "western-machines", Source: "sweep", At: clienttest.Began().Add(time.Duration(n) * time.Second),
			Reason: "the tags, the location and the resource group match; the vault is in the same region", OperationID: strings.Repeat("a", 26), DryRunMatches: []string{"databases"},
		})
	}
	if last < manyDecisions {
		page.Continue = fmt.Sprint(last)
	}
	return page, nil
}

func (largeAPI) Limits(context.Context) (api.LimitList, error) {
	list := api.LimitList{At: clienttest.Began()}
	for n := range manyVaults {
		for _, name := range []string{"Job reads", "Item reads", "Policy writes", "Restores"} {
			one := api.Limit{
				Name: name, Subscription: "00000000-0000-0000-0000-000000000000", Scope: fmt.Sprint(clienttest.Vault, "-", n), Provider: "Microsoft.RecoveryServices", Used: n, Limit: 150, WindowSeconds: 3600,
				ResetAt: clienttest.Began(), ThrottledAt: clienttest.Began(), WaitingCount: 300,
			}
			if name == "Restores" {
				one.Limit, one.WaitingCount = 0, 0 // Azure has not named it
			}
			for range min(one.WaitingCount, api.MaxLimitWaiters) {
				one.Waiting = append(one.Waiting, api.LimitWaiter{Operation: strings.Repeat("b", 26), Until: clienttest.Began()})
			}
			list.Limits = append(list.Limits, one)
		}
	}
	return list, nil
}

func (largeAPI) Readiness(_ context.Context, q api.ReadinessQuery) (api.Readiness, error) {
	report := api.Readiness{Continue: "more", Scan: api.ReadinessScan{Complete: true}, Scores: []api.ReadinessScore{{Group: "total", Items: 100_000}}}
	began := clienttest.Began()
	for n := range q.PageSize {
		report.Items = append(report.Items, api.ReadinessItem{
			Name: fmt.Sprintf("machine-%04d", n), Type: "VM", VaultID: clienttest.Vault, State: api.ReadinessNotProven, LastRecoveryPoint: &began,
			Reasons: []string{"no drill has restored it", "the latest recovery point is older than a day"}, Next: []string{"azbackupflow start drill-restore --item " + manyID("machine", n)},
		})
	}
	for n := range manyVaults {
		report.Vaults = append(report.Vaults, api.ReadinessVault{
			ID: fmt.Sprint(clienttest.Vault, "-", n), Name: fmt.Sprint("vault-", n), Location: "westeurope", SoftDelete: "On", SoftDeleteDays: 14, Immutability: "Disabled",
			Findings: []string{"immutability is off: backups can be deleted before their time", "no Resource Guard protects the vault"},
		})
	}
	return report, nil
}

// Long lists have pages, which together show every row once.
func TestPages_OfLongListsShowEachRowOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t, manyRows)
	for path, test := range map[string]struct {
		row   string
		total int
	}{
		"schedules": {`<h2 id="schedule-`, manyDeclared}, "drills": {`<h2 id="schedule-`, manyDeclared}, "limits": {"vaults/azurefilesvault-", 0},
		"items?vault=" + clienttest.Vault: {`<b><bdi>machine-`, manyItems}, "protection?outcome=none": {`<td class="fixed first">none</td>`, manyDecisions / 3},
	} {
		rows, pages := 0, 0
		for next := path; next != ""; pages++ {
			body := s.page(next)
			rows += strings.Count(body, test.row)
			next = nextPage(path, body)
			require.LessOrEqual(t, len(body), maxTransferred, path)
		}
		require.Greater(t, pages, 1, path)
		if test.total > 0 {
			require.Equal(t, test.total, rows, path)
		}
	}
}

// nextPage returns the path of the next page of a list; empty if there is none.
func nextPage(path, body string) string {
	before, _, found := strings.Cut(body, `" rel="next">Next`)
	if !found {
		return ""
	}
	query := before[strings.LastIndex(before, `href="?`)+len(`href="`):]
	path, _, _ = strings.Cut(path, "?")
	return path + strings.ReplaceAll(query, "&amp;", "&")
}
