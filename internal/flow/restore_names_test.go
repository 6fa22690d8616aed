package flow_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Names of restores go into paths and URLs of Azure: none may address anything
// else than what it names.
func TestRestoreNames_RejectsWhatCouldAddressSomethingElse(t *testing.T) {
	t.Parallel()
	prefix := func(value string) object { return object{"asFiles": asFiles(value)} }
	database := func(value string) object { return object{"asDatabase": asDatabase(value)} }
	secret := func(value string) object {
		to := asDatabase("x")
		to["credentialsSecretUri"] = value
		return object{"asDatabase": to}
	}
	names := map[string]string{
		"empty": "", "a separator": "a/b", "a leading separator": "/a", "a backslash": `a\b`, "the parent folder": "..", "a climb": "../a", "a climb by backslash": `..\a`,
		"two dots inside": "a..b", "an encoded separator": "a%2fb", "an encoded climb": "%2e%2e", "an encoded climb, twice": "%252e%252e", "a query": "a?b", "a fragment": "a#b",
		"a zero byte": "a\x00b", "a line": "a\nb", "a tab": "a\tb", "delete": "a\x7fb", "a C1 control": "a\u0085b", "right to left": "a\u202eb", "an isolate": "a\u2066b",
		"a zero-width space": "a\u200bb", "a line separator": "a\u2028b", "invalid UTF-8": "a\ufffdb", "a leading space": " a", "a trailing space": "a ", "spaces": "  ",
	}
	for name, value := range names {
		for field, parameters := range map[string]object{"asFiles.prefix": prefix(value), "asDatabase.database": database(value)} {
			t.Run(field+", "+name, func(t *testing.T) {
				t.Parallel()
				requireInvalid(t, parameters, "parameters."+field)
			})
		}
	}
	for name, c := range map[string]struct {
		parameters object
		field      string
	}{
		"a long prefix":                {prefix(strings.Repeat("a", 257)), "parameters.asFiles.prefix"},
		"a long prefix, in bytes":      {prefix(strings.Repeat("é", 129)), "parameters.asFiles.prefix"},
		"a long database name":         {database(strings.Repeat("a", 64)), "parameters.asDatabase.database"},
		"a secret with a climb":        {secret("https://v.vault.azure.net/secrets/../keys/k"), "parameters.asDatabase.credentialsSecretUri"},
		"a secret with dots":           {secret("https://v.vault.azure.net/secrets/.."), "parameters.asDatabase.credentialsSecretUri"},
		"a secret, encoded climb":      {secret("https://v.vault.azure.net/secrets/%2e%2e/keys/k"), "parameters.asDatabase.credentialsSecretUri"},
		"a secret, encoded separator":  {secret("https://v.vault.azure.net/secrets/a%2fb"), "parameters.asDatabase.credentialsSecretUri"},
		"a secret with a backslash":    {secret(`https://v.vault.azure.net/secrets/a\b`), "parameters.asDatabase.credentialsSecretUri"},
		"a secret without a name":      {secret("https://v.vault.azure.net/secrets/"), "parameters.asDatabase.credentialsSecretUri"},
		"a secret with a line":         {secret("https://v.vault.azure.net/secrets/a\n"), "parameters.asDatabase.credentialsSecretUri"},
		"a secret with three parts":    {secret("https://v.vault.azure.net/secrets/a/1/b"), "parameters.asDatabase.credentialsSecretUri"},
		"a secret with a long name":    {secret("https://v.vault.azure.net/secrets/" + strings.Repeat("a", 128)), "parameters.asDatabase.credentialsSecretUri"},
		"a secret of a vault below":    {secret("https://evil.example.vault.azure.net/secrets/s"), "parameters.asDatabase.credentialsSecretUri"},
		"a secret with an empty port":  {secret("https://v.vault.azure.net:/secrets/s"), "parameters.asDatabase.credentialsSecretUri"},
		"a secret with an empty query": {secret("https://v.vault.azure.net/secrets/s?"), "parameters.asDatabase.credentialsSecretUri"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			requireInvalid(t, c.parameters, c.field)
		})
	}
}

func TestRestoreNames_AcceptsUsualNames(t *testing.T) {
	t.Parallel()
	for _, value := range []string{"a", "empdb11-latest", "Emp DB_2.restored", "données", strings.Repeat("a", 63), "a:b", "a(1)", "1"} {
		for _, to := range []object{{"asFiles": asFiles(value)}, {"asDatabase": asDatabase(value)}} {
			_, wrong := checked(t, "restore-postgres", restoreTo(t, to))
			require.Empty(t, wrong, value)
		}
	}
	to := asDatabase("x")
	for _, uri := range []string{demoSecret, demoSecret + "/", demoSecret + "/0123456789abcdef0123456789abcdef", "HTTPS://V.vault.azure.net/secrets/a-1"} {
		to["credentialsSecretUri"] = uri
		_, wrong := checked(t, "restore-postgres", restoreTo(t, object{"asDatabase": to}))
		require.Empty(t, wrong, uri)
	}
}

// restoreTo returns the parameters of a restore to a target.
func restoreTo(t *testing.T, to object) string {
	t.Helper()
	raw, err := json.Marshal(with(object{"backupInstanceId": demoInstance, "recoveryPoint": object{"latest": true}}, to))
	require.NoError(t, err)
	return string(raw)
}

// requireInvalid requires that the check rejects one field, and says what would be
// right.
func requireInvalid(t *testing.T, to object, field string) {
	t.Helper()
	_, wrong := checked(t, "restore-postgres", restoreTo(t, to))
	require.Len(t, wrong, 1)
	require.Equal(t, field, wrong[0].Field)
	require.NotEmpty(t, wrong[0].Problem)
	require.NotEmpty(t, wrong[0].Want)
}
