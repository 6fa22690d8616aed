package state

import (
	"context"
	"errors"
	"iter"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"
)

// errConflict reports that an entity no longer has the expected ETag.
var errConflict = errors.New("entity changed")

// point returns one entity by a point read.
func (s *Store) point(ctx context.Context, table *aztables.Client, partition, row string) ([]byte, error) {
	if err := s.EnsureTables(ctx); err != nil {
		return nil, err
	}
	text, _, err := getEntity(ctx, table, partition, row)
	return text, err
}

// entities yields the results of a query page by page, up to the first error.
func (s *Store) entities(
	ctx context.Context, table *aztables.Client, query *aztables.ListEntitiesOptions,
) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		if err := s.EnsureTables(ctx); err != nil {
			yield(nil, err)
			return
		}
		pages := table.NewListEntitiesPager(query)
		for pages.More() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, text := range page.Entities {
				if !yield(text, nil) {
					return
				}
			}
		}
	}
}

// put adds or replaces an entity, and names the action in its error. It creates the
// tables if they are missing.
func (s *Store) put(ctx context.Context, action string, table *aztables.Client, e entity) error {
	encoded, err := e.encode()
	if err != nil {
		return failed(action, err)
	}
	if err := s.EnsureTables(ctx); err != nil {
		return failed(action, err)
	}
	if err := upsert(ctx, table, encoded); err != nil {
		return failed(action, err)
	}
	return nil
}

// upsert adds or replaces an entity.
func upsert(ctx context.Context, table *aztables.Client, encoded []byte) error {
	_, err := table.UpsertEntity(ctx, encoded, &aztables.UpsertEntityOptions{UpdateMode: aztables.UpdateModeReplace})
	return err
}

// saveIfUnchanged replaces an entity that still has the ETag, and returns its
// new ETag. With an empty ETag it adds an entity that must not exist. It returns
// errConflict if the condition does not hold.
func (s *Store) saveIfUnchanged(ctx context.Context, table *aztables.Client, encoded []byte, etag string) (newETag string, err error) {
	if err := s.EnsureTables(ctx); err != nil {
		return "", err
	}
	if etag == "" {
		added, err := table.AddEntity(ctx, encoded, nil)
		if hasCode(err, aztables.EntityAlreadyExists) {
			return "", errConflict
		}
		return string(added.ETag), err
	}
	updated, err := table.UpdateEntity(ctx, encoded, &aztables.UpdateEntityOptions{
		IfMatch: to.Ptr(azcore.ETag(etag)), UpdateMode: aztables.UpdateModeReplace,
	})
	if outdated(err) || missing(err) {
		return "", errConflict
	}
	return string(updated.ETag), err
}
