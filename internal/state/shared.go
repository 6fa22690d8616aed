package state

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"

	"azbackupflow/internal/request"
)

// Shared rows hold what all instances of the app know together: rate limits and
// lists of jobs. Losing one costs a few calls of Azure, never an operation.

// sharedKey is the row key of a shared row, which has its own partition.
const sharedKey = "value"

// MaxSharedSize limits a shared row, in bytes as Table Storage counts them: two
// for each UTF-16 unit.
const MaxSharedSize = recordLimit

// SharedStore stores shared rows. Store implements it.
type SharedStore interface {
	LoadShared(ctx context.Context, kind, key string) (value []byte, etag string, err error)
	SaveShared(ctx context.Context, kind, key string, value []byte, etag string) (newETag string, saved bool, err error)
}

// SharedRows are the shared rows of one kind.
type SharedRows struct {
	Store SharedStore
	Kind  string
}

// Load loads a row; see Store.LoadShared.
func (r SharedRows) Load(ctx context.Context, key string) (value []byte, etag string, err error) {
	return r.Store.LoadShared(ctx, r.Kind, key)
}

// Save saves a row; see Store.SaveShared.
func (r SharedRows) Save(ctx context.Context, key string, value []byte, etag string) (newETag string, saved bool, err error) {
	return r.Store.SaveShared(ctx, r.Kind, key, value, etag)
}

// LoadShared returns a shared row and its ETag by a point read. Both are empty
// if there is no row. The value is empty for a row that cannot be read; the next
// save replaces it.
func (s *Store) LoadShared(ctx context.Context, kind, key string) (value []byte, etag string, err error) {
	action := "load shared " + kind
	if err := s.EnsureTables(ctx); err != nil {
		return nil, "", failed(action, err)
	}
	text, etag, err := getEntity(ctx, s.shared, sharedPartition(kind, key), sharedKey)
	if missing(err) {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", failed(action, err)
	}
	value, _ = recordOf(text, sharedKey)
	return value, etag, nil
}

// SaveShared stores a shared row if it still has the ETag, and returns its new
// ETag. An empty ETag means that there is no row yet. The value must be
// non-empty valid UTF-8.
//
// If the ETag differs, saved is false. This can also happen if the client
// repeated this very call after its answer was lost. The error is *TooLarge,
// before anything is written, if the value does not fit.
func (s *Store) SaveShared(ctx context.Context, kind, key string, value []byte, etag string) (newETag string, saved bool, err error) {
	action := "save shared " + kind
	if err := CheckShared(value); err != nil {
		return "", false, failed(action, err)
	}
	e := entity{"PartitionKey": sharedPartition(kind, key), "RowKey": sharedKey}
	e.text("key", key)
	e.record(sharedKey, value)
	encoded, err := e.encode()
	if err != nil {
		return "", false, failed(action, err)
	}
	newETag, err = s.saveIfUnchanged(ctx, s.shared, encoded, etag)
	switch {
	case errors.Is(err, errConflict):
		return "", false, nil
	case err != nil:
		return "", false, failed(action, err)
	}
	return newETag, true, nil
}

// CheckShared returns *TooLarge for a shared row that does not fit.
func CheckShared(value []byte) error {
	if size := storedSize(value); size > MaxSharedSize {
		return &TooLarge{Field: largestField(value), Size: size, Limit: MaxSharedSize}
	}
	return nil
}

func sharedPartition(kind, key string) string { return encodeKey(kind + ":" + key) }

// SharedRow is a shared row of one kind.
type SharedRow struct {
	Key   string
	Value []byte
}

// bulkBefore reports whether the row is the record of a bulk that was last
// changed before the given time.
func (r SharedRow) bulkBefore(t time.Time) bool {
	var record request.BulkRecord
	return json.Unmarshal(r.Value, &record) == nil && record.UpdatedAt.Before(t)
}

// ListShared yields the shared rows of a kind with their keys.
func (s *Store) ListShared(ctx context.Context, kind string) iter.Seq2[SharedRow, error] {
	first := sharedPartition(kind, "")
	filter := fmt.Sprintf("PartitionKey ge '%s' and PartitionKey lt '%s~'", first, first)
	return func(yield func(SharedRow, error) bool) {
		for text, err := range s.entities(ctx, s.shared, &aztables.ListEntitiesOptions{Filter: to.Ptr(filter)}) {
			if err != nil {
				yield(SharedRow{}, failed("list shared "+kind, err))
				return
			}
			var named struct {
				Key string `json:"key"`
			}
			value, err := recordOf(text, sharedKey)
			if err == nil {
				err = json.Unmarshal(text, &named)
			}
			if err != nil {
				continue // a shared row can be lost without harm
			}
			if !yield(SharedRow{Key: named.Key, Value: value}, nil) {
				return
			}
		}
	}
}
