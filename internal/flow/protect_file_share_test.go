package flow_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/local/armsim"
	"azbackupflow/internal/operation"
)

// allSteps are the steps for a share that the vault has never seen.
func fromScratch() []string {
	return []string{
		"check-policy", "find-item", "find-registration", "refresh", "await-refresh", "find-container", "register", "await-registration",
		"inquire", "await-inquiry", "find-share", "find-item-again", "enable-protection", "await-protection", "await-protection-job",
		"confirm-protection",
	}
}

func TestProtectFileShare_DiscoversRegistersInquiresAndProtects(t *testing.T) {
	t.Parallel()
	r, sim := simulated(t, armsim.DemoWorld())
	op := r.succeeds("protect-file-share", demoShare(nil))
	require.Equal(t, fromScratch(), r.path(op.ID))
	require.Empty(t, sim.Backups(), "no backup was requested")
	item := itemOf(t, sim, "testshare")
	require.Equal(t, "schedule1", item.Policy)
	require.Equal(t, item.ID, op.Learned["itemId"])
}

func TestProtectFileShare_RunsTheFirstBackup(t *testing.T) {
	t.Parallel()
	r, sim := simulated(t, armsim.DemoWorld())
	op := r.succeeds("protect-file-share", demoShare(object{"firstBackup": object{}}))
	require.Equal(t, append(fromScratch(), "trigger-backup", "await-backup", "await-backup-job"), r.path(op.ID))
	require.Len(t, sim.Backups(), 1)
	require.Equal(t, sim.Backups()[0].JobID, op.Learned["jobId"])
	require.Equal(t, sim.Backups()[0].ActivityID, op.Learned["attempt"])
}

func TestProtectFileShare_SkipsTheRegistrationOfARegisteredAccount(t *testing.T) {
	t.Parallel()
	world := armsim.DemoWorld()
	world.StorageAccounts[0].RegisteredWith = world.Vaults[0].ID()
	r, sim := simulated(t, world)
	op := r.succeeds("protect-file-share", demoShare(nil))
	require.Equal(t, append(fromScratch()[:3:3], fromScratch()[8:]...), r.path(op.ID))
	require.Empty(t, requests(sim, "POST refreshContainers"))
	require.Empty(t, requests(sim, "PUT protectionContainers"))
}

func TestProtectFileShare_FinishesIfTheShareHasThePolicy(t *testing.T) {
	t.Parallel()
	r, sim := simulated(t, protectedWorld("schedule1"))
	op := r.succeeds("protect-file-share", demoShare(nil))
	require.Equal(t, []string{"check-policy", "find-item"}, r.path(op.ID))
	require.Empty(t, writes(sim))

	backedUp := r.succeeds("protect-file-share", demoShare(object{"firstBackup": object{}}))
	require.Equal(t, []string{"check-policy", "find-item", "trigger-backup", "await-backup", "await-backup-job"}, r.path(backedUp.ID))
	require.Len(t, sim.Backups(), 1)
}

func TestProtectFileShare_ReportsAnotherPolicyAndChangesNothing(t *testing.T) {
	t.Parallel()
	world := protectedWorld("weekly")
	r, sim := simulated(t, world)
	err := r.fails("protect-file-share", demoShare(object{"firstBackup": object{}}))
	require.Equal(t, "ProtectedByAnotherPolicy", err.Code)
	require.Equal(t, operation.Fatal, err.Class)
	require.Contains(t, err.Message, "testshare is already protected, under the policy "+demoVault+"/backupPolicies/weekly")
	require.NotEmpty(t, err.RecommendedAction)
	require.Empty(t, writes(sim))
	require.Equal(t, "weekly", itemOf(t, sim, "testshare").Policy)
}

func TestProtectFileShare_RejectsAnUnusablePolicyFirst(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ policy, code, message string }{
		"missing":              {"nosuchpolicy", "PolicyNotFound", "policy \"nosuchpolicy\" not found in vault \"azurefilesvault\", or not readable"},
		"for virtual machines": {"DefaultPolicy", "PolicyDoesNotFit", "policy DefaultPolicy is for AzureIaasVM , not for file shares"},
		"for databases":        {"HourlyLogBackup", "PolicyDoesNotFit", "policy HourlyLogBackup is for AzureWorkload SQLDataBase, not for file shares"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, sim := simulated(t, armsim.DemoWorld())
			err := r.fails("protect-file-share", demoShare(object{"policy": c.policy}))
			require.Equal(t, c.code, err.Code)
			require.Equal(t, c.message, err.Message)
			require.NotEmpty(t, err.RecommendedAction)
			require.Empty(t, writes(sim))
		})
	}
}

func TestProtectFileShare_FindsTheShareByItsName(t *testing.T) {
	t.Parallel()
	for _, plain := range []bool{true, false} {
		world := armsim.DemoWorld()
		world.StorageAccounts[0].Shares[0].PlainItemName = plain
		r, sim := simulated(t, world)
		op := r.succeeds("protect-file-share", demoShare(object{"firstBackup": object{}}))
		item := itemOf(t, sim, "testshare")
		require.Equal(t, plain, strings.EqualFold(item.Name, "azurefileshare;testshare"), item.Name)
		require.Equal(t, item.ID, op.Learned["itemId"])
		require.Len(t, requests(sim, "PUT protectedItems"), 1)
	}
}

