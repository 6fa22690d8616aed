package flow

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/arm/backupjob"
	"azbackupflow/internal/arm/recoveryservices"
	"azbackupflow/internal/arm/resourceguard"
)

const (
	allowedContainer = "https://account.blob.core.windows.net/backups"
	allowedServer    = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/g/providers/Microsoft.DBforPostgreSQL/servers/server"
)

func TestGuardrails_AllowNoLookAlikes(t *testing.T) {
	t.Parallel()
	g := Guardrails{RestoreTargets: []string{" " + allowedContainer + "/ ", allowedServer}}
	for container, allowed := range map[string]bool{
		allowedContainer:       true,
		allowedContainer + "/": true,
		"https://ACCOUNT.blob.core.windows.net/backups":              true,
		allowedContainer + "2":                                       false,
		allowedContainer + "/below":                                  false,
		"https://account.blob.core.windows.net/back":                 false,
		"https://account.blob.core.windows.net/":                     false,
		"https://account.blob.core.windows.net/BACKUPS":              false,
		"https://account2.blob.core.windows.net/backups":             false,
		"https://account.blob.core.windows.net.evil.example/backups": false,
		"https://account.blob.core.windows.net:8443/backups":         false,
	} {
		u, err := url.Parse(container)
		require.NoError(t, err)
		require.Equal(t, allowed, g.allowsContainer(u), container)
	}
	plain := Guardrails{RestoreTargets: []string{"http://account.blob.core.windows.net/backups"}}
	secure, err := url.Parse(allowedContainer)
	require.NoError(t, err)
	require.False(t, plain.allowsContainer(secure), "the setting names another URL")
	for server, allowed := range map[string]bool{
		allowedServer: true, allowedServer + "2": false, allowedServer + "/databases/d": false, allowedServer[:len(allowedServer)-1]: false, "": false,
	} {
		require.Equal(t, allowed, g.allowsServer(server), server)
	}
}

func TestContainer_IsAPlainURL(t *testing.T) {
	t.Parallel()
	g := Guardrails{RestoreTargets: []string{allowedContainer}}
	for text, valid := range map[string]bool{
		allowedContainer: true, allowedContainer + "/": true, "": false, allowedContainer + "/below": false,
		"https://account.blob.core.windows.net/back%75ps": false, "http://account.blob.core.windows.net/backups": false,
		allowedContainer + "?sv=1&sig=x": false, allowedContainer + "#part": false, "https://user@account.blob.core.windows.net/backups": false,
	} {
		var c checks
		c.container("containerUrl", text, g)
		require.Equal(t, valid, len(c.invalid) == 0, text)
	}
}

func TestContainerID_MustNameTheContainerOfTheURL(t *testing.T) {
	t.Parallel()
	id := func(account, container string) string {
		return "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/" + account +
			"/blobServices/default/containers/" + container
	}
	for text, valid := range map[string]bool{
		"": true, id("account", "backups"): true, id("ACCOUNT", "backups"): true, id("account2", "backups"): false, id("acc", "backups"): false,
		id("account", "backups2"): false, id("account", "back"): false, id("account", "BACKUPS"): false, id("account", "backups") + "/blobs/x": false,
	} {
		var c checks
		c.sameContainer("containerId", text, allowedContainer)
		require.Equal(t, valid, len(c.invalid) == 0, text)
	}
}

func TestSecretURI_IsAddressedToKeyVault(t *testing.T) {
	t.Parallel()
	for text, valid := range map[string]bool{
		"https://v.vault.azure.net/secrets/s": true, "https://v.VAULT.azure.net/secrets/s/1": true, "https://v.vault.azure.cn/secrets/s": true,
		"https://v.vault.azure.net.evil.example/secrets/s": false, "https://vault.azure.net/secrets/s": false, "https://evilvault.azure.net/secrets/s": false,
		"https://v.vault.azure.net@evil.example/secrets/s": false, "https://v.vault.azure.net:8443/secrets/s": false,
		"https://user@v.vault.azure.net/secrets/s": false, "https://v_v.vault.azure.net/secrets/s": false, "https://.vault.azure.net/secrets/s": false,
		"http://v.vault.azure.net/secrets/s": false, "https://v.vault.azure.net/keys/s": false, "https://v.vault.azure.net/secrets/s?x=y": false,
	} {
		require.Equal(t, valid, isSecretURI(text), text)
	}
}

func TestResourceGuard_BlocksOnlyListedOperations(t *testing.T) {
	t.Parallel()
	of := func(operations ...string) []resourceguard.Proxy {
		return []resourceguard.Proxy{{CriticalOperations: operations}}
	}
	const remove, update = "Microsoft.DataProtection/backupVaults/backupInstances/delete", "Microsoft.DataProtection/backupVaults/write"
	require.True(t, blocksDeletion(of(update, remove), "/backupInstances/delete"))
	require.False(t, blocksDeletion(of(update), "/backupInstances/delete"))
	require.True(t, blocksDeletion(of(), "/backupInstances/delete"), "what it blocks is unknown")
	require.True(t, blocksDeletion(nil, "/backupInstances/delete"))
}

func TestRegistration_IsCheckedByItsStatus(t *testing.T) {
	t.Parallel()
	for status, ok := range map[string]bool{"Registered": true, "SoftDeleted": true, "": true, "NotRegistered": false, "Registering": false, "Failed": false} {
		require.Equal(t, ok, registered(recoveryservices.Container{RegistrationStatus: status}), status)
	}
}

func TestPolicyName_IsForAzureToJudge(t *testing.T) {
	t.Parallel()
	long := "p"
	for len(long) < 150 {
		long += "_"
	}
	for name, valid := range map[string]bool{"daily_2!": true, "a": true, long: true, long + "x": false, "a/b": false, "..": false, "a?b": false, "a%2Fb": false, "a#b": false} {
		require.Equal(t, valid, policyName.MatchString(name), name)
	}
}

func TestCarries_NeedsAnAttempt(t *testing.T) {
	t.Parallel()
	require.True(t, carries("A-1", "a-1"))
	require.False(t, carries("a-2", "a-1"))
	require.False(t, carries("", ""), "neither has an ID")
}

func TestJobCompleted_WarnsWithoutAReason(t *testing.T) {
	t.Parallel()
	job := job{name: "j", what: "Backup job j", state: backupjob.CompletedWithWarnings}
	require.Len(t, jobCompleted(job, true).Warnings, 1)
	job.state = backupjob.Completed
	require.Empty(t, jobCompleted(job, true).Warnings)
}
