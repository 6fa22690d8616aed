package e2e

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/api"
	"azbackupflow/internal/client"
	"azbackupflow/internal/drill/evidence"
	"azbackupflow/internal/local/armsim"
	"azbackupflow/internal/local/stack"
)

// A drill that drills.yaml declares runs on request to evidence that the API lists, and
// that verifies offline.
func TestDrill_DeclaredDrillRunsToEvidenceInTheArchive(t *testing.T) {
	t.Parallel()
	world := armsim.DemoWorld()
	settings := drillSettings()
	settings["AZBACKUPFLOW_DRILLS"] = declare(t, "drills.yaml", `version: 1
drills:
  - name: yearly-files
    cron: "0 4 1 1 *"
    timeZone: UTC
    select: {vaultId: `+world.Vaults[0].ID()+`, type: AzureFileShare, names: [testshare], count: 3}
    point: {rule: latest}
    target: {storageAccountId: `+drillAccount+`}
    objectives: {restoreTime: 30d}
    validation: {by: none}
    cleanUp: delete
    evidence: {retention: 400d}
`)
	l := start(t, stack.Config{SpeedFactor: 300, World: &world, Settings: settings, Drills: true})
	l.succeeds(l.begin(map[string]any{"flow": "protect-file-share", "key": "share", "parameters": fileShare{world.StorageAccounts[0].ID(), "testshare"}.parameters()}))
	c, err := client.New(client.Config{URL: l.URL(), Now: time.Now, Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }})
	require.NoError(t, err)
	list, err := c.Drills(t.Context())
	require.NoError(t, err)
	require.False(t, list.Incomplete)
	require.Len(t, list.Drills, 1)
	run, err := c.RunDrill(t.Context(), "yearly-files", "r1", "audit")
	require.NoError(t, err)
	require.Equal(t, "run-r1", run.Slot)
	var page api.EvidencePage
	require.Eventually(t, func() bool {
		page, err = c.ListEvidence(t.Context(), api.EvidenceQuery{Drill: "yearly-files"})
		return err == nil && len(page.Evidence) > 0
	}, maxWait, 50*time.Millisecond)
	require.Len(t, page.Evidence, 1)
	found := page.Evidence[0]
	require.Equal(t, "Proven", found.Result)
	require.Equal(t, "run-r1", found.Run)
	require.Equal(t, 400*24*time.Hour, found.KeepUntil.Sub(found.Ended).Round(24*time.Hour))

	file, err := c.Evidence(t.Context(), found.ID)
	require.NoError(t, err)
	raw, err := os.ReadFile(l.DrillKey())
	require.NoError(t, err)
	key, err := evidence.ParsePublicKey(raw)
	require.NoError(t, err)
	verified, err := evidence.Verify(found.ID, file, []evidence.PublicKey{key})
	require.NoError(t, err)
	require.Equal(t, "yearly-files", verified.Evidence.Drill.Name)
	published, err := c.EvidenceKey(t.Context())
	require.NoError(t, err)
	require.Equal(t, string(raw), published.PublicKey)
	list, err = c.Drills(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, list.Drills[0].LastResults.Proven)
	require.Empty(t, l.places())
}
