package state

import (
	"context"
	"net/http"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"
)

// maxActions is the maximum number of entities in one transaction.
const maxActions = 100

// deleteOperation deletes an operation's row, if it still has the ETag, together
// with its history. It reports whether the row has changed. An empty ETag means
// that the row is deleted already.
func (s *Store) deleteOperation(ctx context.Context, id, etag string) (changed bool, err error) {
	var actions []change
	partition := encodeKey(id)
	if etag != "" {
		actions = append(actions, deletionOf(partition, operationRow, azcore.ETag(etag)))
	}
	for text, err := range s.entities(ctx, s.operations, &aztables.ListEntitiesOptions{
		Filter: to.Ptr(rangeFilter(partition, eventPrefix, eventEnd)), Select: to.Ptr("PartitionKey,RowKey"),
	}) {
		if err != nil {
			return false, err
		}
		row, err := rowKeyOf(text)
		if err != nil {
			return false, err
		}
		actions = append(actions, deletionOf(partition, row, ""))
	}
	_, changed, err = s.deleteAll(ctx, s.operations, actions)
	return changed, err
}

// deleteAll runs deletions within one partition. If an entity has changed since
// it was read, it returns changed = true, and not all entities are deleted. deleted
// is the number of entities that are known to be deleted, also then and with an error.
func (s *Store) deleteAll(ctx context.Context, table *aztables.Client, deletions []change) (deleted int, changed bool, err error) {
	for len(deletions) > 0 {
		n := min(len(deletions), maxActions)
		_, err := transact(ctx, table, deletions[:n]...)
		switch {
		case outdated(err), missing(err):
			// The transaction deleted nothing. Another process has deleted some
			// entities, or the client repeated this very transaction.
			return deleted, true, nil
		case err != nil:
			return deleted, false, err
		}
		deleted += n
		deletions = deletions[n:]
	}
	return deleted, false, nil
}

// deletionOf returns the action that deletes an entity. Without an ETag it
// deletes any.
func deletionOf(partition, row string, etag azcore.ETag) change {
	if etag == "" {
		etag = azcore.ETagAny
	}
	return change{method: http.MethodDelete, partition: partition, row: row, etag: etag}
}
