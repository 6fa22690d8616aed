package e2e

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/service"
	"github.com/stretchr/testify/require"

	"azbackupflow/internal/api"
	"azbackupflow/internal/drill/archive"
	"azbackupflow/internal/drill/archive/blobs"
	"azbackupflow/internal/drill/evidence"
	"azbackupflow/internal/flow"
	"azbackupflow/internal/local/armsim"
	"azbackupflow/internal/local/fault"
	"azbackupflow/internal/local/stack"
)

const (
	drillGroup   = "/subscriptions/" + armsim.DemoSubscription + "/resourceGroups/drills"
	drillAccount = drillGroup + "/providers/Microsoft.Storage/storageAccounts/drillaccount"
	dayOfDisk    = 24 * time.Hour
)

// drillSettings are the settings that allow drills.
func drillSettings() map[string]string {
	return map[string]string{"AZBACKUPFLOW_DRILL_TARGETS": strings.Join(flow.ExampleGuardrails().DrillTargets, ",")}
}

// drillOf returns a request for a drill.
func drillOf(key, kind, item, validation string) map[string]any {
	p := map[string]any{
		"drill": map[string]any{"name": "e2e", "run": "2026-11-01T04:00", "configurationDigest": "sha256:" + strings.Repeat("0", 64)},
		"type":  kind, "backupInstanceId": item, "point": map[string]any{"rule": "latest"}, "target": map[string]any{"storageAccountId": drillAccount},
		"validation": map[string]any{"by": "none"}, "cleanUp": "delete",
	}
	switch kind {
	case "AzureFileShare":
		delete(p, "backupInstanceId")
		p["itemId"] = item
	case "VM":
		delete(p, "backupInstanceId")
		p["itemId"], p["target"] = item, map[string]any{"resourceGroupId": drillGroup, "storageAccountId": drillAccount}
	case "Microsoft.Compute/disks":
		p["target"] = map[string]any{"resourceGroupId": drillGroup}
	}
	if validation != "" {
		p["validation"] = map[string]any{"by": "callback", "window": validation}
	}
	return map[string]any{"flow": "drill-restore", "key": key, "parameters": p}
}

// places returns the places of drills that exist: everything with the name of one, and
// the disks and containers that restores of machines made.
func (l *local) places() (ids []string) {
	for _, p := range l.ARM.Places() {
		if strings.Contains(p.ID, "azbackupflow-drill-") || strings.HasPrefix(p.ID, drillGroup) && strings.Contains(p.ID, "/vm1-") {
			ids = append(ids, p.ID)
		}
	}
	return ids
}

// protectedItem returns the ID of a protected item by its friendly name.
func (l *local) protectedItem(name string) string {
	l.t.Helper()
	items := l.ARM.ProtectedItems()
	at := slices.IndexFunc(items, func(i armsim.ProtectedItem) bool { return i.FriendlyName == name })
	require.GreaterOrEqual(l.t, at, 0, name)
	return items[at].ID
}

// evidenceStore returns the store of evidence, past the proxy that kills the handler.
func (l *local) evidenceStore() *blobs.Store {
	l.t.Helper()
	store, err := blobs.New(blobs.Config{Container: archive.Container, Service: func() (*service.Client, error) {
		return service.NewClientFromConnectionString(l.DrillStorage(), blobs.ClientOptions())
	}})
	require.NoError(l.t, err)
	return store
}

// evidence returns the documents of all drills by their IDs, verified offline.
func (l *local) evidence() map[string]evidence.Evidence {
	l.t.Helper()
	raw, err := os.ReadFile(l.DrillKey())
	require.NoError(l.t, err)
	key, err := evidence.ParsePublicKey(raw)
	require.NoError(l.t, err)
	store, all := l.evidenceStore(), map[string]evidence.Evidence{}
	for object, err := range store.List(context.WithoutCancel(l.t.Context()), "") {
		require.NoError(l.t, err)
		read, err := store.Read(l.t.Context(), object.Name)
		require.NoError(l.t, err)
		verified, err := evidence.Verify(object.Name, read.Content, []evidence.PublicKey{key})
		require.NoError(l.t, err)
		require.NotContains(l.t, all, verified.Evidence.ID, "one document per drill")
		all[verified.Evidence.ID] = verified.Evidence
	}
	return all
}

// firstDocuments keeps the content of each document of evidence right after its first
// write. An archive that replaced a document would end with other content: each
// signature is another one.
type firstDocuments struct {
	mu      sync.Mutex
	read    func(name string) (string, bool)
	content map[string]string
	writes  int
}

func (d *firstDocuments) readWith(read func(name string) (string, bool)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.read = read
}

