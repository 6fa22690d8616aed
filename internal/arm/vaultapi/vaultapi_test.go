package vaultapi_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/arm"
	"azbackupflow/internal/arm/armtest"
	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/arm/vaultapi"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

func vault(t resourceid.VaultType) resourceid.VaultID {
	return resourceid.VaultID{Type: t, SubscriptionID: "s", ResourceGroup: "g", Name: "v"}
}

func TestAPI_RejectsAVaultOfTheOtherProvider(t *testing.T) {
	t.Parallel()
	server, sent := armtest.Serve(t, armtest.AnyAnswer)
	api := vaultapi.New(armtest.Client(t, server), resourceid.BackupVault, "2024-04-01")
	_, err := api.Start(t.Context(), vaultapi.Call{Method: http.MethodPost}, vault(resourceid.RecoveryServicesVault), "x")
	var known *operation.Error
	require.ErrorAs(t, err, &known)
	require.Equal(t, azerr.CodeMalformedRequest, known.Code)
	require.Equal(t, `vault "v" is not a Backup vault`, known.Message)
	require.Empty(t, sent())

	_, err = api.Start(t.Context(), vaultapi.Call{Method: http.MethodPost}, vault(resourceid.BackupVault), "x")
	require.NoError(t, err)
	require.Len(t, sent(), 1)
	require.Equal(t, armtest.PublicARM+"/subscriptions/s/resourceGroups/g/providers/Microsoft.DataProtection/backupVaults/v/x?api-version=2024-04-01", sent()[0].URL)
}

func TestAPI_WithBindsADryRun(t *testing.T) {
	t.Parallel()
	server, sent := armtest.Serve(t, armtest.AnyAnswer)
	dryRun := &step.DryRun{}
	api := vaultapi.New(armtest.Client(t, server), resourceid.BackupVault, "2024-04-01").With(arm.CallOptions{DryRun: dryRun})
	_, err := api.Start(t.Context(), vaultapi.Call{Method: http.MethodDelete}, vault(resourceid.BackupVault), "x")
	require.Error(t, err)
	require.Empty(t, sent())
	require.Len(t, dryRun.Calls(), 1)
}
