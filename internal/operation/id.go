package operation

import (
	"bytes"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
)

// ID returns the ID of the operation with the given tenant, flow and key: 26
// lower-case letters and digits. The same three always yield the same ID.
func ID(tenant, flow, key string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d:%s|%d:%s|%s", len(tenant), tenant, len(flow), flow, key))
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:])[:26])
}

// HashParameters returns a hash of parameters that ignores the order of their
// fields and their white space.
func HashParameters(raw json.RawMessage) (string, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return "", fmt.Errorf("hash parameters: decode JSON: %w", err)
	}
	canonical, err := json.Marshal(v) // maps are written in the order of their keys
	if err != nil {
		return "", fmt.Errorf("hash parameters: encode JSON: %w", err)
	}
	sum := sha256.Sum256(canonical)
	return hex.EncodeToString(sum[:]), nil
}
