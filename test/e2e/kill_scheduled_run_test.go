package e2e

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/api"
	"azbackupflow/internal/local/armsim"
	"azbackupflow/internal/local/fault"
	"azbackupflow/internal/local/stack"
)

// TestScheduledRun_KilledAtEveryRequestStartsEachItemOnce runs a schedule that
// starts a run for all items of a vault. SIGKILL hits the timer invocation
// around each kind of request that it makes. The next invocation continues, and
// each item is backed up once per run.
func TestScheduledRun_KilledAtEveryRequestStartsEachItemOnce(t *testing.T) {
	t.Parallel()
	const shares = 90 // more than one save of the schedule row can cover
	world := armsim.DemoWorld()
	account := world.AddFileShares(1, shares, "schedule1")[0]
	due := time.Now().UTC().Add(-2 * time.Hour)
	cron := fmt.Sprintf("%d %d * * *", due.Minute(), due.Hour())
	file := "version: 1\nschedules:\n"
	for round := range killRounds {
		file += fmt.Sprintf("- {name: %s, cron: %q, timeZone: UTC, jitter: PT0S, select: {vaultId: %s, type: AzureFileShare, names: [share0*]}, request: {flow: backup-now, parameters: {}}}\n",
			nightOf(round), cron, demoVault)
	}
	k := newKiller(10, point{"host", "invoke schedule-backups", fault.During}, point{"table", "PUT scheduleruns", fault.During})
	// Only requests of the timer are hit. The kill test of all flows covers the
	// requests of steps.
	k.only = func(p point) bool {
		return slices.Contains([]string{
			"invoke schedule-backups", "GET scheduleruns", "PUT scheduleruns", "GET backupProtectedItems",
			"BATCH operationindex", "BATCH operations", "send steps",
		}, p.kind)
	}
	l := start(t, stack.Config{SpeedFactor: 200, World: &world, Fault: k.hook, Settings: map[string]string{
		"AZBACKUPFLOW_SCHEDULES": declare(t, "schedules.yaml", file),
	}})
	hosts := keepHostsRunning(t, l)
	k.arm(l.KillHandler)

	rounds, operations := 0, 0
	for ; k.again(rounds); rounds++ {
		night := nightOf(rounds)
		l.handledUntil(night, cron+" UTC", due.Add(-23*time.Hour))
		for through := false; !through; {
			kills, _ := k.made()
			fired := time.Time{}
			require.Eventually(t, func() bool {
				if time.Since(fired) > 5*time.Second { // The last one may have been lost with the handler.
					l.timerFires("schedule-backups")
					fired = time.Now()
				}
				rows, err := l.store().LoadScheduleRuns(t.Context())
				through = err == nil && !rows[night].Handled.Before(due.Truncate(time.Minute))
				now, _ := k.made()
				return through || now > kills
			}, maxWait, 250*time.Millisecond, "%s is neither killed nor handled", night)
		}
		var all []api.Operation
		require.Eventually(t, func() bool {
			all = l.labelled("schedule", night)
			return len(all) == shares
		}, maxWait, 50*time.Millisecond)
		for _, v := range all {
			l.survives(v.ID)
		}
		operations += len(all)
	}
	require.Empty(t, k.missing(), "moments at which the handler was never killed")

	triggered := map[string]int{}
	for _, b := range l.ARM.Backups() {
		triggered[item(b.Container, b.FriendlyName)]++
	}
	want := map[string]int{}
	for i := range shares {
		want[item(account, fmt.Sprintf("share%04d", i))] = rounds
	}
	require.Equal(t, want, triggered, "backups of each item")
	kills, points := k.made()
	t.Logf("%d operations in %d rounds, %d kills at %d points, %d new hosts", operations, rounds, kills, points, hosts())
}

func nightOf(round int) string { return fmt.Sprint("night-", round) }
