package state

import (
	"context"

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
	var actions []aztables.TransactionAction
	partition := encodeKey(id)
	if etag != "" {
		expected := azcore.ETag(etag)
		deletion, err := deletionOf(partition, operationRow, &expected)
		if err != nil {
			return false, err
		}
		actions = append(actions, deletion)
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
		deletion, err := deletionOf(partition, row, nil)
		if err != nil {
			return false, err
		}
		actions = append(actions, deletion)
	}
	return s.deleteAll(ctx, s.operations, actions)
}

// deleteAll runs deletions within one partition. If an entity has changed since
// it was read, it returns changed = true, and not all entities are deleted.
func (s *Store) deleteAll(ctx context.Context, table *aztables.Client, deletions []aztables.TransactionAction) (changed bool, err error) {
	for len(deletions) > 0 {
		n := min(len(deletions), maxActions)
		_, err := transact(ctx, table, deletions[:n]...)
		switch {
		case outdated(err), missing(err):
			// The transaction deleted nothing. Another process has deleted some
			// entities, or the client repeated this very transaction.
			return true, nil
		case err != nil:
			return false, err
		}
		deletions = deletions[n:]
	}
	return false, nil
}

// deletionOf returns the action that deletes an entity. A nil ETag matches any.
func deletionOf(partition, row string, etag *azcore.ETag) (aztables.TransactionAction, error) {
	key, err := entity{"PartitionKey": partition, "RowKey": row}.encode()
	if etag == nil {
		etag = to.Ptr(azcore.ETagAny)
	}
	return aztables.TransactionAction{ActionType: aztables.TransactionTypeDelete, Entity: key, IfMatch: etag}, err
}
