package keyvault_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/stretchr/testify/require"

	"azbackupflow/internal/drill/evidence"
	"azbackupflow/internal/drill/keyvault"
	"azbackupflow/internal/operation"
)

const (
	version = "78deebed173b48e48f55abf87ed4cf71"
	keyURL  = "https://contoso.vault.azure.net/keys/drills/" + version
)

// vault answers as Key Vault does. It is a transport, so that requests keep the
// addresses of Azure.
type vault struct {
	key *ecdsa.PrivateKey
	// change changes an answer; nil changes nothing.
	change func(path string, status *int, body map[string]any)
	// challenge is the resource that an answer without a token names.
	challenge string

	mu       sync.Mutex
	requests []string
	tokens   []string // hosts that received a token
}

func newVault(t *testing.T) *vault {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	return &vault{key: key, challenge: "https://vault.azure.net"}
}

func (v *vault) Do(r *http.Request) (*http.Response, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	answer := func(status int, body any) (*http.Response, error) {
		raw, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader(raw)), Request: r}, nil
	}
	if r.Header.Get("Authorization") == "" {
		res, err := answer(http.StatusUnauthorized, map[string]any{})
		res.Header.Set("WWW-Authenticate", `Bearer authorization="https://login.microsoftonline.com/tenant", resource="`+v.challenge+`"`)
		return res, err
	}
	v.tokens = append(v.tokens, r.URL.Hostname())
	v.requests = append(v.requests, r.Method+" "+r.URL.Path)
	status, body := http.StatusOK, map[string]any{}
	if strings.HasSuffix(r.URL.Path, "/sign") {
		var in struct{ Alg, Value string }
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			return nil, err
		}
		digest, err := base64.RawURLEncoding.DecodeString(in.Value)
		if err != nil || in.Alg != "ES256" {
			return answer(http.StatusBadRequest, map[string]any{"error": map[string]any{"code": "BadParameter"}})
		}
		x, y, err := ecdsa.Sign(rand.Reader, v.key, digest)
		if err != nil {
			return nil, err
		}
		body = map[string]any{"kid": keyURL, "value": base64.RawURLEncoding.EncodeToString(append(x.FillBytes(make([]byte, 32)), y.FillBytes(make([]byte, 32))...))}
	} else {
		point, err := v.key.PublicKey.Bytes()
		if err != nil {
			return nil, err
		}
		body["key"] = map[string]any{
			"kid": keyURL, "kty": "EC", "crv": "P-256",
			"x": base64.RawURLEncoding.EncodeToString(point[1:33]), "y": base64.RawURLEncoding.EncodeToString(point[33:]),
		}
	}
	if v.change != nil {
		v.change(r.URL.Path, &status, body)
	}
	return answer(status, body)
}

// identity returns a token.
type identity struct {
	mu     sync.Mutex
	scopes []string
}

func (i *identity) GetToken(_ context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.scopes = append(i.scopes, o.Scopes...)
	return azcore.AccessToken{Token: "token", ExpiresOn: time.Now().Add(time.Hour)}, nil
}

func newSigner(t *testing.T, v *vault, i *identity, address string) *keyvault.Signer {
	t.Helper()
	key, err := keyvault.ParseKey(address, "public")
	require.NoError(t, err)
	s, err := keyvault.New(keyvault.Config{Key: key, Credential: func() (azcore.TokenCredential, error) { return i, nil }, Transport: v})
	require.NoError(t, err)
	return s
}

func sample(t *testing.T) evidence.Evidence {
	t.Helper()
	at := time.Date(2026, 11, 1, 3, 0, 0, 0, time.UTC)
	e, err := evidence.Assess(evidence.Evidence{
		Version: evidence.Version, ID: "5f2b7c",
		Drill:   evidence.Drill{Name: "monthly-files", Run: "2026-11-01T04:00", ConfigurationDigest: "sha256:" + strings.Repeat("0a", 32)},
		Item:    evidence.Item{ID: "/item", VaultID: "/vault", Type: "AzureFileShare", Name: "orders"},
		Started: at, Ended: at, Phases: []evidence.Phase{}, Checks: []evidence.Check{}, Validation: evidence.Validation{Result: evidence.NotReached}, NotValidated: []string{},
	})
	require.NoError(t, err)
	return e
}

