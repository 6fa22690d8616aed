package state

import (
	"context"
	"errors"
	"fmt"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"

	"azbackupflow/internal/engine"
)

// maxFinalizeAttempts limits how often FinalizeByID starts again because the row
// was saved in between. Rows of ended operations rarely change.
const maxFinalizeAttempts = 5

// Finalize implements engine.Store. It takes one request, where FinalizeByID
// takes six or more.
//
// A row with a Marker was created after its index entries, so only the entry of
// its final status is missing. One transaction writes it and deletes the live
// marker by the ETag of its creation. If Reopen or another Create has replaced
// the marker, or if the operation was retried, Finalize falls back to
// FinalizeByID.
func (s *Store) Finalize(ctx context.Context, row engine.Row) error {
	op := row.Operation
	if row.Marker == "" || op.Round > 0 || !op.ReadyToFinalize() {
		return s.FinalizeByID(ctx, op.ID)
	}
	action := "finalize operation " + op.ID
	if err := s.EnsureTables(ctx); err != nil {
		return failed(action, err)
	}
	deletion := deletionOf(listsPartition, livePrefix+encodeKey(op.ID), azcore.ETag(row.Marker))
	lists := []string{endedList(op.Status)}
	if op.Bulk != "" {
		lists = append(lists, bulkList(op.Bulk))
	}
	entries, err := entriesOf(op, lists)
	if err != nil {
		return failed(action, err)
	}
	_, err = transact(ctx, s.index, append(entries, deletion)...)
	if outdated(err) || missing(err) {
		return s.FinalizeByID(ctx, op.ID)
	}
	if err != nil {
		return failed(action, err)
	}
	return nil
}

// FinalizeByID implements engine.Store. It always rewrites the index entries. It
// keeps the marker of an operation that has not ended or has pending notices.
//
// It returns engine.ErrConflict if the row keeps changing. The marker then still
// exists, and the call can be repeated.
//
// A marker without a row may belong to an operation that is being created right
// now. Finalize such a marker only when it is old.
func (s *Store) FinalizeByID(ctx context.Context, id string) error {
	action := "finalize operation " + id
	if err := s.EnsureTables(ctx); err != nil {
		return failed(action, err)
	}
	for range maxFinalizeAttempts {
		done, err := s.tryFinalize(ctx, id)
		if err != nil {
			return failed(action, err)
		}
		if done {
			return nil
		}
	}
	return fmt.Errorf("%s: %w", action, engine.ErrConflict)
}

// tryFinalize is one attempt of FinalizeByID. It returns false if the row was
// saved during the attempt.
//
// The order of requests protects the marker of an operation that is reopened at
// the same time. The marker is deleted by the ETag that it had before the row
// was read, so a Reopen after that read keeps its marker. The row gets a new
// ETag before the marker is deleted, so the Save of an earlier Reopen, whose
// marker was read here, fails.
func (s *Store) tryFinalize(ctx context.Context, id string) (done bool, err error) {
	markers, err := s.foundMarkers(ctx, id)
	if err != nil {
		return false, err
	}
	row, err := s.Load(ctx, id)
	switch {
	case errors.Is(err, engine.ErrNotFound):
		return true, s.deleteMarkers(ctx, markers)
	case err != nil:
		return false, err
	}
	if err := s.reindex(ctx, row.Operation); err != nil {
		return false, err
	}
	if len(markers) == 0 || !row.Operation.ReadyToFinalize() {
		return true, nil
	}
	if done, err := s.touch(ctx, row); !done || err != nil {
		return done, err
	}
	return true, s.deleteMarkers(ctx, markers)
}

// foundMarker is a live marker that exists, with its ETag.
type foundMarker struct {
	markerKey
	etag azcore.ETag
}

// foundMarkers reads the live markers of an operation.
func (s *Store) foundMarkers(ctx context.Context, id string) ([]foundMarker, error) {
	var found []foundMarker
	for _, key := range s.markerKeys(id) {
		answer, err := key.table.GetEntity(ctx, key.partition, key.row, nil)
		if missing(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		found = append(found, foundMarker{key, answer.ETag})
	}
	return found, nil
}

// deleteMarkers deletes live markers that still have their ETags.
func (s *Store) deleteMarkers(ctx context.Context, markers []foundMarker) error {
	for _, m := range markers {
		_, err := m.table.DeleteEntity(ctx, m.partition, m.row, &aztables.DeleteEntityOptions{IfMatch: &m.etag})
		if err != nil && !missing(err) && !outdated(err) {
			return err
		}
	}
	return nil
}

// touch changes the ETag of an unchanged row and marks it as finalized for people
// who read the table. It returns false if the row has changed.
func (s *Store) touch(ctx context.Context, row engine.Row) (done bool, err error) {
	finalized, err := entity{"PartitionKey": encodeKey(row.Operation.ID), "RowKey": operationRow, "finalized": true}.encode()
	if err != nil {
		return false, err
	}
	etag := azcore.ETag(row.ETag)
	_, err = s.operations.UpdateEntity(ctx, finalized, &aztables.UpdateEntityOptions{UpdateMode: aztables.UpdateModeMerge, IfMatch: &etag})
	if outdated(err) {
		return false, nil
	}
	return err == nil, err
}
