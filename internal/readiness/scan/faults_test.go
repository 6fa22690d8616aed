package scan_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/api"
	"azbackupflow/internal/arm/datasource"
	"azbackupflow/internal/autoprotect/decision"
	"azbackupflow/internal/drill/evidence"
	"azbackupflow/internal/local/armsim"
	"azbackupflow/internal/readiness/scan"
	"azbackupflow/internal/step"
)

const (
	subscription = "00000000-0000-0000-0000-000000000001"
	filesVault   = "/subscriptions/" + subscription + "/resourceGroups/rg/providers/Microsoft.RecoveryServices/vaults/files00"
	dataVault    = "/subscriptions/" + subscription + "/resourceGroups/rg/providers/Microsoft.DataProtection/backupVaults/data00"
)

// small returns a rig of one subscription of the estate.
func small(t testing.TB) *rig {
	t.Helper()
	e := &estate{truth: map[string]fate{}, ids: map[string]string{}}
	e.rules.WriteString(estateRules)
	e.addSubscription(0, 3, 14)
	r := newRig(t, e.world, e.rules.String())
	e.settle(r)
	return r
}

func states(report api.Readiness) map[string]api.ReadinessState {
	all := map[string]api.ReadinessState{}
	for _, i := range report.Items {
		all[i.Name] = i.State
	}
	return all
}

func TestReport_WaitsForAThrottledPartAndReadsTheOthers(t *testing.T) {
	t.Parallel()
	r := small(t)
	want, _ := small(t).complete(scan.Request{})
	r.sim.Inject(armsim.Rule{
		Kind: "GET backupProtectedItems", Times: 1,
		Effect: armsim.AnswerError(http.StatusTooManyRequests, "ResourceRequestsThrottled", "slowly", http.Header{"Retry-After": {"40"}}),
	})
	first, err := r.scanner().Report(t.Context(), scan.Request{MaxProofAge: 365 * day})
	require.NoError(t, err)
	require.False(t, first.Scan.Complete)
	require.Equal(t, first.Scan.Parts-1, first.Scan.Read)
	require.InDelta(t, 40, first.Scan.RetryAfterSeconds, 5)
	require.Empty(t, first.Scan.Problems, "throttling is not reported as a problem")
	calls := len(r.sim.Requests())
	again, err := r.scanner().Report(t.Context(), scan.Request{MaxProofAge: 365 * day})
	require.NoError(t, err)
	require.Zero(t, again.Scan.CallsNow, "not before the time that Azure named")
	require.Len(t, r.sim.Requests(), calls)
	report, _ := r.complete(scan.Request{})
	require.Equal(t, states(want), states(report))
	require.Equal(t, want.Scan.Calls+1, report.Scan.Calls, "the throttled call counts")
}

func TestReport_NamesThePartsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	r := small(t)
	remove := r.sim.Inject(armsim.Rule{
		Kind: "GET backupInstances", Effect: armsim.AnswerError(http.StatusForbidden, "AuthorizationFailed", "The client does not have authorization to perform action 'Microsoft.DataProtection/backupVaults/backupInstances/read'.", nil),
	})
	report, _ := r.complete(scan.Request{})
	require.Equal(t, 1, report.Scan.Failed)
	require.Len(t, report.Scan.Problems, 1)
	require.Equal(t, "vault", report.Scan.Problems[0].Part)
	require.Equal(t, dataVault, report.Scan.Problems[0].Subject)
	require.Equal(t, "AuthorizationFailed", report.Scan.Problems[0].Code)
	for _, i := range report.Items {
		require.NotEqual(t, dataVault, i.VaultID)
	}
	calls := len(r.sim.Requests())
	_, _ = r.complete(scan.Request{})
	require.Len(t, r.sim.Requests(), calls, "it is not asked again at once")
	remove()
	r.clock.Advance(scan.MinAge + time.Second)
	report, _ = r.complete(scan.Request{})
	require.Empty(t, report.Scan.Problems, "the permission was granted")
	require.Len(t, report.Items, 3*sharesEach+14)
}

// A part may be new enough for one caller after another caller could not read it
// again. The report leaves it out, and names it as a problem.
func TestReport_NamesAPartThatCouldNotBeReadAgain(t *testing.T) {
	t.Parallel()
	r := small(t)
	vaults := []string{filesVault, dataVault}
	before, _ := r.complete(scan.Request{Vaults: vaults})
	r.clock.Advance(10 * time.Minute)
	r.sim.Inject(armsim.Rule{Kind: "GET backupInstances", Effect: armsim.AnswerError(http.StatusForbidden, "AuthorizationFailed", "no authorization", nil)})
	r.listErr = errors.New("storage unavailable")
	_, _ = r.complete(scan.Request{Vaults: vaults, MaxAge: scan.MinAge})
	report, _ := r.complete(scan.Request{Vaults: vaults, MaxAge: scan.DefaultAge})
	require.Less(t, len(report.Items), len(before.Items))
	require.Len(t, report.Vaults, 1)
	require.Zero(t, report.Scores[0].Proven, "without the drills")
	require.Equal(t, 1, report.Scan.Read)
	require.Equal(t, 2, report.Scan.Failed)
	var problems []string
	for _, p := range report.Scan.Problems {
		problems = append(problems, p.Part+" "+p.Subject)
	}
	require.Equal(t, []string{"vault " + dataVault, "drills "}, problems)
}