func TestSigner_SignsWithTheVersionThatItRead(t *testing.T) {
	t.Parallel()
	for _, address := range []string{keyURL, strings.TrimSuffix(keyURL, "/"+version)} {
		v, i := newVault(t), &identity{}
		s := newSigner(t, v, i, address)
		for range 2 {
			file, err := evidence.Sign(t.Context(), sample(t), s)
			require.NoError(t, err)
			public, err := s.PublicKey(t.Context())
			require.NoError(t, err)
			got, err := evidence.Verify("drill.json", file, []evidence.PublicKey{public})
			require.NoError(t, err)
			require.Equal(t, public.ID, got.KeyID)
		}
		sign := "POST /keys/drills/" + version + "/sign"
		require.Equal(t, []string{sign, sign}, v.requests[1:], "the key is read once")
		require.Equal(t, "https://vault.azure.net/.default", i.scopes[0])
		for _, host := range v.tokens {
			require.Equal(t, "contoso.vault.azure.net", host)
		}
	}
}

// A challenge must not make the app get a token for another service.
func TestSigner_RefusesTheChallengeOfAnotherService(t *testing.T) {
	t.Parallel()
	v, i := newVault(t), &identity{}
	v.challenge = "https://management.azure.com"
	_, err := newSigner(t, v, i, keyURL).PublicKey(t.Context())
	require.Error(t, err)
	require.Empty(t, i.scopes)
	require.Empty(t, v.tokens)
}

// The check reads the key, and lets the vault sign nothing.
func TestCheck_ReportsAKeyThatCannotSignNow(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	attributes := func(name string, value any) func(map[string]any) {
		return func(body map[string]any) { body["attributes"] = map[string]any{"enabled": true, name: value} }
	}
	key := func(name string, value any) func(map[string]any) {
		return func(body map[string]any) { body["key"].(map[string]any)[name] = value } //nolint:errcheck,forcetypeassert // the fake makes it
	}
	for name, c := range map[string]struct {
		change func(map[string]any)
		want   string
	}{
		"usable":      {attributes("exp", now.Add(time.Hour).Unix()), ""},
		"of no limit": {key("key_ops", []string{"sign", "verify"}), ""},
		"disabled":    {attributes("enabled", false), "it is disabled"},
		"expired":     {attributes("exp", now.Unix()), "it expired at 2026-11-01T00:00:00Z"},
		"not active":  {attributes("nbf", now.Add(time.Hour).Unix()), "it is not active before 2026-11-01T01:00:00Z"},
		"verify only": {key("key_ops", []string{"verify"}), "do not include sign"},
		"RSA":         {key("kty", "RSA"), "is not an EC key"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := newVault(t)
			v.change = func(_ string, _ *int, body map[string]any) { c.change(body) }
			err := newSigner(t, v, &identity{}, keyURL).Check(t.Context(), now)
			require.Equal(t, []string{"GET /keys/drills/" + version}, v.requests)
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.want)
		})
	}
	v := newVault(t)
	v.change = func(_ string, status *int, body map[string]any) {
		*status, body["error"] = http.StatusForbidden, map[string]any{"code": "Forbidden"}
	}
	require.ErrorContains(t, newSigner(t, v, &identity{}, keyURL).Check(t.Context(), now), "HTTP 403")
}

