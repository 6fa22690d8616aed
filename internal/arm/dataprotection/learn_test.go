package dataprotection

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/arm/armtest"
)

// Each test of this file documents one difference between the samples on Learn's
// two pages and the API, and shows the request that is sent instead. If the page
// is available, the test checks that it still has the difference.

const (
	backupPage  = "backup-postgresql-flexible-server-rest.txt"
	restorePage = "restore-postgresql-rest.txt"
)

// pageSays checks that the page contains a quote.
func pageSays(t *testing.T, page string, quotes ...string) {
	t.Helper()
	t.Run("page contains the quote", func(t *testing.T) {
		t.Parallel()
		text := armtest.Page(t, page)
		for _, q := range quotes {
			require.Contains(t, text, q)
		}
	})
}

// refused returns why the API description rejects a golden request whose body
// was changed.
func refused(t *testing.T, name, why string, change func(body map[string]any)) {
	t.Helper()
	t.Run("the API description refuses it", func(t *testing.T) {
		t.Parallel()
		g := armtest.ReadGolden(t, name)
		body := decoded(t, g)
		change(body)
		raw, err := json.Marshal(body)
		require.NoError(t, err)
		g.Body = raw
		require.ErrorContains(t, describe(t).Problem(t.Context(), g), why)
	})
}

func decoded(t *testing.T, g armtest.Request) map[string]any {
	t.Helper()
	var body map[string]any
	require.NoError(t, json.Unmarshal(g.Body, &body))
	return body
}

// at walks into a body.
func at(t *testing.T, body map[string]any, names ...string) map[string]any {
	t.Helper()
	for _, n := range names {
		next, ok := body[n].(map[string]any)
		require.True(t, ok, n)
		body = next
	}
	return body
}

func TestLearn_PathOfThePutLacksBackupVaults(t *testing.T) {
	t.Parallel()
	pageSays(t, backupPage, "Microsoft.DataProtection/{BkpvaultName}/backupInstances/{UniqueBackupInstanceName}")
	require.Contains(t, armtest.ReadGolden(t, "put-instance").URL,
		"/providers/Microsoft.DataProtection/backupVaults/testBkpVault/backupInstances/pgflextestserver-857d23b1-c679-4c94-ade6-c4d34635e149?")
	_, err := ParseInstanceID(demoSubscription + "/resourceGroups/g/providers/Microsoft.DataProtection/vault/backupInstances/i")
	require.Error(t, err)
}

func TestLearn_BodyOfThePutHasNameAndType(t *testing.T) {
	t.Parallel()
	pageSays(t, backupPage, `"type": "Microsoft.DataProtection/backupvaults/backupInstances",`)
	require.Equal(t, []string{"properties"}, slices.Sorted(maps.Keys(decoded(t, armtest.ReadGolden(t, "put-instance")))))
}

func TestLearn_ObjectTypeIsOutsideThePropertiesOfThePut(t *testing.T) {
	t.Parallel()
	pageSays(t, backupPage, "},\n\"objectType\": \"BackupInstance\"\n}")
	require.Equal(t, "BackupInstance", at(t, decoded(t, armtest.ReadGolden(t, "put-instance")), "properties")["objectType"])
	refused(t, "put-instance", "objectType", func(body map[string]any) {
		delete(at(t, body, "properties"), "objectType")
		body["objectType"] = "BackupInstance"
	})
}

func TestLearn_PolicyVersionIsEmpty(t *testing.T) {
	t.Parallel()
	pageSays(t, backupPage, `"policyVersion": ""`)
	for _, name := range []string{"put-instance", "validate-for-backup"} {
		require.NotContains(t, string(armtest.ReadGolden(t, name).Body), "policyVersion")
	}
}

func TestLearn_PutAnswersProtectionConfigured(t *testing.T) {
	t.Parallel()
	pageSays(t, backupPage, `"currentProtectionState": "ProtectionConfigured"`)
	for _, x := range armtest.Recording(t, recording) {
		if x.Request.Method == "PUT" {
			require.Equal(t, 201, x.Response.Status.Code)
			require.Contains(t, x.Response.Body.String, `"currentProtectionState":"ConfiguringProtection"`)
			require.Contains(t, x.Response.Body.String, `"provisioningState":"Provisioning"`)
		}
	}
}