// hook is called for each request, before the handler may be killed.
func (d *firstDocuments) hook(m fault.Moment, r fault.Request) {
	_, path, ok := strings.Cut(r.Detail, "/"+archive.Container+"/")
	name, err := url.PathUnescape(path)
	if r.Kind != "PUT blob" || m != fault.During || !ok || err != nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.writes++
	if _, known := d.content[name]; known || d.read == nil {
		return
	}
	if content, found := d.read(name); found {
		d.content[name] = content
	}
}

// awaitsAnswer waits until a drill waits for its validator, and returns what to
// validate.
func (l *local) awaitsAnswer(id string) string {
	l.t.Helper()
	target := ""
	require.Eventually(l.t, func() bool {
		v, ok := l.get(id)
		if ok && v.Validation != nil {
			target = v.Validation.Target
		}
		return target != ""
	}, maxWait, 20*time.Millisecond, "drill %s does not wait for an answer", id)
	return target
}

// A drill of each type of item runs to evidence, with its checks, its validator and
// its clean-up.
func TestDrill_EachDatasourceRunsToEvidence(t *testing.T) {
	t.Parallel()
	world := armsim.DemoWorld()
	l := start(t, stack.Config{SpeedFactor: 300, World: &world, Settings: drillSettings(), Drills: true})
	vault := world.BackupVaults[0].ID()
	const group = "/subscriptions/" + armsim.DemoSubscription + "/resourceGroups/"
	protected := func(name, policy string, more map[string]any) string {
		p := map[string]any{"vaultId": vault, "location": "westus", "policy": policy}
		for k, v := range more {
			p[k] = v
		}
		instance := l.succeeds(l.begin(map[string]any{"flow": name, "key": name, "parameters": p})).Learned["backupInstanceId"]
		l.succeeds(l.begin(map[string]any{"flow": "backup-now", "key": "backup-" + name, "parameters": map[string]any{"backupInstanceId": instance}}))
		return instance
	}
	l.succeeds(l.begin(map[string]any{"flow": "protect-file-share", "key": "share", "parameters": fileShare{world.StorageAccounts[0].ID(), "testshare"}.parameters()}))
	items := map[string]string{
		"AzureFileShare":          l.protectedItem("testshare"),
		"VM":                      l.protectedItem("vm1"),
		"Microsoft.Compute/disks": protected("protect-disk", "diskpol1", map[string]any{"diskId": group + "disks/providers/Microsoft.Compute/disks/datadisk1", "snapshotResourceGroupId": group + "snapshots"}),
		"Microsoft.Storage/storageAccounts/blobServices": protected("protect-blobs", "blobvaultpol1", map[string]any{
			"storageAccountId": group + "blobs/providers/Microsoft.Storage/storageAccounts/vaultedaccount1", "containers": []string{"invoices"},
		}),
		"Microsoft.DBforPostgreSQL/flexibleServers": protected("protect-postgres", "pgflexpol1", map[string]any{
			"serverId": group + "pgflextest/providers/Microsoft.DBforPostgreSQL/flexibleServers/pgflextestserver",
		}),
	}
	drills := map[string]string{}
	for kind, item := range items {
		drills[kind] = l.begin(drillOf("drill-"+kind, kind, item, "P1D"))
	}
	for kind, id := range drills {
		target := l.awaitsAnswer(id)
		if kind == "VM" {
			require.Equal(t, drillGroup, target)
		} else {
			require.Contains(t, l.places(), target, kind)
		}
		var v api.Operation
		answer := map[string]any{"result": "Successful", "text": "looks good", "target": target}
		require.Equal(t, http.StatusOK, l.call(http.MethodPost, "/operations/"+id+"/validation", answer, &v).StatusCode)
	}
	for kind, id := range drills {
		require.Equal(t, "Proven", l.succeeds(id).Learned["result"], kind)
	}
	require.Empty(t, l.places())
	documents := l.evidence()
	require.Len(t, documents, len(drills))
	for kind, id := range drills {
		e := documents[id]
		require.Equal(t, evidence.Proven, e.Result, kind)
		require.Equal(t, kind, e.Item.Type)
		require.Equal(t, evidence.Successful, e.Validation.Result)
		require.NotEmpty(t, e.Checks[0].Found)
	}
}

