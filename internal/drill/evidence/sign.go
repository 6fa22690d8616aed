package evidence

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/go-jose/go-jose/v4"
)

// mediaType is the type in the header of a signature. A signature of something
// else by the same key is not a signature of evidence.
const mediaType = "azbackupflow-evidence+jws"

// Sign returns the file of a drill: its evidence and the signature. It returns an
// error if the evidence violates the schema or contradicts itself.
//
// The signature is a JWS (RFC 7515) with the algorithm ES256, in the compact
// serialization with detached content. It covers the bytes of the member evidence
// as they are in the file.
func Sign(e Evidence, key PrivateKey) ([]byte, error) {
	payload, err := json.MarshalIndent(e, "  ", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode the evidence of drill %s: %w", e.ID, err)
	}
	if _, err := decode(e.ID, payload); err != nil {
		return nil, fmt.Errorf("sign the evidence of drill %s: %w", e.ID, err)
	}
	signer, err := jose.NewSigner(
		jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: key.key, KeyID: key.Public.ID}},
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
	return assemble(payload, signature), nil
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
