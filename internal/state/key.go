package state

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// maxKeyLength keeps keys below the 512 characters that Table Storage allows (1
// KiB of UTF-16). A label takes two encoded keys; times and prefixes come on top.
const maxKeyLength = 200

// encodeKey encodes any text for a PartitionKey or RowKey, where / \ # ? and
// control characters are forbidden and % is not safe in practice. It keeps
// letters, digits, dot and hyphen; every other byte becomes _XX. Different texts
// have different keys. A key that would be too long is cut, and ends with a tilde
// and the SHA-256 of the text; shorter keys never contain a tilde.
//
// Source: https://learn.microsoft.com/rest/api/storageservices/understanding-the-table-service-data-model
func encodeKey(text string) string {
	var b strings.Builder
	for i := range len(text) {
		if c := text[i]; keyByte(c) {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "_%02X", c)
		}
	}
	encoded := b.String()
	if len(encoded) <= maxKeyLength {
		return encoded
	}
	sum := sha256.Sum256([]byte(text))
	return encoded[:maxKeyLength-2*len(sum)-1] + "~" + hex.EncodeToString(sum[:])
}

// decodeKey returns the text of a key. It returns false for a key that encodeKey
// has cut, or cannot return.
func decodeKey(key string) (text string, ok bool) {
	var b strings.Builder
	for rest := key; rest != ""; {
		n := 1
		switch c := rest[0]; {
		case keyByte(c):
			b.WriteByte(c)
		case c == '_' && len(rest) > 2:
			decoded, err := hex.DecodeString(rest[1:3])
			if err != nil {
				return "", false
			}
			b.Write(decoded)
			n = 3
		default:
			return "", false
		}
		rest = rest[n:]
	}
	return b.String(), key != ""
}

func keyByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '.' || c == '-'
}

// encodedKey reports whether encodeKey can return the text.
func encodedKey(text string) bool {
	for i := range len(text) {
		if c := text[i]; !keyByte(c) && c != '_' && c != '~' {
			return false
		}
	}
	return len(text) <= maxKeyLength
}
