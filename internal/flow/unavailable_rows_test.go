package flow_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/arm/recoveryservices"
	"azbackupflow/internal/local/armsim"
	"azbackupflow/internal/operation"
)

// noShared is the table of the shared rows while it is unavailable.
type noShared struct{ calls atomic.Int64 }

var errNoShared = errors.New("the table of the shared rows is unavailable")

func (s *noShared) LoadShared(context.Context, string, string) ([]byte, string, error) {
	s.calls.Add(1)
	return nil, "", errNoShared
}

func (s *noShared) SaveShared(context.Context, string, string, []byte, string) (string, bool, error) {
	s.calls.Add(1)
	return "", false, errNoShared
}

// Rate limits and job lists are lost for two hours: jobs are read alone, within
// the quota that each instance knows, and every operation continues.
func TestSharedJobs_OperationsContinueWhileSharedRowsAreUnavailable(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes seconds: runs many operations without shared rows")
	}
	const jobs = 60
	f := newFleet(t, 2, armsim.Config{World: vaultsOfMachines(1, jobs), Durations: armsim.Durations{MachineBackup: 100 * time.Minute}})
	begun := f.clock.Now()
	away := &noShared{}
	f.tick = func(now time.Time) {
		if at := now.Sub(begun); at > 30*time.Minute && at < 150*time.Minute {
			f.shared = away
		} else {
			f.shared = f.rows
		}
	}
	var ids []string
	for _, item := range f.sim.ProtectedItems() {
		ids = append(ids, f.begin("backup-now", object{"itemId": item.ID}))
	}
	f.run(begun.Add(24 * time.Hour))
	require.Positive(t, away.calls.Load())
	for _, id := range ids {
		op := f.operation(id)
		require.Equal(t, operation.Succeeded, op.Status, "%s", f.story(id))
	}
	require.Len(t, f.sim.Backups(), jobs, "each is started once")
}

// Azure answers 400 and defers the backup for some hours. The operation waits
// as long, without using an attempt, and continues.
func TestBackupNow_RunsAfterAzureDefersItForHours(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		times int
		want  operation.Status
	}{
		"twice":                      {2, operation.Succeeded},
		"until the deadline is over": {1000, operation.TimedOut},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFleet(t, 1, armsim.Config{World: vaultsOfMachines(1, 1)})
			f.sim.Inject(armsim.Rule{Kind: "POST backup", Times: c.times, Effect: armsim.Answer(http.StatusBadRequest,
				`{"error":{"code":"CloudDosTimeboudLimitReached","message":"The limit has been reached. Try again after a few hours."}}`, nil)})
			begun := f.clock.Now()
			id := f.begin("backup-now", object{"itemId": f.sim.ProtectedItems()[0].ID})
			deadline := f.operation(id).Deadline
			f.run(begun.Add(time.Hour))
			op := f.operation(id)
			require.Equal(t, operation.Running, op.Status)
			require.Equal(t, "CloudDosTimeboudLimitReached", op.LastError.Code)
			require.Greater(t, op.DueAt.Sub(begun), 3*time.Hour-time.Minute)
			require.Less(t, op.DueAt.Sub(begun), 4*time.Hour)
			f.run(begun.Add(30 * 24 * time.Hour))
			op = f.operation(id)
			require.Equal(t, c.want, op.Status, "%s", f.story(id))
			if c.want == operation.TimedOut {
				require.Equal(t, deadline, op.Deadline)
				require.False(t, op.EndedAt.Before(deadline))
				require.Less(t, op.EndedAt.Sub(deadline), time.Minute, "it is not deferred beyond its deadline")
				require.Empty(t, f.sim.Backups())
				return
			}
			backups := f.sim.Backups()
			require.Len(t, backups, 1)
			require.Greater(t, backups[0].Time.Sub(begun), 6*time.Hour-time.Minute)
			calls, _ := f.requests("POST backup")
			require.Len(t, calls, c.times+1)
		})
	}
}

// The jobs of a Backup vault are listed together too, with their own filter and
// format.
func TestSharedJobs_ReadJobsOfABackupVaultTogether(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes seconds: follows many jobs")
	}
	const servers = 100
	w := armsim.DemoWorld()
	vault := w.BackupVaults[0]
	for n := range servers {
		server := armsim.FlexibleServer{
			Subscription: armsim.DemoSubscription, ResourceGroup: "pgflextest", Name: fmt.Sprintf("server%03d", n), Location: "westus",
		}
		w.FlexibleServers = append(w.FlexibleServers, server)
		w.ProtectedDatasources = append(w.ProtectedDatasources, armsim.ProtectedDatasource{
			Vault: vault.ID(), Policy: "pgflexpol1", Datasource: server.ID(), Instance: fmt.Sprintf("instance%03d", n),
		})
	}
	f := newFleet(t, 2, armsim.Config{World: &w, Durations: armsim.Durations{InstanceBackup: 100 * time.Minute}})
	begun := f.clock.Now()
	var ids []string
	for n := range servers {
		ids = append(ids, f.begin("backup-now", object{"backupInstanceId": fmt.Sprintf("%s/backupInstances/instance%03d", vault.ID(), n)}))
	}
	f.run(begun.Add(24 * time.Hour))
	for _, id := range ids {
		op := f.operation(id)
		require.Equal(t, operation.Succeeded, op.Status, "%s", f.story(id))
	}
	reads, throttled := f.requests("GET backupJobs")
	lists := 0
	for _, r := range reads {
		if strings.HasSuffix(r.Path, "/backupJobs") {
			lists++
		}
	}
	t.Logf("%d jobs: %d reads of jobs, %d of them of the list, %d refused", servers, len(reads), lists, len(throttled))
	require.Empty(t, throttled)
	require.Positive(t, lists)
	require.Less(t, len(reads), 2*servers, "fewer than two for each, over 100 minutes")
}

// The list has more jobs than one page: all pages are read, and counted.
func TestSharedJobs_ReadAllPagesOfTheList(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes seconds: follows more jobs than one page holds")
	}
	const jobs = 30
	f := newFleet(t, 1, armsim.Config{
		World: vaultsOfMachines(1, jobs), PageSize: 7, Durations: armsim.Durations{MachineBackup: 100 * time.Minute},
	})
	starter := recoveryservices.New(f.client)
	for _, item := range f.sim.ProtectedItems() {
		_, err := starter.TriggerBackup(t.Context(), item.ID, recoveryservices.BackupRequest{ObjectType: recoveryservices.BackupIaasVM}, f.newID())
		require.NoError(t, err)
	}
	f.clock.Advance(time.Minute)
	var ids []string
	for _, j := range f.sim.Jobs() {
		ids = append(ids, f.begin("track-job", object{"jobId": j.Vault + "/backupJobs/" + j.ID}))
	}
	require.Len(t, ids, jobs)
	f.run(f.clock.Now().Add(24 * time.Hour))
	for _, id := range ids {
		op := f.operation(id)
		require.Equal(t, operation.Succeeded, op.Status, "%s", f.story(id))
	}
	reads, throttled := f.requests("GET backupJobs")
	require.Empty(t, throttled)
	first, more := 0, 0
	for _, r := range reads {
		switch {
		case !strings.HasSuffix(r.Path, "/backupJobs"):
		case r.Query.Get("$skipToken") == "":
			first++
		default:
			more++
		}
	}
	require.Positive(t, first)
	require.GreaterOrEqual(t, more, 4*first, "five pages each")
}
