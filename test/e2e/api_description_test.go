package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/arm/dataprotection"
	"azbackupflow/internal/arm/recoveryservices"
	"azbackupflow/internal/local/armsim"
	"azbackupflow/internal/local/stack"
	"azbackupflow/test/outside/oav"
)

// apiVersion is the api-version of our requests except polls, one for each
// provider.
func apiVersion(path string) string {
	if strings.Contains(path, "/Microsoft.DataProtection/") {
		return dataprotection.APIVersion
	}
	return recoveryservices.APIVersion
}

// undescribed are the polls whose paths are missing in the published
// descriptions, although Azure's own headers contain them: the fabric of a
// vault and its containers have no operationsStatus (their operationResults, in
// Location, are described).
func undescribed() []string {
	return []string{
		"backupFabrics/Azure/operationsStatus/",
		"backupFabrics/Azure/protectionContainers/{container}/operationsStatus/",
	}
}

// TestRequests_MatchTheAPIDescription validates every request of the two file
// share flows, for every kind of item and with every parameter, with Azure's
// own validator.
func TestRequests_MatchTheAPIDescription(t *testing.T) {
	t.Parallel()
	l := startInTurn(t, stack.Config{SpeedFactor: 120})
	l.succeeds(l.begin(protect("described"))) // discovers, registers, inquires, protects, backs up
	expiry := "2099-12-01T02:16:29Z"
	var ids []string
	for friendlyName, more := range map[string]map[string]any{
		"testshare": {},
		"vm1":       {},
		"orders":    {"backupType": "CopyOnlyFull", "enableCompression": true},
		"SYSTEMDB":  {"backupType": "Differential", "enableCompression": false},
	} {
		parameters := map[string]any{
			"itemId":                       itemID(t, l, friendlyName),
			"recoveryPointExpiryTimeInUTC": expiry, "eTag": `W/"1"`, "location": "westeurope", "tags": map[string]string{"cost": "42"},
		}
		for k, v := range more {
			parameters[k] = v
		}
		ids = append(ids, l.begin(map[string]any{"flow": "backup-now", "key": friendlyName, "parameters": parameters}))
	}
	for _, id := range ids {
		l.succeeds(id)
	}

	operations, absent := validateRequests(t, l)
	require.Equal(t, undescribed(), absent, "polls whose path is not described")
	for _, needed := range []string{
		"ProtectionPolicies_Get", "BackupProtectedItems_List", "BackupProtectionContainers_List", "ProtectionContainers_Refresh",
		"ProtectableContainers_List", "ProtectionContainers_Register", "ProtectionContainers_Inquire", "BackupProtectableItems_List",
		"ProtectedItems_CreateOrUpdate", "ProtectedItems_Get", "Backups_Trigger", "JobDetails_Get", "ProtectedItemOperationStatuses_Get",
	} {
		require.Contains(t, operations, needed)
	}
}

