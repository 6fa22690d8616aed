package e2e

import (
	"fmt"
	"maps"
	"strings"

	"azbackupflow/internal/local/armsim"
)

// badInput is a request that can never succeed unchanged.
type badInput struct {
	name string
	// body is an object, or text that is sent unchanged.
	body any
	// field is the field that the answer names; problem and want are parts of the
	// answer about it.
	field, problem, want string
}

// queueLimit is the maximum size of a message of the standard tier, minus its
// properties.
const queueLimit = 255 << 10

// changed returns a protect request with a changed top-level field.
func changed(change map[string]any) map[string]any {
	r := protect("bad")
	maps.Copy(r, change)
	return r
}

// parameters returns a protect request with changed parameters; a nil value
// removes one.
func parameters(change map[string]any) map[string]any {
	return withParameters(protect("bad"), change)
}

// backupParameters returns a backup request with other parameters.
func backupParameters(p map[string]any) map[string]any {
	return map[string]any{"flow": "backup-now", "key": "bad", "parameters": p}
}

func withParameters(r, change map[string]any) map[string]any {
	p := object(r, "parameters")
	for name, value := range change {
		if value == nil {
			delete(p, name)
		} else {
			p[name] = value
		}
	}
	return r
}

const (
	virtualMachine = "/subscriptions/" + armsim.DemoSubscription + "/resourceGroups/machines/providers/Microsoft.Compute/virtualMachines/vm1"
	somewhereElse  = "/subscriptions/" + armsim.DemoSubscription + "/resourceGroups/azurefiles/providers/Microsoft.RecoveryServices/vaults/othervault"
	demoItem       = demoVault + "/backupFabrics/Azure/protectionContainers/StorageContainer;Storage;AzureFiles;testvault2/protectedItems/AzureFileShare;testshare"
)

func labels(n int) map[string]any {
	all := map[string]any{}
	for i := range n {
		all[fmt.Sprintf("label %05d", i)] = "x"
	}
	return all
}

// badInputs are rejected in the same way over HTTP and over the queue.
func badInputs() []badInput {
	return append(malformed(), append(misnamed(), oversized()...)...)
}

// malformed requests cannot be parsed.
func malformed() []badInput {
	return []badInput{
		{name: "no JSON", body: "please back up my share", field: "request", problem: "is not JSON", want: "one JSON object"},
		{name: "truncated JSON", body: `{"flow": "backup-now", "parameters": {`, field: "request", problem: "is not JSON", want: "one JSON object"},
		{name: "nothing", body: "", field: "request", want: "one JSON object"},
		{name: "white space", body: " \r\n", field: "request", want: "one JSON object"},
		{name: "bytes that are not text", body: "\xff\xfe\x00\x01", field: "request", want: "one JSON object"},
		{name: "an array", body: `[{"flow": "backup-now"}]`, field: "request", problem: "is an array", want: "JSON object"},
		{name: "a text", body: `"backup-now"`, field: "request", want: "JSON object"},
		{name: "a number", body: `7`, field: "request", want: "JSON object"},
		{name: "null", body: `null`, field: "flow", problem: "is missing"},
		{name: "two requests in one", body: `{"flow":"backup-now","parameters":{}} {"flow":"backup-now"}`, field: "request", problem: "more than one", want: "one JSON object"},
	}
}

