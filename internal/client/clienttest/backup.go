package clienttest

import (
	"encoding/json"
	"net/http"
	"time"

	"azbackupflow/internal/api"
	"azbackupflow/internal/operation"
)

// Resource ids of the scripted vault and storage account.
const (
	Vault   = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/azurefiles/providers/Microsoft.RecoveryServices/vaults/azurefilesvault"
	Account = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/AzureFiles/providers/Microsoft.Storage/storageAccounts/testvault2"
)

// Job is the id of the backup job that Backup scripts.
const Job = "b0b2ed3d-c91b-4ac9-9b3a-1a8a9b2c3d4e"

// Protect returns a request to protect a file share.
func Protect(key, share string) api.Request {
	parameters, err := json.Marshal(map[string]any{"vaultId": Vault, "storageAccountId": Account, "fileShare": share, "policy": "schedule1"})
	if err != nil {
		return api.Request{}
	}
	return api.Request{Flow: "protect-file-share", Key: key, Parameters: parameters, Labels: map[string]string{"team": "files"}}
}

// Backup scripts the protection and backup of a file share within half an hour.
// The registration is throttled once.
func (a *API) Backup() {
	get := func(path string) []operation.Exchange { return exchange(http.MethodGet, path, http.StatusOK) }
	container := Vault + "/backupFabrics/Azure/protectionContainers/StorageContainer;Storage;AzureFiles;testvault2"
	item := container + "/protectedItems/AzureFileShare;testshare"
	a.Script("check-policy", Answer{
		Outcome:   operation.Outcome{Kind: operation.Advance, Pace: operation.PaceNow, Note: "policy schedule1 fits file shares", Learned: map[string]string{"friendlyName": "testshare"}},
		Exchanges: get(Vault + "/backupPolicies/schedule1"),
	})
	a.Script("register",
		Answer{
			Err:       &operation.Error{Code: "TooManyRequests", Message: "the vault takes no more requests for now", Class: operation.Throttled, HTTPStatus: http.StatusTooManyRequests, RetryAfter: 30 * time.Second},
			Exchanges: exchange(http.MethodPut, container, http.StatusTooManyRequests),
		},
		Answer{
			Outcome:   operation.Outcome{Kind: operation.Advance, After: 10 * time.Second, Note: "the storage account is being registered"},
			Exchanges: exchange(http.MethodPut, container, http.StatusAccepted),
		})
	a.Script("await-registration", Answer{
		Outcome:   operation.Outcome{Kind: operation.Advance, Pace: operation.PaceNow, Note: "the registration of the storage account is done"},
		Exchanges: get(container + "/operationsStatus/66f228c6-c4e2-4fb0-84bc-65dfb52f975f"),
	})
	a.Script("trigger-backup", Answer{
		Outcome:   operation.Outcome{Kind: operation.Advance, After: time.Minute, Note: "the backup was accepted", Tracking: &operation.Tracking{JobID: Job}},
		Exchanges: exchange(http.MethodPost, item+"/backup", http.StatusAccepted),
	})
	a.Script("await-backup-job",
		Answer{
			Outcome:   operation.Outcome{Kind: operation.Wait, After: 25 * time.Minute, Note: "Backup job " + Job + " of testshare (InProgress, 63 %)"},
			Exchanges: get(Vault + "/backupJobs/" + Job),
		},
		Answer{
			Outcome:   operation.Outcome{Kind: operation.Finish, Note: "Backup job " + Job + " of testshare completed", Learned: map[string]string{"jobId": Job}},
			Exchanges: get(Vault + "/backupJobs/" + Job),
		})
}

func exchange(method, path string, status int) []operation.Exchange {
	return []operation.Exchange{{Method: method, Path: path, Status: status}}
}