// validateRequests validates every request that the simulator received. It returns
// their operations, and the kinds of polls that are not described.
func validateRequests(t *testing.T, l *local) (operations, absent []string) {
	t.Helper()
	dir := t.TempDir()
	made := map[string]armsim.Request{}
	for _, r := range l.ARM.Requests() {
		if r.Kind == "GET token" {
			continue // the endpoint of the managed identity is not part of Resource Manager
		}
		requireGranted(t, r)
		if r.Kind == "GET vaults" {
			// Its description belongs to a part of the provider that is not published
			// here.
			require.Equal(t, recoveryservices.VaultAPIVersion, r.Query.Get("api-version"), r.Path)
			continue
		}
		name := fmt.Sprintf("%03d-%s", len(made), strings.ReplaceAll(r.Kind, " ", "-"))
		if poll(r.Path) {
			// Azure's headers name another version. Only the path has to be described.
			name = "poll-" + name
			r.Query.Set("api-version", apiVersion(r.Path))
		} else {
			require.Equal(t, apiVersion(r.Path), r.Query.Get("api-version"), r.Path)
		}
		save(t, dir, name, r)
		made[name] = r
	}
	mutated := mutate(t, dir, made)

	results := oav.Validate(&lenientTB{TB: t}, dir)
	require.Len(t, results, len(made)+len(mutated), "every exchange has a result")
	for _, j := range results {
		name := strings.TrimSuffix(j.File, ".json")
		complaints := strings.Join(j.RequestErrors, "\n")
		switch {
		case mutated[name] != "":
			require.Contains(t, complaints, mutated[name], "%s: an invalid request passed", name)
		case strings.HasPrefix(name, "poll-") && strings.Contains(complaints, "OPERATION_NOT_FOUND"):
			absent = append(absent, pollKind(made[name].Path))
		default:
			require.Empty(t, complaints, "%s %s\n%s", made[name].Method, made[name].Path, made[name].Body)
			operations = append(operations, j.Operation)
		}
	}
	slices.Sort(operations)
	slices.Sort(absent)
	operations, absent = slices.Compact(operations), slices.Compact(absent)
	t.Logf("%d requests of %d operations, %d invalid ones found: %v", len(made), len(operations), len(mutated), operations)
	return operations, absent
}

// TestRequests_OfTheOtherFlowsMatchTheAPIDescription does the same for the
// flows that end protection, and for Backup vaults.
func TestRequests_OfTheOtherFlowsMatchTheAPIDescription(t *testing.T) {
	t.Parallel()
	target := func(name, field string) string {
		where, _ := parametersOf(t, name)["asDatabase"].(map[string]any)
		text, _ := where[field].(string)
		return text
	}
	l := startInTurn(t, stack.Config{SpeedFactor: 120, Settings: map[string]string{
		"AZBACKUPFLOW_ALLOW_DELETE":    "true",
		"AZBACKUPFLOW_RESTORE_TARGETS": target("restore-postgres-database", "serverId") + ",https://testossstorageaccount.blob.core.windows.net/testcontainerrestore",
	}})
	for _, name := range []string{
		"protect-file-share", "stop-protection", "resume-protection",
		"protect-postgres", "backup-now-postgres", "restore-postgres-files", "restore-postgres-database",
	} {
		l.succeeds(l.begin(example(t, name)))
	}
	for i, item := range []map[string]any{
		{"backupInstanceId": parametersOf(t, "backup-now-postgres")["backupInstanceId"]},
		parametersOf(t, "stop-protection"),
	} {
		remove := example(t, "delete-protection")
		remove["key"], remove["parameters"] = fmt.Sprint("delete ", i), item
		l.succeeds(l.begin(remove))
	}
	// A restore from the archive tier takes hours even at this speed. Only its
	// request matters here.
	id := l.begin(example(t, "restore-postgres-database-archive"))
	require.Eventually(t, func() bool {
		v, ok := l.get(id)
		require.False(t, ok && v.Status.Terminal(), "%+v", v.Error)
		return slices.ContainsFunc(l.ARM.Requests(), func(r armsim.Request) bool {
			return r.Kind == "POST restore" && strings.Contains(r.Body, "Rehydration")
		})
	}, maxWait, 50*time.Millisecond)

	operations, absent := validateRequests(t, l)
	require.Subset(t, undescribed(), absent)
	for _, needed := range []string{
		"BackupInstances_ValidateForBackup", "BackupInstances_CreateOrUpdate", "BackupInstances_Get", "BackupInstances_AdhocBackup",
		"BackupInstances_ValidateForRestore", "BackupInstances_TriggerRestore", "BackupInstances_Delete", "RecoveryPoints_List",
		"ProtectedItems_Delete",
	} {
		require.Contains(t, operations, needed)
	}
}

// parametersOf returns the parameters of an example.
func parametersOf(t *testing.T, name string) map[string]any {
	t.Helper()
	p, ok := example(t, name)["parameters"].(map[string]any)
	require.True(t, ok)
	return p
}

