// Package keyvault signs the evidence of drills with a key in Azure Key Vault. The
// private key never leaves the vault.
//
// The package may not know what it signs: it gets digests.
//
// Source: https://learn.microsoft.com/rest/api/keyvault/keys/sign/sign
package keyvault

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"

	"azbackupflow/internal/drill/evidence"
)

// Key names a key in a vault.
type Key struct {
	// Vault is the URL of the vault, Name the name of the key.
	Vault, Name string
	// Version is empty for the version that is the latest when the key is first used.
	Version string
}

// keyPath is the path of a key, with or without its version.
var keyPath = regexp.MustCompile(`^/keys/([0-9A-Za-z-]{1,127})(?:/([0-9A-Za-z]{1,32}))?/?$`)

// vaultName matches the names of vaults.
var vaultName = regexp.MustCompile(`^[0-9A-Za-z-]{3,24}$`)

// Suffix returns the domain of Key Vault in a cloud: public, usgovernment or china.
//
// Source: https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates#dns-suffixes-for-object-identifiers
func Suffix(cloud string) string {
	switch strings.ToLower(cloud) {
	case "usgovernment":
		return ".vault.usgovcloudapi.net"
	case "china":
		return ".vault.azure.cn"
	}
	return ".vault.azure.net"
}

// ParseKey parses the URL of a key. It accepts only hosts in the cloud's domain of Key
// Vault, because the host receives the app's token.
func ParseKey(text, cloud string) (Key, error) {
	want := "https://{vault}" + Suffix(cloud) + "/keys/{name}/{version}"
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" || u.User != nil || u.Port() != "" || u.RawQuery != "" || u.Fragment != "" {
		return Key{}, fmt.Errorf("is not the HTTPS URL of a Key Vault key; want %s", want)
	}
	host := strings.ToLower(u.Hostname())
	name, found := strings.CutSuffix(host, Suffix(cloud))
	if !found || !vaultName.MatchString(name) {
		return Key{}, fmt.Errorf("names the host %q, which is not a vault of this cloud; want %s", u.Hostname(), want)
	}
	parts := keyPath.FindStringSubmatch(u.Path)
	if parts == nil {
		return Key{}, fmt.Errorf("has the path %q, which is not that of a key; want %s", u.Path, want)
	}
	return Key{Vault: "https://" + host, Name: parts[1], Version: parts[2]}, nil
}

// Config configures a Signer. Key and Credential are required.
type Config struct {
	Key Key
	// Credential returns the identity of the app. It is called at the first use.
	Credential func() (azcore.TokenCredential, error)
	// Transport replaces the HTTP client in tests.
	Transport policy.Transporter
}

// Signer signs with a key in Key Vault. It reads the public key once, and always
// signs with the version that it has read, so that the public key belongs to every
// signature. It is safe for concurrent use.
type Signer struct {
	key    Key
	client func() (*azkeys.Client, error)

	mu sync.Mutex
	// read is the key that was read; its version is empty before.
	read   Key
	public evidence.PublicKey
}

// New returns a Signer. It makes no call.
func New(c Config) (*Signer, error) {
	if c.Credential == nil || c.Key.Vault == "" || c.Key.Name == "" {
		return nil, errors.New("keyvault: Config.Key and Credential are required")
	}
	return &Signer{key: c.Key, client: sync.OnceValues(func() (*azkeys.Client, error) {
		credential, err := c.Credential()
		if err != nil {
			return nil, err
		}
		// The client sends a token only if the vault's own challenge names the domain
		// of the vault.
		client, err := azkeys.NewClient(c.Key.Vault, credential, &azkeys.ClientOptions{ClientOptions: azcore.ClientOptions{
			Transport: c.Transport,
			Retry:     policy.RetryOptions{MaxRetries: 2, TryTimeout: 10 * time.Second, RetryDelay: 200 * time.Millisecond, MaxRetryDelay: time.Second},
		}})
		if err != nil {
			return nil, fmt.Errorf("create the client of Key Vault: %w", err)
		}
		return client, nil
	})}, nil
}

// PublicKey returns the public key. The first call reads it from the vault. The error
// is an *operation.Error if the vault answered with one, or if the key is of another
// kind.
func (s *Signer) PublicKey(ctx context.Context) (evidence.PublicKey, error) {
	public, _, err := s.load(ctx)
	return public, err
}

// SignDigest lets the vault sign a SHA-256 digest with ES256.
func (s *Signer) SignDigest(ctx context.Context, digest []byte) ([]byte, error) {
	_, key, err := s.load(ctx)
	if err != nil {
		return nil, err
	}
	client, err := s.client()
	if err != nil {
		return nil, err
	}
	answer, err := client.Sign(ctx, key.Name, key.Version, azkeys.SignParameters{Algorithm: to.Ptr(azkeys.SignatureAlgorithmES256), Value: digest}, nil)
	if err != nil {
		return nil, failed("sign with key "+key.Name, err)
	}
	if len(answer.Result) != signatureSize {
		return nil, unexpected(key, fmt.Sprintf("its signature has %d bytes, not %d", len(answer.Result), signatureSize))
	}
	return answer.Result, nil
}

// signatureSize is the size of an ES256 signature, in bytes.
const signatureSize = 64

// load returns the public key and the version that it belongs to.
func (s *Signer) load(ctx context.Context) (evidence.PublicKey, Key, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.read.Version != "" {
		return s.public, s.read, nil
	}
	client, err := s.client()
	if err != nil {
		return evidence.PublicKey{}, Key{}, err
	}
	answer, err := client.GetKey(ctx, s.key.Name, s.key.Version, nil)
	if err != nil {
		return evidence.PublicKey{}, Key{}, failed("read key "+s.key.Name, err)
	}
	public, version, err := check(answer, s.key)
	if err != nil {
		return evidence.PublicKey{}, Key{}, err
	}
	s.public, s.read = public, Key{Vault: s.key.Vault, Name: s.key.Name, Version: version}
	return s.public, s.read, nil
}

// check returns the public key of an answer, and its version.
func check(answer azkeys.GetKeyResponse, want Key) (evidence.PublicKey, string, error) {
	key := answer.Key
	if key == nil || key.KID == nil || key.Kty == nil {
		return evidence.PublicKey{}, "", unexpected(want, "the answer describes no key")
	}
	kind := *key.Kty
	if (kind != azkeys.KeyTypeEC && kind != azkeys.KeyTypeECHSM) || key.Crv == nil || *key.Crv != azkeys.CurveNameP256 {
		return evidence.PublicKey{}, "", unexpected(want, "it is not an EC key on the curve P-256")
	}
	read, err := url.Parse(string(*key.KID))
	if err != nil {
		return evidence.PublicKey{}, "", unexpected(want, "its ID is not a URL")
	}
	parts := keyPath.FindStringSubmatch(read.Path)
	switch {
	case parts == nil || parts[2] == "":
		return evidence.PublicKey{}, "", unexpected(want, "its ID has no version")
	case !strings.EqualFold(parts[1], want.Name) || want.Version != "" && !strings.EqualFold(parts[2], want.Version):
		return evidence.PublicKey{}, "", unexpected(want, "the answer is about another key or version")
	}
	public, err := evidence.NewPublicKey(key.X, key.Y)
	if err != nil {
		return evidence.PublicKey{}, "", unexpected(want, err.Error())
	}
	return public, parts[2], nil
}