func TestProtectFileShare_DistinguishesSharesOfTwoAccounts(t *testing.T) {
	t.Parallel()
	world := armsim.DemoWorld()
	other := world.StorageAccounts[0]
	other.Name = "othervault2"
	other.Shares = []armsim.Share{{Name: "testshare"}}
	// The other share comes first in every list, and has progressed further.
	other.RegisteredWith = world.Vaults[0].ID()
	other.Shares[0].Policy = "schedule1"
	world.StorageAccounts = append([]armsim.StorageAccount{other}, world.StorageAccounts...)
	r, sim := simulated(t, world)

	op := r.succeeds("protect-file-share", demoShare(object{"firstBackup": object{}}))
	require.Equal(t, fromScratch(), r.path(op.ID)[:16], "the other share does not prove that ours is protected")
	require.Contains(t, op.Learned["itemId"], ";testvault2/")
	backups := sim.Backups()
	require.Len(t, backups, 1)
	require.Contains(t, backups[0].Container, ";testvault2")

	again := r.succeeds("backup-now", object{"fileShare": object{"vaultId": demoVault, "storageAccountId": other.ID(), "name": "testshare"}})
	require.Contains(t, again.Learned["itemId"], ";othervault2/")
	require.Contains(t, sim.Backups()[1].Container, ";othervault2")
}

func TestProtectFileShare_InquiresAgainForAMissingShare(t *testing.T) {
	t.Parallel()
	world := armsim.DemoWorld()
	world.StorageAccounts[0].Shares = nil
	r, sim := simulated(t, world)
	id := r.begin("protect-file-share", demoShare(nil))
	r.until(id, "find-share")
	require.NoError(t, sim.CreateShare(demoAccount, armsim.Share{Name: "testshare"}))
	op := r.finish(id)
	require.Equal(t, operation.Succeeded, op.Status, "%v", r.story(id))
	require.Len(t, requests(sim, "POST inquire"), 2)
	require.Len(t, requests(sim, "PUT protectionContainers"), 1, "the account is not registered again")
}

func TestProtectFileShare_ReportsAShareThatDoesNotExist(t *testing.T) {
	t.Parallel()
	world := armsim.DemoWorld()
	world.StorageAccounts[0].Shares = nil
	r, sim := simulated(t, world)
	err := r.fails("protect-file-share", demoShare(nil))
	require.Equal(t, "FileShareNotVisible", err.Code)
	require.Equal(t, operation.NotYet, err.Class)
	require.NotEmpty(t, err.RecommendedAction)
	inquiries := len(requests(sim, "POST inquire"))
	require.Greater(t, inquiries, 2)
	require.Less(t, inquiries, 20)
	require.Empty(t, requests(sim, "PUT protectedItems"))
}

func TestProtectFileShare_ReportsAnUndiscoveredAccount(t *testing.T) {
	t.Parallel()
	r, sim := simulated(t, armsim.DemoWorld())
	elsewhere := "/subscriptions/" + armsim.DemoSubscription + "/resourceGroups/AzureFiles/providers/Microsoft.Storage/storageAccounts/nobodys"
	err := r.fails("protect-file-share", demoShare(object{"storageAccountId": elsewhere}))
	require.Equal(t, "StorageAccountNotDiscovered", err.Code)
	require.NotEmpty(t, err.RecommendedAction)
	require.Empty(t, requests(sim, "PUT protectionContainers"))
}

// protectedWorld returns the demo world with its share under a policy, and with
// the policies weekly and schedule1.
func protectedWorld(policy string) armsim.World {
	world := armsim.DemoWorld()
	v := &world.Vaults[0]
	v.Policies = append(v.Policies, armsim.Policy{Name: "weekly", BackupManagementType: "AzureStorage", WorkLoadType: "AzureFileShare"})
	world.StorageAccounts[0].RegisteredWith = v.ID()
	world.StorageAccounts[0].Shares[0].Policy = policy
	return world
}

// itemOf returns the item that the vault protects under a friendly name.
func itemOf(t *testing.T, sim *armsim.Simulator, friendlyName string) armsim.ProtectedItem {
	t.Helper()
	for _, i := range sim.ProtectedItems() {
		if i.FriendlyName == friendlyName {
			return i
		}
	}
	require.Fail(t, friendlyName+" is not protected")
	return armsim.ProtectedItem{}
}

func requests(sim *armsim.Simulator, kind string) (all []armsim.Request) {
	for _, r := range sim.Requests() {
		if r.Kind == kind {
			all = append(all, r)
		}
	}
	return all
}

// writes returns the kinds of requests that change something.
func writes(sim *armsim.Simulator) (kinds []string) {
	for _, r := range sim.Requests() {
		if r.Method != "GET" {
			kinds = append(kinds, r.Kind)
		}
	}
	return kinds
}
