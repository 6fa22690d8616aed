package e2e

import (
	"fmt"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/local/armsim"
)

// killRounds is the maximum number of rounds of a kill test. Some requests occur once
// in a round, and a kill at one moment of a request may prevent that another is reached.
const killRounds = 7

// killed holds the resources of the other flows while the handler is killed.
// Each round protects two servers, backs up three, makes two restores of each
// of two databases, and stops, resumes and deletes the protection of a share
// and of a server.
type killed struct {
	serverSite
	fresh, backedUp, leaving []armsim.FlexibleServer
	databases                []string
	// account has the shares whose protection is stopped and deleted.
	account string
	// restores and backups count the requests, by prefix and by instance.
	restores, backups map[string]int
}

const (
	freshEach    = 2
	backedUpEach = 3
)

// newKilled adds the resources to the world.
func newKilled(world *armsim.World, account string) *killed {
	k := &killed{serverSite: newServerSite(world, "killed"), account: account, restores: map[string]int{}, backups: map[string]int{}}
	add := func(name string, n int, protected bool) (all []armsim.FlexibleServer) {
		for i := range n {
			server := k.flexible
			server.Name = fmt.Sprintf("%s%04d", name, i)
			all = append(all, server)
			if protected {
				world.ProtectedDatasources = append(world.ProtectedDatasources, armsim.ProtectedDatasource{
					Vault: k.vault.ID(), Policy: "flexible", Datasource: server.ID(), Instance: server.Name,
					RecoveryPoints: []armsim.RecoveryPoint{{ID: k.point(server.Name), Age: 24 * time.Hour}},
				})
			}
		}
		world.FlexibleServers = append(world.FlexibleServers, all...)
		return all
	}
	k.fresh, k.leaving = add("fresh", freshEach*killRounds, false), add("leaving", killRounds, true)
	k.backedUp = add("backedup", backedUpEach, true)
	other := newServerSite(world, "killedtoo")
	k.databases = []string{k.database(), other.database()}
	return k
}

func (k *killed) instanceOf(s armsim.FlexibleServer) string {
	return k.vault.ID() + "/backupInstances/" + s.Name
}

// begin requests the operations of the round that may run at the same time.
func (k *killed) begin(l *local, round int) (ids []string) {
	for i, server := range k.fresh[round*freshEach : (round+1)*freshEach] {
		request := k.protect()
		request["key"] = fmt.Sprintf("server-%d-%d", round, i)
		object(request, "parameters")["serverId"] = server.ID()
		ids = append(ids, l.begin(request))
	}
	for i, server := range k.backedUp {
		ids = append(ids, l.begin(about("backup-now", fmt.Sprintf("server-%d-%d", round, i), k.instanceOf(server))))
		k.backups[server.Name]++
	}
	for i, database := range k.databases {
		for j := range 2 {
			prefix := fmt.Sprintf("round%d-%d-%d", round, i, j)
			ids = append(ids, l.begin(k.restore(prefix, prefix, map[string]any{"backupInstanceId": database})))
			k.restores[prefix]++
		}
	}
	return ids
}

// leave stops, resumes and deletes the protection of a server and of a share,
// and then requests tracking of the job of a restore.
func (k *killed) leave(l *local, round int) (ids []string) {
	server := k.leaving[round]
	share := map[string]any{"vaultId": demoVault, "storageAccountId": k.account, "name": fmt.Sprintf("share%04d", round)}
	for _, flow := range []string{"stop-protection", "resume-protection", "delete-protection"} {
		ofShare := map[string]any{"fileShare": share}
		if flow == "resume-protection" {
			ofShare["policy"] = "schedule1"
		}
		both := []string{
			l.begin(about(flow, fmt.Sprintf("-%d", round), k.instanceOf(server))),
			l.begin(map[string]any{"flow": flow, "key": fmt.Sprintf("%s-share-%d", flow, round), "parameters": ofShare}),
		}
		for _, id := range both {
			l.succeeds(id)
		}
		ids = append(ids, both...)
	}
	require.True(l.t, l.instance(k.instanceOf(server)).Deleted)
	restore := l.ARM.Restores()[0]
	return append(ids, l.begin(follow(fmt.Sprint(round), restore.Vault+"/backupJobs/"+restore.JobID)))
}

// startedOnce asserts that Azure received each restore and each backup of a
// server exactly once, and that the new servers are protected.
func (k *killed) startedOnce(l *local, rounds int) {
	l.t.Helper()
	restores, backups := map[string]int{}, map[string]int{}
	for _, r := range l.ARM.Restores() {
		restores[r.FilePrefix]++
	}
	for _, b := range l.ARM.Backups() {
		if b.RuleName != "" {
			backups[b.Item]++
		}
	}
	require.Equal(l.t, k.restores, restores, "restores by prefix")
	require.Equal(l.t, k.backups, backups, "backups of each server")
	protected := map[string]int{}
	for _, i := range l.ARM.BackupInstances() {
		if i.ProtectionState == "ProtectionConfigured" {
			protected[i.Datasource]++
		}
	}
	for _, server := range k.fresh[:rounds*freshEach] {
		require.Equal(l.t, 1, protected[server.ID()], server.Name)
	}
}
