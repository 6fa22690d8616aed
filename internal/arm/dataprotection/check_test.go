package dataprotection

import (
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/arm/armtest"
	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/operation"
)

func TestRestore_DoesNotSendInvalidRequests(t *testing.T) {
	t.Parallel()
	server, sent := armtest.Serve(t, armtest.AnyAnswer)
	c := New(armtest.Client(t, server))
	for says, change := range map[string]func(*RestoreRequest){
		"recovery point":                      func(r *RestoreRequest) { r.RecoveryPointID = "" },
		"exactly one target":                  func(r *RestoreRequest) { r.Files = nil },
		"a database, files or a resource":     func(r *RestoreRequest) { r.Database = asDatabase(t).Database },
		`sourceDataStoreType ""`:              func(r *RestoreRequest) { r.SourceDataStoreType = "" },
		`sourceDataStoreType "SnapshotStore"`: func(r *RestoreRequest) { r.SourceDataStoreType = "SnapshotStore" },
		"required for the archive":            func(r *RestoreRequest) { r.SourceDataStoreType = StoreArchive },
		"a rehydration is required": func(r *RestoreRequest) {
			r.Rehydration = &Rehydration{Priority: PriorityHigh, RetentionDuration: "P1D"}
		},
		`rehydrationPriority "high"`:        func(r *RestoreRequest) { *r = fromArchive(*r); r.Rehydration.Priority = "high" },
		`rehydrationRetentionDuration "7D"`: func(r *RestoreRequest) { *r = fromArchive(*r); r.Rehydration.RetentionDuration = "7D" },
		`rehydrationRetentionDuration "P"`:  func(r *RestoreRequest) { *r = fromArchive(*r); r.Rehydration.RetentionDuration = "P" },
		"prefix":                            func(r *RestoreRequest) { r.Files = &FilesTarget{URL: demoContainer} },
		"URL of a container": func(r *RestoreRequest) {
			r.Files = &FilesTarget{URL: "http://account.blob.core.windows.net/c", FilePrefix: "p"}
		},
		"such as https://account": func(r *RestoreRequest) {
			r.Files = &FilesTarget{URL: "https://account.blob.core.windows.net/", FilePrefix: "p"}
		},
		"without a SAS": func(r *RestoreRequest) { r.Files = &FilesTarget{URL: demoContainer + "?sig=x", FilePrefix: "p"} },
		"contains credentials": func(r *RestoreRequest) {
			r.Files = &FilesTarget{URL: "https://a:b@account.blob.core.windows.net/c", FilePrefix: "p"}
		},
		"target database": func(r *RestoreRequest) { r.Files, r.Database = nil, &DatabaseTarget{} },
		"Key Vault secret": func(r *RestoreRequest) {
			*r = asDatabase(t)
			r.Database.SecretURI = "https://vault.vault.azure.net/keys/k"
		},
	} {
		r := asFiles()
		change(&r)
		for _, err := range []error{
			start(c.ValidateRestore(t.Context(), demoInstance(), r)), start(c.Restore(t.Context(), demoInstance(), r, "a")),
		} {
			var e *operation.Error
			require.ErrorAs(t, err, &e, says)
			require.Equal(t, azerr.CodeMalformedRequest, e.Code)
			require.Contains(t, e.Message, says)
		}
	}
	require.Empty(t, sent())
}

func TestPutInstance_DoesNotSendInvalidRequests(t *testing.T) {
	t.Parallel()
	server, sent := armtest.Serve(t, armtest.AnyAnswer)
	c := New(armtest.Client(t, server))
	for _, change := range []func(*InstanceRequest){
		func(r *InstanceRequest) { r.PolicyID = "" },
		func(r *InstanceRequest) { r.Datasource = Datasource{} },
		func(r *InstanceRequest) { r.SecretURI = "password" },
		func(r *InstanceRequest) { r.SecretURI = "https://vault.vault.azure.net/secrets/x?y=z" },
	} {
		r := flexibleServer(t)
		change(&r)
		require.Error(t, start(c.ValidateForBackup(t.Context(), demoVault(), r)))
		require.Error(t, start(c.PutInstance(t.Context(), demoInstance(), r)))
	}
	require.Error(t, start(c.Backup(t.Context(), demoInstance(), BackupRuleOptions{}, "a")))
	require.Empty(t, sent())
}
