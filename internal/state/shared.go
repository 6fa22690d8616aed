package state

import (
	"context"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"
)

// Shared rows are what the instances of the app know together at the moment:
// budgets, and lists of jobs. Losing one costs a few calls of Azure, never an
// operation.

// sharedRow is the row key of a shared row, which has a partition of its own.
const sharedRow = "value"

// SharedRows keeps shared rows. Store is one.
type SharedRows interface {
	GetShared(ctx context.Context, kind, key string) (value []byte, etag string, err error)
	PutShared(ctx context.Context, kind, key string, value []byte, etag string) (newETag string, done bool, err error)
}

// Shelf is the shared rows of one kind.
type Shelf struct {
	Rows SharedRows
	Kind string
}

// Get reads a row, see Store.GetShared.
func (s Shelf) Get(ctx context.Context, key string) (value []byte, etag string, err error) {
	return s.Rows.GetShared(ctx, s.Kind, key)
}

// Put writes a row, see Store.PutShared.
func (s Shelf) Put(ctx context.Context, key string, value []byte, etag string) (newETag string, done bool, err error) {
	return s.Rows.PutShared(ctx, s.Kind, key, value, etag)
}

// GetShared reads a shared row by a point read, and gives its ETag; both are
// empty where there is none.
func (s *Store) GetShared(ctx context.Context, kind, key string) (value []byte, etag string, err error) {
	doing := "read shared " + kind
	if err := s.EnsureTables(ctx); err != nil {
		return nil, "", failed(doing, err)
	}
	answer, err := s.shared.GetEntity(ctx, sharedPartition(kind, key), sharedRow, nil)
	if missing(err) {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", failed(doing, err)
	}
	value, err = recordOf(answer.Value, sharedRow)
	if err != nil {
		return nil, "", failed(doing, err)
	}
	return value, string(answer.ETag), nil
}

// PutShared writes a shared row, valid UTF-8 and not empty, if it still has the
// ETag, an empty one meaning that there is no row yet. It gives the new ETag.
// done is false where another was faster; it may have been this very call, sent
// again after its answer was lost. The error is *TooLarge, before anything is
// written, for what cannot be stored.
func (s *Store) PutShared(ctx context.Context, kind, key string, value []byte, etag string) (newETag string, done bool, err error) {
	doing := "write shared " + kind
	if err := CheckShared(value); err != nil {
		return "", false, failed(doing, err)
	}
	e := entity{"PartitionKey": sharedPartition(kind, key), "RowKey": sharedRow}
	e.text("key", key)
	e.record(sharedRow, value)
	encoded, err := e.encode()
	if err != nil {
		return "", false, failed(doing, err)
	}
	if err := s.EnsureTables(ctx); err != nil {
		return "", false, failed(doing, err)
	}
	var written azcore.ETag
	if etag == "" {
		var answer aztables.AddEntityResponse
		answer, err = s.shared.AddEntity(ctx, encoded, nil)
		written = answer.ETag
	} else {
		var answer aztables.UpdateEntityResponse
		answer, err = s.shared.UpdateEntity(ctx, encoded, &aztables.UpdateEntityOptions{
			IfMatch: to.Ptr(azcore.ETag(etag)), UpdateMode: aztables.UpdateModeReplace,
		})
		written = answer.ETag
	}
	switch {
	case hasCode(err, aztables.EntityAlreadyExists), outdated(err), missing(err):
		return "", false, nil
	case err != nil:
		return "", false, failed(doing, err)
	}
	return string(written), true, nil
}

// SharedLimit bounds a shared row, in bytes as Table Storage counts them: two
// for each UTF-16 unit.
const SharedLimit = recordLimit

// CheckShared gives *TooLarge for a shared row that cannot be stored.
func CheckShared(value []byte) error {
	if size := storedSize(value); size > SharedLimit {
		return &TooLarge{Field: largestField(value), Size: size, Limit: SharedLimit}
	}
	return nil
}

func sharedPartition(kind, key string) string { return encodeKey(kind + ":" + key) }