func TestReport_RepeatsErrorsThatMayPass(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("makes many reports")
	}
	for name, effect := range map[string]armsim.Effect{
		"server error": armsim.Answer(http.StatusInternalServerError, "", nil),
		"reset":        armsim.ResetBefore(),
		"no list":      armsim.Answer(http.StatusOK, `{"value":7}`, nil),
		"no JSON":      armsim.Answer(http.StatusOK, `<html>`, nil),
	} {
		r := small(t)
		want, _ := small(t).complete(scan.Request{})
		r.sim.Inject(armsim.Rule{Kind: "GET shares", Skip: 2, Times: 2, Effect: effect})
		report, requests := r.complete(scan.Request{})
		require.True(t, requests > 1 || name == "reset", "%s: the HTTP client repeats a read after a reset", name)
		require.Empty(t, report.Scan.Problems, name)
		require.Equal(t, states(want), states(report), name)

		r = small(t)
		r.sim.Inject(armsim.Rule{Kind: "GET shares", Effect: effect})
		report, _ = r.complete(scan.Request{})
		require.Len(t, report.Scan.Problems, 1, name)
		require.Equal(t, "rules", report.Scan.Problems[0].Part)
		require.Equal(t, subscription, report.Scan.Problems[0].Subject)
	}
}

// dying are rows of a process that dies after some saves.
type dying struct {
	rows
	mu   sync.Mutex
	left int
}

var errDied = errors.New("died")

func (d *dying) Save(ctx context.Context, key string, value []byte, etag string) (newETag string, saved bool, err error) {
	d.mu.Lock()
	d.left--
	dead := d.left < 0
	d.mu.Unlock()
	if dead {
		return "", false, errDied
	}
	return d.rows.Save(ctx, key, value, etag)
}

// A process may die before each save: the next one continues, and the report is the
// same.
func TestReport_ContinuesAfterAProcessDied(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("makes many reports")
	}
	want, _ := small(t).complete(scan.Request{Tag: "env", MaxPointAge: day})
	for saves := range 12 {
		r := small(t)
		kept, ok := r.config.Rows.(rows)
		require.True(t, ok)
		r.config.Rows = &dying{rows: kept, left: saves}
		_, err := r.scanner().Report(t.Context(), scan.Request{Tag: "env", MaxPointAge: day, MaxProofAge: 365 * day})
		if err != nil {
			require.ErrorIs(t, err, errDied)
		}
		r.config.Rows = kept
		report, _ := r.complete(scan.Request{Tag: "env", MaxPointAge: day})
		require.Equal(t, states(want), states(report), "after %d saves", saves)
		require.Equal(t, want.Scores, report.Scores)
	}
}

// Instances that make reports at the same time share the work.
func TestReport_ReadsEachPartOnceForManyInstances(t *testing.T) {
	t.Parallel()
	r := small(t)
	r.perCall = 0
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			_, err := r.scanner().Report(context.WithoutCancel(t.Context()), scan.Request{MaxProofAge: 365 * day})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	_, _ = r.complete(scan.Request{})
	r.calls(1)
}

// A Backup vault allows 100 lists of recovery points an hour. The scan keeps below,
// and continues for hours if it must.
func TestReport_ReadsRecoveryPointsWithinTheQuota(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("makes many reports")
	}
	world := armsim.World{BackupVaults: []armsim.BackupVault{{
		Subscription: subscription, ResourceGroup: "rg", Name: "data00", Location: "westeurope",
		Policies: []armsim.BackupPolicy{{Name: "weekly", DatasourceTypes: []string{datasource.TypeFlexibleServer}}},
	}}}
	for n := range 150 {
		server := armsim.FlexibleServer{Subscription: subscription, ResourceGroup: "rg", Name: fmt.Sprintf("pg%03d", n), Location: "westeurope"}
		world.FlexibleServers = append(world.FlexibleServers, server)
		world.ProtectedDatasources = append(world.ProtectedDatasources, armsim.ProtectedDatasource{
			Vault: dataVault, Policy: "weekly", Datasource: server.ID(), Instance: server.Name,
			RecoveryPoints: []armsim.RecoveryPoint{{ID: fmt.Sprintf("%032x", n), Age: 6 * time.Hour}},
		})
	}
	r := newRig(t, world, "", dataVault)
	began := r.clock.Now()
	report, requests := r.complete(scan.Request{Points: true, MaxPointAge: day, MaxAge: 12 * time.Hour})
	require.Len(t, report.Items, 150)
	for _, i := range report.Items {
		require.Equal(t, "VaultStore", i.Tier)
		require.NotNil(t, i.LastRecoveryPoint)
		require.Equal(t, "default P12W in VaultStore", i.Retention)
	}
	require.Greater(t, requests, 1)
	require.Greater(t, r.clock.Now().Sub(began), 30*time.Minute, "the quota of one hour is too small")
	require.Equal(t, 154, r.calls(1))
	require.Equal(t, 154, report.Scan.Calls)
	drop := r.config
	drop.Vaults = nil
	none, err := scan.New(drop)
	require.NoError(t, err)
	empty, err := none.Report(t.Context(), scan.Request{MaxProofAge: day})
	require.NoError(t, err)
	require.Empty(t, empty.Items)
	require.True(t, empty.Scan.Complete, "an app without vaults has an empty report")
}

