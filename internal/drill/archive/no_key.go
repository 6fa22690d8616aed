package archive

import (
	"context"

	"azbackupflow/internal/drill/evidence"
	"azbackupflow/internal/operation"
)

// CodeNoKey is the code of the errors of NoKey.
const CodeNoKey = "SigningKeyMissing"

// NoKey is the signer of an app without a key: documents can be read, and none can be
// written.
type NoKey struct{}

// ErrNoKey returns the *operation.Error of NoKey.
func ErrNoKey() error {
	return &operation.Error{
		Code: CodeNoKey, Class: operation.UserAction, Message: "this app has no key that signs evidence",
		RecommendedAction: []string{"Set AZBACKUPFLOW_EVIDENCE_KEY to the URL of a Key Vault key, or to the path of a PEM file; see docs/drills.md."},
	}
}

// PublicKey returns an error.
func (NoKey) PublicKey(context.Context) (evidence.PublicKey, error) {
	return evidence.PublicKey{}, ErrNoKey()
}

// SignDigest returns an error.
func (NoKey) SignDigest(context.Context, []byte) ([]byte, error) { return nil, ErrNoKey() }
