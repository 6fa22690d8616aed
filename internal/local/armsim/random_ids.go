package armsim

import (
	"fmt"
	"io"
	"math/rand/v2"

	"github.com/google/uuid"
)

// random generates IDs, keys and tokens from a seed. Only reading the seed can
// fail.
type random struct{ source *rand.ChaCha8 }

func newRandom(r io.Reader) (*random, error) {
	var seed [32]byte
	if _, err := io.ReadFull(r, seed[:]); err != nil {
		return nil, fmt.Errorf("read the random seed: %w", err)
	}
	return &random{source: rand.NewChaCha8(seed)}, nil
}

// bytes returns n random bytes.
func (r *random) bytes(n int) []byte {
	b := make([]byte, n)
	_, _ = r.source.Read(b) // never fails, according to its documentation
	return b
}

// text returns n characters of URL-safe text.
func (r *random) text(n int) string { return urlText(r.bytes(n))[:n] }

// guid returns a random GUID.
func (r *random) guid() string {
	id, err := uuid.FromBytes(r.bytes(16))
	if err != nil {
		return uuid.Nil.String()
	}
	id[6] = id[6]&0x0f | 0x40 // version 4
	id[8] = id[8]&0x3f | 0x80 // RFC 9562
	return id.String()
}