func TestReport_IsAboutTheNamedVaults(t *testing.T) {
	t.Parallel()
	r := small(t)
	report, _ := r.complete(scan.Request{Vaults: []string{strings.ToUpper(filesVault[:20]) + filesVault[20:] + "/", filesVault}})
	require.Len(t, report.Vaults, 1, "the same vault")
	for _, i := range report.Items {
		require.NotEmpty(t, i.ItemID)
		require.Empty(t, i.Rule, "the rules were not read")
	}
	var invalid *step.Invalid
	_, err := r.scanner().Report(t.Context(), scan.Request{Vaults: []string{"files00"}, MaxProofAge: day})
	require.ErrorAs(t, err, &invalid)
	require.Equal(t, "vault", invalid.Fields[0].Field)
}

func TestReport_VerifiesEachDocumentOnce(t *testing.T) {
	t.Parallel()
	r := small(t)
	_, _ = r.complete(scan.Request{})
	opened := r.opened
	require.Positive(t, opened)
	r.clock.Advance(2 * time.Hour)
	_, _ = r.complete(scan.Request{})
	require.Equal(t, opened, r.opened, "what was verified before is kept")

	item := r.sim.ProtectedItems()[0].ID
	r.drilled(item, evidence.Proven, time.Minute)
	r.clock.Advance(2 * time.Hour)
	_, _ = r.complete(scan.Request{})
	require.Equal(t, opened+1, r.opened)

	r = small(t)
	r.unverified = true
	report, _ := r.complete(scan.Request{})
	require.Zero(t, report.Scores[0].Proven, "no evidence is verified")
	r = small(t)
	r.openErr = errors.New("storage unavailable")
	report, _ = r.complete(scan.Request{})
	require.Equal(t, "drills", report.Scan.Problems[0].Part)
	require.Contains(t, report.Scan.Problems[0].Message, "storage unavailable")
}

func TestReport_FailsIfTheRulesAreInvalid(t *testing.T) {
	t.Parallel()
	r := small(t)
	r.breakRules(errors.New("line 3: names"))
	report, _ := r.complete(scan.Request{})
	require.Equal(t, 1, report.Scan.Failed)
	require.Equal(t, "InvalidRules", report.Scan.Problems[0].Code)
	require.Contains(t, report.Scan.Problems[0].Message, "line 3: names")
}

// An exclusion may name the item itself, because several items have one machine.
func TestReport_FindsExclusionsOfItemsAndResources(t *testing.T) {
	t.Parallel()
	r := small(t)
	report, _ := r.complete(scan.Request{})
	var stopped []api.ReadinessItem
	for _, i := range report.Items {
		if i.State == api.ReadinessNotProtected && i.ProtectionState == "ProtectionStopped" {
			stopped = append(stopped, i)
		}
	}
	require.Greater(t, len(stopped), 1)
	require.NoError(t, r.store.SaveExclusion(t.Context(), decision.Exclusion{ResourceID: strings.ToUpper(stopped[0].ItemID), OperationID: "op7"}))
	require.NoError(t, r.store.SaveExclusion(t.Context(), decision.Exclusion{ResourceID: stopped[1].ResourceID}))
	report, _ = r.complete(scan.Request{})
	require.Equal(t, api.ReadinessExcluded, states(report)[stopped[0].Name])
	require.Equal(t, api.ReadinessExcluded, states(report)[stopped[1].Name], "also one whose record cannot be read")

	for _, x := range []decision.Exclusion{{ResourceID: stopped[0].ItemID}, {ResourceID: stopped[1].ResourceID}} {
		x.At = r.clock.Now().Add(-day) // the simulated resources are younger
		require.NoError(t, r.store.SaveExclusion(t.Context(), x))
	}
	report, _ = r.complete(scan.Request{})
	require.Equal(t, api.ReadinessNotProtected, states(report)[stopped[0].Name], "an exclusion that is older than the resource does not count")
	require.Equal(t, api.ReadinessNotProtected, states(report)[stopped[1].Name])
}
