package scan

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"azbackupflow/internal/arm"
)

// Kinds of parts, as problems name them.
const (
	partVault  = "vault"
	partRules  = "rules"
	partTags   = "tags"
	partDrills = "drills"
)

// part is one part of the report: where it is cached, and how it is read.
type part struct {
	kind, subject string
	// key is the key of its row.
	key string
	// lists are read in order.
	lists []list
}

// list is one list that a part is made of.
type list struct {
	name string
	// read reads the list. r is the row as it was stored. A list that takes long may
	// stop early if more returns false, or after an error: it then returns what it
	// read, with the cursor from which the next call continues.
	read func(ctx context.Context, o arm.CallOptions, r row, more func() bool) (portion, error)
}

// portion is the result of one call of a list's read function. Data is the whole list
// as far as it is known; nil if nothing was read.
type portion struct {
	Data   any
	Cursor string
	Done   bool
}

// whole returns a list that is read at once.
func whole(name string, read func(ctx context.Context, o arm.CallOptions) (any, error)) list {
	return list{name: name, read: func(ctx context.Context, o arm.CallOptions, _ row, _ func() bool) (portion, error) {
		value, err := read(ctx, o)
		if err != nil {
			return portion{}, err
		}
		return portion{Data: value, Done: true}, nil
	}}
}

// row is the cached state of a part.
type row struct {
	// ClaimedUntil is until when an instance reads the part.
	ClaimedUntil time.Time `json:"claimedUntil,omitzero"`
	// NotBefore is when Azure's limits or an error allow the next call.
	NotBefore time.Time `json:"notBefore,omitzero"`
	// Attempts counts errors that may pass. Problem is why the part cannot be read.
	Attempts int      `json:"attempts,omitempty"`
	Problem  *problem `json:"problem,omitempty"`
	// Wasted counts the calls of attempts that stored nothing, since the part was last
	// complete.
	Wasted int                `json:"wasted,omitempty"`
	Lists  map[string]*stored `json:"lists,omitempty"`

	etag string
}

type problem struct {
	At                time.Time `json:"at"`
	Code              string    `json:"code"`
	Message           string    `json:"message"`
	RecommendedAction []string  `json:"recommendedAction,omitempty"`
}

// stored is the cached result of a list.
type stored struct {
	// At is when reading it began. Calls is what it cost.
	At    time.Time `json:"at"`
	Calls int       `json:"calls"`
	// Done reports that the list is complete; otherwise Cursor is where to continue.
	Done   bool            `json:"done,omitempty"`
	Cursor string          `json:"cursor,omitempty"`
	Data   json.RawMessage `json:"data"`
}

// fresh reports whether the list is complete and not older than allowed.
func (s *stored) fresh(now time.Time, maxAge time.Duration) bool {
	return s != nil && s.Done && now.Sub(s.At) <= maxAge
}

// fresh reports whether every list of the part is.
func (r row) fresh(p part, now time.Time, maxAge time.Duration) bool {
	for _, l := range p.lists {
		if !r.Lists[l.name].fresh(now, maxAge) {
			return false
		}
	}
	return true
}

// failed reports whether the part could not be read lately. It is tried again after
// a while: someone may have granted the missing permission.
func (r row) failed(now time.Time, maxAge time.Duration) bool {
	return r.Problem != nil && now.Sub(r.Problem.At) <= min(maxAge, MinAge)
}

// begins reports whether the part is read from its beginning: no list is new enough or half read,
// and no attempt is waiting.
func (r row) begins(now time.Time, maxAge time.Duration) bool {
	for _, s := range r.Lists {
		if !s.Done || s.fresh(now, maxAge) {
			return false
		}
	}
	return r.Attempts == 0 && r.NotBefore.IsZero()
}

// calls returns the calls that the part cost.
func (r row) calls() int {
	n := r.Wasted
	for _, s := range r.Lists {
		n += s.Calls
	}
	return n
}

// data decodes what a list stored; false if it stored nothing.
func data[T any](r row, name string) (value T, ok bool) {
	s := r.Lists[name]
	if s == nil || json.Unmarshal(s.Data, &value) != nil {
		return value, false
	}
	return value, true
}

// decodeRow decodes a row. One that cannot be read counts as empty: it is only a
// cache.
func decodeRow(raw []byte) row {
	var packed struct {
		Zip string `json:"zip"`
	}
	var r row
	if json.Unmarshal(raw, &packed) != nil {
		return r
	}
	compressed, err := base64.StdEncoding.DecodeString(packed.Zip)
	if err != nil {
		return r
	}
	reader, err := gzip.NewReader(bytes.NewReader(compressed))
	if err != nil {
		return r
	}
	text, err := io.ReadAll(io.LimitReader(reader, maxRow))
	if err != nil || json.Unmarshal(text, &r) != nil {
		return row{}
	}
	return r
}

// maxRow limits a decompressed row, in bytes.
const maxRow = 64 << 20

// encode encodes the row: resource IDs repeat themselves, so that it is compressed
// to a tenth.
func (r row) encode() ([]byte, error) {
	text, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("encode a part of the readiness report: %w", err)
	}
	var compressed bytes.Buffer
	w := gzip.NewWriter(&compressed)
	if _, err = w.Write(text); err == nil {
		err = w.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("compress a part of the readiness report: %w", err)
	}
	return json.Marshal(map[string]string{"zip": base64.StdEncoding.EncodeToString(compressed.Bytes())})
}