// TestKill_DrillsRestoreOnceAndLeaveNothing kills the deployed binary around the
// requests of drills: nothing is restored twice, nothing stays, nothing of others is
// deleted, and each drill has one document.
func TestKill_DrillsRestoreOnceAndLeaveNothing(t *testing.T) {
	t.Parallel()
	const each = 3
	world := armsim.DemoWorld()
	world.VirtualMachines[0].DataDisks = 1
	account := world.AddFileShares(1, each, "schedule1")[0]
	var disks []string
	for i := range each {
		disk := fmt.Sprintf("/subscriptions/%s/resourceGroups/disks/providers/Microsoft.Compute/disks/drilled%d", armsim.DemoSubscription, i)
		world.Resources = append(world.Resources, armsim.Resource{ID: disk, Location: "westus"})
		world.ProtectedDatasources = append(world.ProtectedDatasources, armsim.ProtectedDatasource{
			Vault: world.BackupVaults[0].ID(), Policy: "diskpol1", Datasource: disk, Instance: fmt.Sprintf("drilled%d", i),
			SnapshotGroup:  "/subscriptions/" + armsim.DemoSubscription + "/resourceGroups/snapshots",
			RecoveryPoints: []armsim.RecoveryPoint{{ID: fmt.Sprintf("%032d", i), Age: dayOfDisk}},
		})
		disks = append(disks, world.BackupVaults[0].ID()+"/backupInstances/"+fmt.Sprintf("drilled%d", i))
	}
	restores := []point{{"arm", "POST restore", fault.During}, {"arm", "POST restore", fault.After}}
	must := append(restores, point{"arm", "PUT shares", fault.During}, point{"arm", "PUT shares", fault.After}, point{"arm", "DELETE shares", fault.During},
		point{"arm", "DELETE shares", fault.After}, point{"arm", "PATCH disks", fault.During}, point{"arm", "PATCH disks", fault.After}, point{"arm", "DELETE disks", fault.After})
	for _, m := range []fault.Moment{fault.Before, fault.During, fault.After} {
		must = append(must, point{"blob", "PUT blob", m})
	}
	k := newKiller(10, must...)
	k.only = func(p point) bool {
		return slices.Contains([]string{"POST restore", "PUT shares", "DELETE shares", "GET shares", "PATCH disks", "DELETE disks", "GET disks", "PATCH containers", "DELETE containers", "POST validateRestore"}, p.kind) ||
			p.service == "blob" && p.kind != "PUT container" || p.service == "table" && p.kind != "POST itemlocks" // both are created once
	}
	documents := &firstDocuments{content: map[string]string{}}
	l := start(t, stack.Config{SpeedFactor: 200, World: &world, Settings: drillSettings(), Drills: true, Fault: func(m fault.Moment, r fault.Request) {
		documents.hook(m, r)
		k.hook(m, r)
	}})
	store := l.evidenceStore()
	documents.readWith(func(name string) (string, bool) {
		object, err := store.Read(context.WithoutCancel(t.Context()), name)
		return string(object.Content), err == nil
	})
	keepHostsRunning(t, l)
	foreign := drillAccount + "/fileServices/default/shares/azbackupflow-drill-foreign"
	require.NoError(t, l.ARM.CreateShare(drillAccount, armsim.Share{Name: "azbackupflow-drill-foreign"}))
	require.True(t, l.ARM.SetMarks(foreign, map[string]string{"azbackupflowdrill": "another"}))
	k.arm(l.KillHandler)

	var items []string
	for _, i := range l.ARM.ProtectedItems() {
		if strings.Contains(i.ID, ";"+account[strings.LastIndexByte(account, '/')+1:]+"/") {
			items = append(items, i.ID)
		}
	}
	require.Len(t, items, each)
	var ids []string
	rounds := 0
	for ; k.again(rounds); rounds++ {
		var round []string
		for i := range each {
			round = append(round,
				l.begin(drillOf(fmt.Sprintf("share-%d-%d", rounds, i), "AzureFileShare", items[i], "")),
				l.begin(drillOf(fmt.Sprintf("disk-%d-%d", rounds, i), "Microsoft.Compute/disks", disks[i], "")))
		}
		round = append(round, l.begin(drillOf(fmt.Sprintf("machine-%d", rounds), "VM", l.protectedItem("vm1"), "")))
		for _, id := range round {
			l.survives(id)
		}
		ids = append(ids, round...)
	}
	require.Empty(t, k.missing(), "moments at which the handler was never killed")
	require.Len(t, l.ARM.ItemRestores(), rounds*(each+1), "each share and each machine was restored once")
	require.Len(t, l.ARM.Restores(), rounds*each, "each disk was restored once")
	require.Equal(t, []string{foreign}, l.places(), "nothing stays, and nothing of others is deleted")
	proofs := l.evidence()
	require.Len(t, proofs, len(ids))
	for _, id := range ids {
		require.Equal(t, evidence.Proven, proofs[id].Result, id)
	}
	documents.mu.Lock()
	defer documents.mu.Unlock()
	require.Len(t, documents.content, len(ids))
	require.Greater(t, documents.writes, len(ids), "a killed handler writes again")
	for name, first := range documents.content {
		last, found := documents.read(name)
		require.True(t, found, name)
		require.Equal(t, first, last, "%s was written once", name)
	}
	kills, points := k.made()
	t.Logf("%d drills in %d rounds, %d kills at %d points", len(ids), rounds, kills, points)
}