// misnamed requests can be parsed, and name something that does not exist.
func misnamed() []badInput {
	day := "2020-01-31T18:00:00Z"
	return []badInput{
		{name: "no flow", body: map[string]any{"parameters": map[string]any{}}, field: "flow", problem: "is missing", want: "flow"},
		{name: "an unknown flow", body: changed(map[string]any{"flow": "restore-the-world"}), field: "flow", problem: `"restore-the-world"`, want: "backup-now"},
		{name: "an unknown field", body: changed(map[string]any{"parametres": 1}), field: "parametres", problem: "is an unknown field", want: "parameters"},
		{name: "an unknown parameter", body: parameters(map[string]any{"vaultid2": "x"}), field: "parameters.vaultid2", problem: "is an unknown field", want: "vaultId"},
		{name: "an unknown parameter within one", body: parameters(map[string]any{"firstBackup": map[string]any{"when": "now"}}), field: "parameters.firstBackup.when", problem: "is an unknown field", want: "recoveryPointExpiryTimeInUTC"},
		{name: "a number in place of a text", body: parameters(map[string]any{"fileShare": 7}), field: "parameters.fileShare", problem: "number", want: "JSON string"},
		{name: "a text in place of an object", body: parameters(map[string]any{"firstBackup": "yes"}), field: "parameters.firstBackup", problem: "string", want: "JSON object"},
		{name: "a text in place of the parameters", body: changed(map[string]any{"parameters": "x"}), field: "parameters", problem: "string", want: "JSON object"},
		{name: "a list of labels", body: changed(map[string]any{"labels": []string{"x"}}), field: "labels", problem: "array", want: "JSON object"},
		{name: "no parameters", body: map[string]any{"flow": "backup-now", "key": "bad"}, field: "parameters", problem: "is missing"},
		{name: "a vault by its name", body: parameters(map[string]any{"vaultId": "azurefilesvault"}), field: "parameters.vaultId", problem: "not a resource ID", want: "/providers/Microsoft.RecoveryServices/vaults/"},
		{name: "no vault", body: parameters(map[string]any{"vaultId": nil}), field: "parameters.vaultId", problem: "is missing", want: "/vaults/"},
		{name: "a machine in place of a storage account", body: parameters(map[string]any{"storageAccountId": virtualMachine}), field: "parameters.storageAccountId", problem: "is not the resource ID of a storage account", want: "/storageAccounts/"},
		{name: "a missing file share", body: parameters(map[string]any{"fileShare": nil}), field: "parameters.fileShare", problem: "is missing"},
		{name: "an invalid file share name", body: parameters(map[string]any{"fileShare": "My_Share"}), field: "parameters.fileShare", problem: `"My_Share"`, want: "lower-case"},
		{name: "no policy", body: parameters(map[string]any{"policy": nil}), field: "parameters.policy", problem: "is missing", want: "name of a policy"},
		{name: "a policy of another vault", body: parameters(map[string]any{"policy": somewhereElse + "/backupPolicies/schedule1"}), field: "parameters.policy", problem: "othervault", want: "vaultId"},
		{name: "an invalid policy ID", body: parameters(map[string]any{"policy": demoVault + "/backupJobs/1"}), field: "parameters.policy", problem: "is not", want: "/backupPolicies/"},
		{name: "an expiry in the past", body: parameters(map[string]any{"firstBackup": map[string]any{"recoveryPointExpiryTimeInUTC": day}}), field: "parameters.firstBackup.recoveryPointExpiryTimeInUTC", problem: day + " has passed", want: "future"},
		{name: "an expiry that is not a time", body: parameters(map[string]any{"firstBackup": map[string]any{"recoveryPointExpiryTimeInUTC": "tomorrow"}}), field: "parameters.firstBackup.recoveryPointExpiryTimeInUTC", problem: "tomorrow", want: "a time"},
		{name: "a deadline in words", body: changed(map[string]any{"deadline": "6 hours"}), field: "deadline", problem: `"6 hours"`, want: "PT6H"},
		{name: "a deadline that is too short", body: changed(map[string]any{"deadline": "PT5S"}), field: "deadline", problem: "out of range", want: "1m to 30d"},
		{name: "a label with an invalid name", body: changed(map[string]any{"labels": map[string]any{"two words": "x"}}), field: "labels", problem: `"two words"`, want: "letters"},
		{name: "an empty label", body: changed(map[string]any{"labels": map[string]any{"team": ""}}), field: "labels.team", problem: "is empty", want: "characters"},
		{name: "a label that is a number", body: changed(map[string]any{"labels": map[string]any{"team": 7}}), field: "labels.team", problem: "number", want: "JSON string"},
		{name: "a key with a line break", body: changed(map[string]any{"key": "a\nb"}), field: "key", problem: "control characters", want: "200"},
		{name: "nothing to back up", body: backupParameters(map[string]any{}), field: "parameters.itemId", problem: "is missing", want: "exactly one of"},
		{name: "an item by its name", body: backupParameters(map[string]any{"itemId": "testshare"}), field: "parameters.itemId", problem: "not a resource ID", want: "/protectedItems/"},
		{name: "the backup type Invalid", body: backupParameters(map[string]any{"itemId": demoItem, "backupType": "Invalid"}), field: "parameters.backupType", problem: `"Invalid"`, want: "Full, Differential"},
		{
			name:  "a backup type for a file share",
			body:  withParameters(backup("bad", demoAccount, "testshare"), map[string]any{"backupType": "Full"}),
			field: "parameters.backupType", problem: "is set", want: "databases",
		},
	}
}

// oversized requests have the maximum length of a message, or exceed the
// maximum of the stored row.
func oversized() []badInput {
	long := strings.Repeat("a", queueLimit-2000)
	return []badInput{
		{name: "parameters beyond the limit of a row", body: parameters(map[string]any{"fileShare": strings.Repeat("a", 40<<10)}), field: "parameters", problem: "bytes long", want: "32768"},
		{name: "parameters at the queue's limit", body: parameters(map[string]any{"fileShare": long}), field: "parameters", problem: "bytes long", want: "32768"},
		{name: "a flow at the queue's limit", body: changed(map[string]any{"flow": long}), field: "flow", problem: "aaa", want: "protect-file-share"},
		{name: "a field at the queue's limit", body: changed(map[string]any{long: 1}), field: "aaa", problem: "is an unknown field", want: "parameters"},
		{name: "a key at the queue's limit", body: changed(map[string]any{"key": long}), field: "key", problem: "too long", want: "200"},
		{name: "a deadline at the queue's limit", body: changed(map[string]any{"deadline": long}), field: "deadline", problem: "aaa", want: "PT6H"},
		{name: "a label at the queue's limit", body: changed(map[string]any{"labels": map[string]any{"team": long}}), field: "labels.team", problem: "too long", want: "128"},
		{name: "ten thousand labels", body: changed(map[string]any{"labels": labels(10_000)}), field: "labels", problem: "10000 entries", want: "at most 10"},
		{name: "text without JSON at the queue's limit", body: strings.Repeat("<", queueLimit), field: "request", problem: "is not JSON", want: "one JSON object"},
		{name: "deeply nested JSON at the queue's limit", body: `{"flow":` + strings.Repeat("[", queueLimit-10), field: "request", problem: "nested more than 32 times", want: "at most 32"},
	}
}