func TestSigner_ReportsWhatIsWrongWithTheKey(t *testing.T) {
	t.Parallel()
	set := func(name string, value any) func(string, *int, map[string]any) {
		return func(_ string, _ *int, body map[string]any) {
			if key, ok := body["key"].(map[string]any); ok {
				key[name] = value
			}
		}
	}
	refuse := func(status int, code string) func(string, *int, map[string]any) {
		return func(_ string, s *int, body map[string]any) {
			*s, body["error"] = status, map[string]any{"code": code, "message": "a long text"}
		}
	}
	for name, c := range map[string]struct {
		change func(string, *int, map[string]any)
		class  operation.Class
		want   string
	}{
		"RSA key":             {set("kty", "RSA"), operation.UserAction, "is not an EC key on the curve P-256"},
		"other curve":         {set("crv", "P-384"), operation.UserAction, "is not an EC key on the curve P-256"},
		"point off the curve": {set("x", base64.RawURLEncoding.EncodeToString(make([]byte, 32))), operation.UserAction, "not those of a point"},
		"long coordinate":     {set("y", base64.RawURLEncoding.EncodeToString(make([]byte, 33))), operation.UserAction, "longer than 32 bytes"},
		"no version":          {set("kid", "https://contoso.vault.azure.net/keys/drills"), operation.UserAction, "has no version"},
		"another version":     {set("kid", "https://contoso.vault.azure.net/keys/drills/00"), operation.UserAction, "another key or version"},
		"another key":         {set("kid", "https://contoso.vault.azure.net/keys/other/"+version), operation.UserAction, "another key or version"},
		"no key":              {func(_ string, _ *int, body map[string]any) { delete(body, "key") }, operation.UserAction, "describes no key"},
		"no permission":       {refuse(http.StatusForbidden, "Forbidden"), operation.UserAction, "Key Vault answered HTTP 403 Forbidden"},
		"no such key":         {refuse(http.StatusNotFound, "KeyNotFound"), operation.UserAction, "Key Vault answered HTTP 404 KeyNotFound"},
		"throttled":           {refuse(http.StatusTooManyRequests, "Throttled"), operation.Throttled, "HTTP 429"},
		"outage":              {refuse(http.StatusInternalServerError, ""), operation.Transient, "HTTP 500"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := newVault(t)
			v.change = c.change
			_, err := newSigner(t, v, &identity{}, keyURL).PublicKey(t.Context())
			var got *operation.Error
			require.ErrorAs(t, err, &got)
			require.Equal(t, c.class, got.Class)
			require.ErrorContains(t, err, c.want)
			require.NotContains(t, err.Error(), "\n")
		})
	}
}

// A signature that the public key does not verify never becomes a document.
func TestSign_RejectsTheSignatureOfAnotherKey(t *testing.T) {
	t.Parallel()
	for name, value := range map[string]string{
		"wrong":  base64.RawURLEncoding.EncodeToString(bytes.Repeat([]byte{1}, 64)),
		"short":  base64.RawURLEncoding.EncodeToString(bytes.Repeat([]byte{1}, 63)),
		"absent": "",
	} {
		v := newVault(t)
		v.change = func(path string, _ *int, body map[string]any) {
			if strings.HasSuffix(path, "/sign") {
				body["value"] = value
			}
		}
		_, err := evidence.Sign(t.Context(), sample(t), newSigner(t, v, &identity{}, keyURL))
		require.Error(t, err, name)
	}
}

func TestSigner_ReadsTheKeyAgainAfterAnError(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	failures := 1
	v.change = func(_ string, status *int, _ map[string]any) {
		if failures > 0 {
			failures--
			*status = http.StatusForbidden
		}
	}
	s := newSigner(t, v, &identity{}, keyURL)
	_, err := s.PublicKey(t.Context())
	require.Error(t, err)
	_, err = s.PublicKey(t.Context())
	require.NoError(t, err)
}

func TestParseKey_AcceptsKeysOfTheCloudOnly(t *testing.T) {
	t.Parallel()
	got, err := keyvault.ParseKey("https://Contoso.vault.usgovcloudapi.net/keys/drills", "usgovernment")
	require.NoError(t, err)
	require.Equal(t, keyvault.Key{Vault: "https://contoso.vault.usgovcloudapi.net", Name: "drills"}, got)
	for _, text := range []string{
		"http://contoso.vault.azure.net/keys/drills", "https://contoso.vault.azure.net.evil.example/keys/drills", "https://vault.azure.net/keys/drills",
		"https://a.b.vault.azure.net/keys/drills", "https://contoso.vault.azure.cn/keys/drills", "https://contoso.vault.azure.net:444/keys/drills",
		"https://u@contoso.vault.azure.net/keys/drills", "https://contoso.vault.azure.net/secrets/drills", "https://contoso.vault.azure.net/keys/drills?x=y",
		"https://contoso.vault.azure.net/keys/drills/1/2", "drills.pem", "",
	} {
		_, err := keyvault.ParseKey(text, "public")
		require.ErrorContains(t, err, "want https://{vault}.vault.azure.net/keys/{name}/{version}", text)
	}
}
