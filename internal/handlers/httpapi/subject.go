package httpapi

import (
	"encoding/json"
	"path"
	"regexp"
	"strings"

	"azbackupflow/internal/operation"
)

// vaultID matches the resource id of a vault at the beginning of a resource id.
var vaultID = regexp.MustCompile(`(?i)^/subscriptions/[^/]+/resourceGroups/[^/]+/providers/(Microsoft\.RecoveryServices/vaults|Microsoft\.DataProtection/backupVaults)/[^/]+`)

// subject returns the vault and the protected item of an operation, as far as its
// parameters and steps name them. The item is the resource id of what is backed
// up if that is known, else of the protected item.
func (a *API) subject(op operation.Operation) (vault, item string) {
	var p struct {
		VaultID          string          `json:"vaultId"`
		ItemID           string          `json:"itemId"`
		BackupInstanceID string          `json:"backupInstanceId"`
		JobID            string          `json:"jobId"`
		StorageAccountID string          `json:"storageAccountId"`
		FileShare        json.RawMessage `json:"fileShare"`
	}
	_ = json.Unmarshal(op.Parameters, &p) // what cannot be read stays empty
	var share struct {
		VaultID          string `json:"vaultId"`
		StorageAccountID string `json:"storageAccountId"`
		Name             string `json:"name"`
	}
	if json.Unmarshal(p.FileShare, &share) != nil {
		share.StorageAccountID = p.StorageAccountID
		_ = json.Unmarshal(p.FileShare, &share.Name) // a flow takes an object or a name
	}
	for _, id := range []string{p.VaultID, share.VaultID, p.ItemID, p.BackupInstanceID, p.JobID} {
		if vault = vaultID.FindString(id); vault != "" {
			break
		}
	}
	if f, known := a.cfg.Flows.Find(op.Flow, op.Version); known && f.Item != nil {
		item = f.Item(op)
	}
	switch {
	case item != "":
	case share.StorageAccountID != "" && share.Name != "":
		item = strings.TrimRight(share.StorageAccountID, "/") + "/fileServices/default/shares/" + share.Name
	case p.ItemID != "":
		item = p.ItemID
	default:
		item = p.BackupInstanceID
	}
	return vault, item
}

// named reports whether a resource id is the wanted one, or ends with the wanted
// name. Nothing wanted matches every id.
func named(id, want string) bool {
	want = strings.TrimRight(want, "/")
	return want == "" || strings.EqualFold(id, want) || strings.EqualFold(path.Base(id), want)
}
