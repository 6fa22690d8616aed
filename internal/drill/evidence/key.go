package evidence

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
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

// PrivateKey signs evidence.
type PrivateKey struct {
	Public PublicKey
	key    *ecdsa.PrivateKey
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
