package state

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// longestKey keeps keys below the 512 characters that Table Storage allows
// (1 KiB of UTF-16): a label takes two of them, times and prefixes come on top.
const longestKey = 200

// encodeKey makes any text usable in a PartitionKey or RowKey, where / \ # ?
// and control characters are forbidden and % is not safe in practice. Letters,
// digits, dot and hyphen stay readable, every other byte becomes _XX; two
// texts never become one. A text that gets too long keeps its beginning and is
// told apart by its SHA-256 after a tilde, which encoding never produces.
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
	if len(encoded) <= longestKey {
		return encoded
	}
	sum := sha256.Sum256([]byte(text))
	return encoded[:longestKey-2*len(sum)-1] + "~" + hex.EncodeToString(sum[:])
}

func keyByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '.' || c == '-'
}

// encodedKey reports whether the text is one that encodeKey can give.
func encodedKey(text string) bool {
	for i := range len(text) {
		if c := text[i]; !keyByte(c) && c != '_' && c != '~' {
			return false
		}
	}
	return len(text) <= longestKey
}