// example returns a request of the folder examples, with the name of its file as
// its key.
func example(t *testing.T, name string) map[string]any {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "..", "examples", name+".json"))
	require.NoError(t, err)
	var r map[string]any
	require.NoError(t, json.Unmarshal(raw, &r))
	r["key"] = name
	return r
}

// lenientTB ignores validation errors, because some requests must have them.
type lenientTB struct {
	testing.TB
}

// Errorf ignores the errors of a request: its result contains them.
func (j *lenientTB) Errorf(format string, args ...any) {
	j.Helper()
	if !strings.Contains(format, "does not match Azure's description") {
		j.TB.Errorf(format, args...)
	}
}

// poll reports whether the path is that of a status or result of a long-running
// operation.
func poll(path string) bool {
	return slices.ContainsFunc([]string{"/operationsStatus/", "/operationResults/", "/backupOperations/"}, func(part string) bool { return strings.Contains(path, part) })
}

// pollKind returns the path of a poll below the vault, without the names in it.
func pollKind(path string) string {
	_, below, _ := strings.Cut(path, "/vaults/")
	parts := strings.Split(below, "/")[1:]
	for i := range parts {
		if i > 0 && parts[i-1] == "protectionContainers" {
			parts[i] = "{container}"
		}
	}
	return strings.Join(parts[:len(parts)-1], "/") + "/"
}

// mutate saves requests with one error each. It returns the expected message of
// the validator for each, which proves that the validator finds errors.
func mutate(t *testing.T, dir string, made map[string]armsim.Request) map[string]string {
	t.Helper()
	of := func(kind string) armsim.Request {
		for _, r := range made {
			// Backups of both providers have the same kind; this is the backup of an
			// item.
			if r.Kind == kind && strings.Contains(r.Path, "/protectedItems/") {
				return r
			}
		}
		require.Fail(t, "no request of kind "+kind)
		return armsim.Request{}
	}
	backup := of("POST backup")
	wrongTime, wrongKind, noBody, wrongPath := backup, backup, backup, backup
	wrongTime.Body = `{"properties":{"objectType":"AzureFileShareBackupRequest","recoveryPointExpiryTimeInUTC":7}}`
	wrongKind.Body = `{"properties":{"objectType":"BackupRequestThatIsNone"}}`
	noBody.Body = ""
	wrongPath.Path += "s"
	unknownField := of("PUT protectedItems")
	unknownField.Body = strings.Replace(unknownField.Body, `"policyId"`, `"policyIdentifier"`, 1)
	all := map[string]string{}
	for name, m := range map[string]struct {
		r    armsim.Request
		want string
	}{
		"wrong-time": {wrongTime, "INVALID_TYPE"}, "wrong-kind": {wrongKind, "BackupRequestThatIsNone"},
		"no-body": {noBody, "MISSING_REQUIRED_PARAMETER"}, "wrong-path": {wrongPath, "OPERATION_NOT_FOUND"},
		"unknown-field": {unknownField, "policyIdentifier"},
	} {
		save(t, dir, "mutated-"+name, m.r)
		all["mutated-"+name] = m.want
	}
	return all
}

// save saves a request for the validator, with an answer that the validator
// accepts.
func save(t *testing.T, dir, name string, r armsim.Request) {
	t.Helper()
	path := strings.ReplaceAll(r.Path, " ", "%20")
	e := oav.Exchange{
		Request: oav.Request{
			Method: r.Method, URL: "https://management.azure.com" + path + "?" + r.Query.Encode(),
			Headers: map[string]string{"Content-Type": "application/json"}, Body: json.RawMessage(r.Body),
		},
		Response: oav.Response{StatusCode: http.StatusAccepted, Headers: map[string]string{}},
	}
	require.NoError(t, e.Save(dir, name))
}

// itemID returns the ID of the protected item with the friendly name.
func itemID(t *testing.T, l *local, friendlyName string) string {
	t.Helper()
	for _, i := range l.ARM.ProtectedItems() {
		if i.FriendlyName == friendlyName {
			return i.ID
		}
	}
	require.Fail(t, friendlyName+" is not protected")
	return ""
}
