package flow_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/arm/recoveryservices"
	"azbackupflow/internal/local/armsim"
	"azbackupflow/internal/operation"
)

// A vault allows 150 reads of jobs per hour. Five hundred operations that wait
// for its jobs see all of them end soon, and Azure throttles none of their
// reads.
func TestSharedJobs_FollowFiveHundredJobsWithinTheQuota(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes seconds: follows five hundred jobs")
	}
	for _, c := range []struct{ vaults, jobs, instances int }{
		{1, 500, 1}, {1, 500, 2}, {5, 500, 2},
	} {
		t.Run(fmt.Sprintf("%d vaults, %d instances", c.vaults, c.instances), func(t *testing.T) {
			t.Parallel()
			followJobs(t, c.vaults, c.jobs/share, c.instances)
		})
	}
}

func followJobs(t *testing.T, vaults, jobs, instances int) {
	f := newFleet(t, instances, armsim.Config{
		World: vaultsOfMachines(vaults, jobs), Durations: armsim.Durations{MachineBackup: 100 * time.Minute},
	})
	// One in twenty fails, one in twenty warns: these jobs are read again,
	// alone.
	items := f.sim.ProtectedItems()
	require.Equal(t, vaults*jobs, len(items)) //nolint:testifylint // their text is long
	// The vaults take turns.
	slices.SortFunc(items, func(a, b armsim.ProtectedItem) int {
		return cmp.Or(cmp.Compare(a.FriendlyName[len(a.FriendlyName)-4:], b.FriendlyName[len(b.FriendlyName)-4:]), cmp.Compare(a.Vault, b.Vault))
	})
	for n, item := range items {
		switch n % 20 {
		case 7:
			f.sim.AddOutcome(armsim.Outcome{Item: item.FriendlyName, JobStatus: "Failed", ErrorCode: 400001, ErrorText: "it broke"})
		case 13:
			f.sim.AddOutcome(armsim.Outcome{Item: item.FriendlyName, JobStatus: "CompletedWithWarnings", ErrorCode: 400002, ErrorText: "take care"})
		}
	}
	// The jobs started over some time, so they end over as long.
	starter := recoveryservices.New(f.client)
	for n, item := range items {
		_, err := starter.TriggerBackup(t.Context(), item.ID, recoveryservices.BackupRequest{ObjectType: recoveryservices.BackupIaasVM}, f.newID())
		require.NoError(t, err)
		if n%vaults == 0 {
			f.clock.Advance(time.Duration(share) * 8 * time.Second)
		}
	}
	f.clock.Advance(time.Minute)
	ids := map[string]string{}
	for _, j := range f.sim.Jobs() {
		ids[j.ID] = f.begin("track-job", object{"jobId": j.Vault + "/backupJobs/" + j.ID})
	}
	require.Equal(t, vaults*jobs, len(ids)) //nolint:testifylint // their text is long
	f.run(f.clock.Now().Add(24 * time.Hour))

	lists, delays := map[string][]time.Time{}, []float64{}
	reads, throttled := f.requests("GET backupJobs")
	for _, r := range reads {
		if strings.HasSuffix(r.Path, "/backupJobs") && r.Query.Get("$skipToken") == "" {
			lists[r.Path] = append(lists[r.Path], r.Time)
		}
	}
	var longest time.Duration
	for _, j := range f.sim.Jobs() {
		op := f.operation(ids[j.ID])
		want := map[string]operation.Status{
			"Completed": operation.Succeeded, "CompletedWithWarnings": operation.SucceededWithWarnings, "Failed": operation.Failed,
		}[j.Status]
		require.Equal(t, want, op.Status, "%s: %s", j.Status, f.story(op.ID))
		if want == operation.Failed {
			require.Contains(t, op.LastError.Message, "it broke")
		}
		interval := intervalAt(lists[j.Vault+"/backupJobs"], j.End)
		delay := op.EndedAt.Sub(j.End)
		longest = max(longest, delay)
		delays = append(delays, float64(delay)/float64(interval))
	}
	slices.Sort(delays)
	p95 := delays[len(delays)*95/100]
	t.Logf("%d jobs: %d reads of jobs, %d lists, %d refused; delay p50 %.2f, p95 %.2f of the list's interval, at most %s",
		len(delays), len(reads), len(lists[items[0].Vault+"/backupJobs"]), len(throttled), delays[len(delays)/2], p95, longest)
	require.LessOrEqual(t, p95, 1.0)
	require.Empty(t, throttled, "reads of jobs that were throttled")
}

// intervalAt returns the interval of a list at a time: a list is due after nine
// tenths of its interval, and the fleet's clock has seconds.
func intervalAt(lists []time.Time, at time.Time) time.Duration {
	n, _ := slices.BinarySearchFunc(lists, at, time.Time.Compare)
	if n == 0 || n == len(lists) {
		return 0
	}
	return time.Duration(float64(lists[n].Sub(lists[n-1]))/0.9) + time.Second
}