func TestLearn_APIVersionsAreOld(t *testing.T) {
	t.Parallel()
	pageSays(t, backupPage, "api-version=2021-01-01")
	pageSays(t, restorePage, "api-version=2021-07-01")
	for name := range calls(t) {
		version := "2024-04-01"
		if strings.HasSuffix(name, "data-lake") {
			version = "2025-07-01"
		}
		require.True(t, strings.HasSuffix(armtest.ReadGolden(t, name).URL, "api-version="+version), name)
	}
}

func TestLearn_RestoreTargetSpellsDataSourceInfo(t *testing.T) {
	t.Parallel()
	pageSays(t, restorePage, "\"recoveryOption\": \"FailIfExists\",\n\"dataSourceInfo\": {", `"dataSourceSetInfo": {`)
	target := at(t, decoded(t, armtest.ReadGolden(t, "restore-as-database")), "restoreTargetInfo")
	require.Equal(t, []string{"datasourceAuthCredentials", "datasourceInfo", "datasourceSetInfo", "objectType", "recoveryOption", "restoreLocation"},
		slices.Sorted(maps.Keys(target)))
	for _, field := range []string{"Info", "SetInfo"} {
		t.Run(field, func(t *testing.T) {
			t.Parallel()
			refused(t, "restore-as-database", "unknown field dataSource"+field, func(body map[string]any) {
				target := at(t, body, "restoreTargetInfo")
				target["dataSource"+field] = target["datasource"+field]
			})
		})
	}
	// A backup instance has the opposite spelling.
	instance := at(t, decoded(t, armtest.ReadGolden(t, "put-instance-of-database")), "properties")
	require.Contains(t, instance, "dataSourceInfo")
	require.Contains(t, instance, "dataSourceSetInfo")
}

func TestLearn_RestoreTargetSpellsObjectTypeInLowerCase(t *testing.T) {
	t.Parallel()
	pageSays(t, restorePage, `"objectType": "restoreTargetInfo"`)
	require.Equal(t, "RestoreTargetInfo", at(t, decoded(t, armtest.ReadGolden(t, "restore-as-database")), "restoreTargetInfo")["objectType"])
	refused(t, "restore-as-database", `"restoreTargetInfo" is unknown`, func(body map[string]any) {
		at(t, body, "restoreTargetInfo")["objectType"] = "restoreTargetInfo"
	})
}

func TestLearn_ValidationHasFieldsOutsideItsRequest(t *testing.T) {
	t.Parallel()
	pageSays(t, restorePage, "\"objectType\": \"ValidateRestoreRequestObject\",\n\"recoveryPointId\": \"eb006fde78cb47198be5a320fbe45e9b\",")
	body := decoded(t, armtest.ReadGolden(t, "validate-restore-as-database"))
	require.Equal(t, []string{"restoreRequestObject"}, slices.Sorted(maps.Keys(body)))
	require.Equal(t, demoPoint, at(t, body, "restoreRequestObject")["recoveryPointId"])
	refused(t, "validate-restore-as-database", "recoveryPointId", func(body map[string]any) {
		delete(at(t, body, "restoreRequestObject"), "recoveryPointId")
	})
	refused(t, "validate-restore-as-files", "unknown field objectType", func(body map[string]any) {
		body["objectType"] = "ValidateRestoreRequestObject"
	})
}

func TestRestore_IsTheValidatedRequestUnwrapped(t *testing.T) {
	t.Parallel()
	for name := range calls(t) {
		what, ok := strings.CutPrefix(name, "validate-restore-")
		if !ok {
			continue
		}
		validated := at(t, decoded(t, armtest.ReadGolden(t, name)), "restoreRequestObject")
		require.Equal(t, validated, decoded(t, armtest.ReadGolden(t, "restore-"+what)))
	}
}

