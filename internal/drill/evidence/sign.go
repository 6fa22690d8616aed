package evidence

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/go-jose/go-jose/v4"
)

// mediaType is the type in the header of a signature. A signature of something
// else by the same key is not a signature of evidence.
const mediaType = "azbackupflow-evidence+jws"

// Signer signs evidence with one key. A PrivateKey is one; package
// drill/keyvault has another.
type Signer interface {
	// PublicKey returns the key that verifies the signatures.
	PublicKey(ctx context.Context) (PublicKey, error)
	// SignDigest returns the signature of a SHA-256 digest as ES256 defines it: r
	// and s, 32 bytes each (RFC 7518, section 3.4).
	SignDigest(ctx context.Context, digest []byte) ([]byte, error)
}

// Sign returns the file of a drill: its evidence and the signature. It returns an
// error that is ErrInvalid if the evidence violates the schema or contradicts
// itself, and the error of the signer. A signature that the public key does not
// verify is an error.
//
// The signature is a JWS (RFC 7515) with the algorithm ES256, in the compact
// serialization with detached content. It covers the bytes of the member evidence
// as they are in the file.
func Sign(ctx context.Context, e Evidence, by Signer) ([]byte, error) {
	payload, err := json.MarshalIndent(e, "  ", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode the evidence of drill %s: %w: %w", e.ID, ErrInvalid, err)
	}
	if _, err := decode(e.ID, payload); err != nil {
		return nil, fmt.Errorf("sign the evidence of drill %s: %w: %w", e.ID, ErrInvalid, err)
	}
	public, err := by.PublicKey(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the signing key: %w", err)
	}
	signer, err := jose.NewSigner(
		jose.SigningKey{Algorithm: jose.ES256, Key: opaqueKey{public, func(digest []byte) ([]byte, error) { return by.SignDigest(ctx, digest) }}},
		(&jose.SignerOptions{}).WithType(mediaType))
	if err != nil {
		return nil, fmt.Errorf("use the signing key: %w", err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		return nil, fmt.Errorf("sign the evidence of drill %s: %w", e.ID, err)
	}
	signature, err := signed.DetachedCompactSerialize()
	if err != nil {
		return nil, fmt.Errorf("encode the signature of drill %s: %w", e.ID, err)
	}
	file := assemble(payload, signature)
	if _, err := Verify(e.ID, file, []PublicKey{public}); err != nil {
		return nil, fmt.Errorf("sign the evidence of drill %s: the signer made a signature that its public key %s does not verify: %w", e.ID, public.ID, err)
	}
	return file, nil
}

// ErrInvalid is the error of evidence that cannot be signed.
var ErrInvalid = errors.New("the evidence is not valid")

// opaqueKey lets the library sign with a key that it does not hold.
type opaqueKey struct {
	public PublicKey
	sign   func(digest []byte) ([]byte, error)
}

// Public implements jose.OpaqueSigner.
func (k opaqueKey) Public() *jose.JSONWebKey {
	return &jose.JSONWebKey{Key: k.public.key, KeyID: k.public.ID, Algorithm: string(jose.ES256)}
}

// Algs implements jose.OpaqueSigner.
func (k opaqueKey) Algs() []jose.SignatureAlgorithm {
	return []jose.SignatureAlgorithm{jose.ES256}
}

// SignPayload implements jose.OpaqueSigner.
func (k opaqueKey) SignPayload(payload []byte, _ jose.SignatureAlgorithm) ([]byte, error) {
	digest := sha256.Sum256(payload)
	return k.sign(digest[:])
}

// assemble returns the only form of a file. Verify rejects every other form, so
// that no byte of a file can change.
func assemble(payload []byte, signature string) []byte {
	var b bytes.Buffer
	b.WriteString("{\n  \"evidence\": ")
	b.Write(payload)
	b.WriteString(",\n  \"signature\": \"" + signature + "\"\n}\n")
	return b.Bytes()
}
