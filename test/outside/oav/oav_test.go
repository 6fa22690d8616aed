package oav

import (
	"encoding/json"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const backupNow = "https://management.azure.com/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/azurefiles/providers/" +
	"Microsoft.RecoveryServices/vaults/azurefilesvault/backupFabrics/Azure/protectionContainers/StorageContainer;Storage;AzureFiles;testvault2/" +
	"protectedItems/azurefileshare;testshare/backup?api-version=2025-02-01"

func save(t *testing.T, dir, name, method, url, body string) {
	t.Helper()
	e := Exchange{
		Request:  Request{Method: method, URL: url, Headers: Headers(http.Header{"Content-Type": {"application/json"}}), Body: json.RawMessage(body)},
		Response: Response{StatusCode: http.StatusAccepted, Headers: map[string]string{}},
	}
	require.NoError(t, e.Save(dir, name))
}

func TestValidate_ReportsInvalidRequests(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	save(t, dir, "1-right", http.MethodPost, backupNow, `{"properties":{"objectType":"AzureFileShareBackupRequest","recoveryPointExpiryTimeInUTC":"2026-12-01T02:16:29Z"}}`)
	save(t, dir, "2-wrong-type", http.MethodPost, backupNow, `{"properties":{"objectType":"AzureFileShareBackupRequest","recoveryPointExpiryTimeInUTC":7}}`)
	save(t, dir, "3-no-such-kind", http.MethodPost, backupNow, `{"properties":{"objectType":"NoSuchBackupRequest"}}`)
	save(t, dir, "4-no-such-property", http.MethodPost, backupNow, `{"properties":{"objectType":"AzureFileShareBackupRequest","recoveryPointExpiry":"2026-12-01T02:16:29Z"}}`)
	save(t, dir, "5-no-body", http.MethodPost, backupNow, ``)
	save(t, dir, "6-no-such-operation", http.MethodPost, strings.Replace(backupNow, "/backup?", "/backups?", 1), `{}`)
	save(t, dir, "7-no-such-version", http.MethodPost, strings.Replace(backupNow, "2025-02-01", "2025-02-30", 1), `{}`)
	save(t, dir, "8-no-such-provider", http.MethodGet, "https://management.azure.com/subscriptions/0/nowhere?api-version=2025-02-01", ``)

	results := runOAV(t, dir)
	require.Len(t, results, 8)
	require.Equal(t, "1-right.json", results[0].File)
	require.Equal(t, "Backups_Trigger", results[0].Operation)
	require.Equal(t, "2025-02-01", results[0].APIVersion)
	require.Empty(t, results[0].RequestErrors)
	for i, want := range map[int]string{
		1: "INVALID_TYPE",
		2: "NoSuchBackupRequest",
		3: "recoveryPointExpiry",
		4: "MISSING_REQUIRED_PARAMETER",
		5: "OPERATION_NOT_FOUND",
		6: "OPERATION_NOT_FOUND",
		7: "OPERATION_NOT_FOUND",
	} {
		require.Contains(t, strings.Join(results[i].RequestErrors, "\n"), want, results[i].File)
	}
}

// TestValidate_AcceptsAzuresExamples protects from false alarms: the request of
// each published example must pass.
func TestValidate_AcceptsAzuresExamples(t *testing.T) {
	t.Parallel()
	_, specs := installed(t)
	dir := t.TempDir()
	document := filepath.Join(specs, "Microsoft.RecoveryServices.Backup", "2025-02-01")
	written := saveExamples(t, document, dir)
	results := Validate(t, dir)
	require.Len(t, results, written)
	operations := map[string]bool{}
	for _, j := range results {
		operations[j.Operation] = true
	}
	for _, needed := range []string{
		"Backups_Trigger", "ProtectionContainers_Refresh", "ProtectionContainers_Register", "ProtectionContainers_Inquire",
		"ProtectableContainers_List", "BackupProtectableItems_List", "ProtectedItems_CreateOrUpdate", "JobDetails_Get",
	} {
		require.True(t, operations[needed], needed)
	}
}

// saveExamples saves the examples of bms.json as exchanges and returns their
// number.
func saveExamples(t *testing.T, folder, dir string) int {
	t.Helper()
	type reference struct {
		Ref string `json:"$ref"`
	}
	var document struct {
		Paths map[string]map[string]struct {
			Parameters []struct{ In, Name string }
			Examples   map[string]reference `json:"x-ms-examples"`
		}
	}
	data, err := os.ReadFile(filepath.Join(folder, "bms.json"))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, &document))

	written := 0
	for template, operations := range document.Paths {
		for method, operation := range operations {
			for name, example := range operation.Examples {
				data, err := fs.ReadFile(os.DirFS(folder), filepath.ToSlash(filepath.Clean(example.Ref)))
				if err != nil {
					continue // published without this one
				}
				var given struct{ Parameters map[string]json.RawMessage }
				require.NoError(t, json.Unmarshal(data, &given))
				path, query, body := template, url.Values{}, ""
				for parameter, raw := range given.Parameters {
					var text string
					_ = json.Unmarshal(raw, &text) // the body is empty
					switch {
					case strings.Contains(path, "{"+parameter+"}"):
						path = strings.Replace(path, "{"+parameter+"}", text, 1)
					case text == "":
						body = string(raw)
					default:
						query.Set(parameter, text)
					}
				}
				file := strings.NewReplacer(" ", "-", "/", "-").Replace(method + "-" + name)
				save(t, dir, file, strings.ToUpper(method), "https://management.azure.com"+path+"?"+query.Encode(), body)
				written++
			}
		}
	}
	return written
}
