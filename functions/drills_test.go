package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/drill/evidence"
	"azbackupflow/internal/drill/keyvault"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/settings"
)

// withKey returns a base whose setting names a key.
func withKey(key string) *base {
	return &base{
		world:    world{now: time.Now},
		settings: settings.Settings{Cloud: "public", EvidenceKey: key, Drills: "drills.yaml"},
		log:      slog.New(slog.DiscardHandler),
	}
}

func TestNewSigner_ReadsTheSetting(t *testing.T) {
	t.Parallel()
	generated, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	der, err := x509.MarshalPKCS8PrivateKey(generated)
	require.NoError(t, err)
	dir := t.TempDir()
	file, public := filepath.Join(dir, "key.pem"), filepath.Join(dir, "public.pem")
	require.NoError(t, os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600))
	require.NoError(t, os.WriteFile(public, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY"}), 0o600))

	signer, err := newSigner(withKey(file))
	require.NoError(t, err)
	require.IsType(t, evidence.PrivateKey{}, signer)
	signer, err = newSigner(withKey("https://contoso.vault.azure.net/keys/drills/1"))
	require.NoError(t, err)
	require.IsType(t, &keyvault.Signer{}, signer)

	for key, want := range map[string]string{
		filepath.Join(dir, "none.pem"): "set the path of a PEM file, or the URL of a Key Vault key",
		public:                         "want a PEM file with a private ECDSA key",
		"https://contoso.vault.azure.net.evil.example/keys/drills": "not a vault of this cloud; want https://{vault}.vault.azure.net/keys/{name}/{version}",
		"http://contoso.vault.azure.net/keys/drills":               "is not the HTTPS URL of a Key Vault key",
	} {
		_, err := newSigner(withKey(key))
		require.ErrorContains(t, err, "AZBACKUPFLOW_EVIDENCE_KEY")
		require.ErrorContains(t, err, want)
	}

	signer, err = newSigner(withKey(""))
	require.NoError(t, err)
	_, err = signer.PublicKey(t.Context())
	var missing *operation.Error
	require.ErrorAs(t, err, &missing)
	require.Equal(t, "SigningKeyMissing", missing.Code)
	require.NotEmpty(t, missing.RecommendedAction)
	_, err = signer.SignDigest(t.Context(), nil)
	require.Error(t, err)
}

func TestReadDrills_StartsNoneWithoutAKey(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	b := withKey("")
	b.log = slog.New(slog.NewTextHandler(&log, nil))
	d, err := readDrills(b, nil, nil, nil)
	require.NoError(t, err)
	require.Equal(t, declaredDrills{}, d, "without a file there are no drills")
	none, err := evidenceChecks(b, d)
	require.NoError(t, err)
	require.Nil(t, none, "an app without drills needs no evidence")

	b.settings.Drills = filepath.Join(t.TempDir(), "mine.yaml")
	d, err = readDrills(b, nil, nil, nil)
	require.NoError(t, err)
	require.True(t, d.incomplete)
	require.Len(t, d.skipped, 1)
	require.Contains(t, log.String(), "drills not read, no drill starts")

	raw, err := os.ReadFile("../docs/drills.md")
	require.NoError(t, err)
	_, rest, _ := bytes.Cut(raw, []byte("```yaml\n"))
	example, _, _ := bytes.Cut(rest, []byte("```"))
	require.NoError(t, os.WriteFile(b.settings.Drills, example, 0o600))
	d, err = readDrills(b, nil, nil, nil)
	require.NoError(t, err)
	require.True(t, d.incomplete)
	require.Empty(t, d.schedules)
	require.Contains(t, d.skipped[0].Problem, "this app has no key")
	checks, err := evidenceChecks(b, d)
	require.NoError(t, err)
	require.Nil(t, checks.Key, "the preflight reports the missing key")
	require.Contains(t, log.String(), "drills skipped, because their evidence could not be signed")
}
