package flow_test

import (
	"fmt"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/local/armsim"
	"azbackupflow/internal/operation"
)

// A subscription allows 200 writes and 10 more each second. A thousand backups
// that are due in the same minute are spread over this quota, and a restore
// that arrives in between does not wait for them.
func TestPriority_SpreadsAThousandBackupsAndStartsARestoreFirst(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes seconds: starts a thousand backups")
	}
	for _, instances := range []int{1, 2} {
		t.Run(fmt.Sprintf("%d instances", instances), func(t *testing.T) {
			t.Parallel()
			startBackups(t, 20, 50/share, instances)
		})
	}
}

func startBackups(t *testing.T, vaults, each, instances int) {
	f := newFleet(t, instances, armsim.Config{World: vaultsOfMachines(vaults, each)})
	begun := f.clock.Now()
	var ids []string
	for _, item := range f.sim.ProtectedItems() {
		if item.Policy == "DefaultPolicy" {
			ids = append(ids, f.begin("backup-now", object{"itemId": item.ID}))
		}
	}
	require.Equal(t, vaults*each, len(ids)) //nolint:testifylint // their text is long
	f.run(begun.Add(30 * time.Second))

	// In between, with most backups still to be started.
	if share == 1 {
		require.Less(t, len(f.sim.Backups()), len(ids)/2)
	}
	requested := f.clock.Now()
	restore := f.begin("restore-postgres", object{"backupInstanceId": demoInstance, "recoveryPoint": object{"latest": true}, "asFiles": asFiles("x")})
	visible := regexp.MustCompile(`^(read limit|write limit|\w+ read quota), about \d\d:\d\d$`)
	waiting := 0
	for _, id := range ids {
		if op := f.operation(id); op.Reservation != "" {
			waiting++
			require.Regexp(t, visible, op.WaitingFor)
			require.Zero(t, op.Attempts)
		}
	}
	if share == 1 {
		require.Greater(t, waiting, len(ids)/4)
	}
	f.run(begun.Add(72 * time.Hour))

	// The restore's first write is its validation.
	validations, _ := f.requests("POST validateRestore")
	require.Len(t, validations, 1)
	require.Less(t, validations[0].Time.Sub(requested), 5*time.Second)
	restores := f.sim.Restores()
	require.Len(t, restores, 1)
	op := f.operation(restore)
	require.Equal(t, operation.Succeeded, op.Status, "%v", f.story(restore))
	require.NotContains(t, f.story(restore), "deferred")

	backups := f.sim.Backups()
	require.Len(t, backups, len(ids), "each is started once")
	for _, id := range ids {
		op := f.operation(id)
		require.Equal(t, operation.Succeeded, op.Status, "%v", f.story(id))
	}
	writes, throttled := f.requests("POST backup")
	require.Empty(t, throttled, "backups that were refused: %d of %d", len(throttled), len(writes))
	reads := 0
	for _, r := range f.sim.Requests() {
		if r.Status == 429 {
			reads++
		}
	}
	t.Logf("%d backups started within %s, the first restore call %s after its request; %d reads were throttled while the rate limiters learned",
		len(backups), backups[len(backups)-1].Time.Sub(begun), validations[0].Time.Sub(requested), reads)
	require.Less(t, backups[len(backups)-1].Time.Sub(begun), 15*time.Minute)
}
