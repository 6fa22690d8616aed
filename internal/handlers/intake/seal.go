package intake

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"sync/atomic"
)

// SharedRows holds rows that all instances of the app share.
type SharedRows interface {
	Load(ctx context.Context, key string) (value []byte, etag string, err error)
	Save(ctx context.Context, key string, value []byte, etag string) (newETag string, saved bool, err error)
}

// sealRow is the key of the row that holds the secret of the seals.
const sealRow = "requests"

// Sealer signs the properties of the copies that the app sends to the queue
// requests. Senders share the queue with the app and could write the same
// properties; without a seal they could change the time of their own rejection,
// or skip targets of a bulk.
type Sealer struct {
	rows  SharedRows
	newID func() string

	secret atomic.Pointer[[]byte]
}

// NewSealer returns a Sealer that keeps its secret in a shared row. newID must
// return unpredictable ids.
func NewSealer(rows SharedRows, newID func() string) (*Sealer, error) {
	if rows == nil || newID == nil {
		return nil, errors.New("intake: NewSealer needs shared rows and a source of ids")
	}
	return &Sealer{rows: rows, newID: newID}, nil
}

// Sign returns the seal of the parts. It fails if the secret cannot be loaded.
func (s *Sealer) Sign(ctx context.Context, parts ...string) (string, error) {
	secret, err := s.load(ctx)
	if err != nil {
		return "", fmt.Errorf("load the secret of the seals: %w", err)
	}
	mac := hmac.New(sha256.New, secret)
	for _, part := range parts {
		_, _ = fmt.Fprintf(mac, "%d:%s|", len(part), part) // a hash never fails to write
	}
	return hex.EncodeToString(mac.Sum(nil)), nil
}

// Verify reports whether the seal is that of the parts. It fails if the secret
// cannot be loaded.
func (s *Sealer) Verify(ctx context.Context, seal string, parts ...string) (bool, error) {
	right, err := s.Sign(ctx, parts...)
	return hmac.Equal([]byte(right), []byte(seal)), err
}

// load returns the secret. The first instance that needs it creates it. Callers
// that need it at the same time load it each by themselves, so that none waits for
// the storage call of another.
func (s *Sealer) load(ctx context.Context) ([]byte, error) {
	if known := s.secret.Load(); known != nil {
		return *known, nil
	}
	secret, _, err := s.rows.Load(ctx, sealRow)
	if err != nil {
		return nil, err
	}
	if len(secret) == 0 {
		if _, _, err := s.rows.Save(ctx, sealRow, []byte(s.newID()+s.newID()), ""); err != nil {
			return nil, err
		}
		// Another instance may have been first, so the stored secret counts.
		if secret, _, err = s.rows.Load(ctx, sealRow); err != nil {
			return nil, err
		}
	}
	if len(secret) == 0 {
		return nil, errors.New("the secret is not stored")
	}
	s.secret.Store(&secret)
	return secret, nil
}