func TestLearn_RehydrationIsInSnakeCase(t *testing.T) {
	t.Parallel()
	pageSays(t, restorePage, `"rehydration_priority": "Standard",`, `"rehydration_retention_duration": "P15D",`)
	for _, name := range []string{"restore-as-database-from-archive", "restore-as-files-from-archive"} {
		body := decoded(t, armtest.ReadGolden(t, name))
		require.Equal(t, "AzureBackupRestoreWithRehydrationRequest", body["objectType"])
		require.Equal(t, "Standard", body["rehydrationPriority"])
		require.Equal(t, "P15D", body["rehydrationRetentionDuration"])
		require.Equal(t, "ArchiveStore", body["sourceDataStoreType"])
	}
	refused(t, "restore-as-files-from-archive", "unknown field rehydration", func(body map[string]any) {
		body["objectType"] = "AzureBackupRecoveryPointBasedRestoreRequest"
	})
	refused(t, "restore-as-files-from-archive", "unknown field rehydration_priority", func(body map[string]any) {
		body["rehydration_priority"] = "Standard"
	})
}

func TestLearn_ResourceIDRepeatsProviders(t *testing.T) {
	t.Parallel()
	pageSays(t, restorePage, "/resourceGroups/targetrg/providers/providers/Microsoft.DBforPostgreSQL/")
	_, _, err := datasourceOf(strings.Replace(demoTarget, "/providers/", "/providers/providers/", 1), "westus")
	require.ErrorContains(t, err, `"providers" twice`)
}

func TestLearn_RecoveryPointIsItsFriendlyName(t *testing.T) {
	t.Parallel()
	pageSays(t, restorePage, "uses a recovery point named 794ead7c7661410da03997d210d469e7", `"recoveryPointId": "eb006fde78cb47198be5a320fbe45e9b"`)
	points, err := reader(t, `{"value":[{"id":"x","name":"n","properties":{"recoveryPointId":"eb006fde78cb47198be5a320fbe45e9b",
		"friendlyName":"794ead7c7661410da03997d210d469e7"}}]}`).ListRecoveryPoints(t.Context(), demoInstance(), RecoveryPointFilter{})
	require.NoError(t, err)
	require.Equal(t, demoPoint, points[0].RecoveryPointID)
}

func TestLearn_SecretHasANullValue(t *testing.T) {
	t.Parallel()
	pageSays(t, restorePage, `"value": null`)
	require.NotContains(t, string(armtest.ReadGolden(t, "restore-as-database").Body), `"value"`)
}

func TestLearn_SpellsValidateRestoreWithACapitalV(t *testing.T) {
	t.Parallel()
	pageSays(t, restorePage, "/ValidateRestore?api-version=2021-07-01")
	require.Contains(t, armtest.ReadGolden(t, "validate-restore-as-files").URL, "/validateRestore?")
}

// Learn's bodies for an archived recovery point end with a comma, which is not
// valid JSON.
func TestLearn_ArchiveBodiesAreNotJSON(t *testing.T) {
	t.Parallel()
	text := armtest.Page(t, restorePage)
	require.Len(t, regexp.MustCompile(`"P15D",\n}`).FindAllString(text, -1), 2)
}

func TestLearn_RestoreAsFilesMatchesThePage(t *testing.T) {
	t.Parallel()
	require.JSONEq(t, `{
		"objectType": "AzureBackupRecoveryPointBasedRestoreRequest",
		"sourceDataStoreType": "VaultStore",
		"restoreTargetInfo": {
			"targetDetails": {
				"url": "https://testossstorageaccount.blob.core.windows.net/testcontainerrestore",
				"filePrefix": "empdb11_postgresql-westus_1628853549768",
				"restoreTargetLocationType": "AzureBlobs"
			},
			"restoreLocation": "westus",
			"recoveryOption": "FailIfExists",
			"objectType": "RestoreFilesTargetInfo"
		},
		"recoveryPointId": "eb006fde78cb47198be5a320fbe45e9b"
	}`, string(armtest.ReadGolden(t, "restore-as-files").Body))
}
