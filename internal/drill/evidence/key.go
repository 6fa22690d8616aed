package evidence

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"

	"github.com/go-jose/go-jose/v4"
)

// PublicKey verifies evidence.
type PublicKey struct {
	// ID is the JWK thumbprint of the key (RFC 7638).
	ID  string
	key *ecdsa.PublicKey
}

// PrivateKey signs evidence with a key in memory. It is a Signer.
type PrivateKey struct {
	Public PublicKey
	key    *ecdsa.PrivateKey
}

// PublicKey returns the public key.
func (k PrivateKey) PublicKey(context.Context) (PublicKey, error) { return k.Public, nil }

// SignDigest returns the signature of a digest.
func (k PrivateKey) SignDigest(_ context.Context, digest []byte) ([]byte, error) {
	r, s, err := ecdsa.Sign(rand.Reader, k.key, digest)
	if err != nil {
		return nil, fmt.Errorf("sign with the private key: %w", err)
	}
	signature := make([]byte, 2*coordinateSize)
	r.FillBytes(signature[:coordinateSize])
	s.FillBytes(signature[coordinateSize:])
	return signature, nil
}

// coordinateSize is the size of a coordinate and of half a signature, in bytes.
const coordinateSize = 32

// PEM returns the key as a PEM block PUBLIC KEY, as ParsePublicKey reads it.
func (k PublicKey) PEM() ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(k.key)
	if err != nil {
		return nil, fmt.Errorf("encode the public key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), nil
}

// NewPublicKey returns the key with the given coordinates, 32 bytes each, as a JSON
// Web Key has them (RFC 7518, section 6.2.1). It returns an error if they are not
// those of a point on the curve P-256.
func NewPublicKey(x, y []byte) (PublicKey, error) {
	if len(x) > coordinateSize || len(y) > coordinateSize {
		return PublicKey{}, errors.New("the coordinates are longer than 32 bytes; want those of a point on the curve P-256")
	}
	point := make([]byte, 1+2*coordinateSize)
	point[0] = 4 // uncompressed, as in SEC 1, section 2.3.3
	copy(point[1+coordinateSize-len(x):], x)
	copy(point[1+2*coordinateSize-len(y):], y)
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	if err != nil {
		return PublicKey{}, errors.New("the coordinates are not those of a point on the curve P-256")
	}
	return newPublicKey(key)
}

// wantPublicKey and wantPrivateKey describe valid key files.
const (
	wantPublicKey  = "a PEM file with the public key of an ECDSA key on the curve P-256"
	wantPrivateKey = "a PEM file with a private ECDSA key on the curve P-256"
)

// ParsePublicKey parses a PEM block PUBLIC KEY.
func ParsePublicKey(raw []byte) (PublicKey, error) {
	block, _ := pem.Decode(raw)
	switch {
	case block == nil:
		return PublicKey{}, errors.New("is not a PEM file; want " + wantPublicKey)
	case block.Type == "PRIVATE KEY" || block.Type == "EC PRIVATE KEY":
		return PublicKey{}, errors.New("is a private key; want " + wantPublicKey)
	case block.Type != "PUBLIC KEY":
		return PublicKey{}, fmt.Errorf("has a PEM block %q; want %s", block.Type, wantPublicKey)
	}
	parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return PublicKey{}, errors.New("has a damaged PEM block; want " + wantPublicKey)
	}
	key, ok := parsed.(*ecdsa.PublicKey)
	if !ok || key.Curve != elliptic.P256() {
		return PublicKey{}, errors.New("has a key of another kind; want " + wantPublicKey)
	}
	return newPublicKey(key)
}

// ParsePrivateKey parses a PEM block PRIVATE KEY (PKCS #8) or EC PRIVATE KEY.
func ParsePrivateKey(raw []byte) (PrivateKey, error) {
	block, _ := pem.Decode(raw)
	// OpenSSL writes the parameters of the curve first.
	for rest := raw; block != nil && block.Type == "EC PARAMETERS"; {
		block, rest = pem.Decode(rest)
	}
	if block == nil {
		return PrivateKey{}, errors.New("is not a PEM file; want " + wantPrivateKey)
	}
	var parsed any
	var err error
	switch block.Type {
	case "PRIVATE KEY":
		parsed, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		parsed, err = x509.ParseECPrivateKey(block.Bytes)
	default:
		return PrivateKey{}, fmt.Errorf("has a PEM block %q; want %s", block.Type, wantPrivateKey)
	}
	if err != nil {
		return PrivateKey{}, errors.New("has a damaged or encrypted PEM block; want " + wantPrivateKey)
	}
	key, ok := parsed.(*ecdsa.PrivateKey)
	if !ok || key.Curve != elliptic.P256() {
		return PrivateKey{}, errors.New("has a key of another kind; want " + wantPrivateKey)
	}
	public, err := newPublicKey(&key.PublicKey)
	return PrivateKey{Public: public, key: key}, err
}

func newPublicKey(key *ecdsa.PublicKey) (PublicKey, error) {
	thumbprint, err := (&jose.JSONWebKey{Key: key}).Thumbprint(crypto.SHA256)
	if err != nil {
		return PublicKey{}, fmt.Errorf("compute the ID of the key: %w", err)
	}
	return PublicKey{ID: base64.RawURLEncoding.EncodeToString(thumbprint), key: key}, nil
}
