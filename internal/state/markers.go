package state

import (
	"context"
	"fmt"
	"hash/fnv"
	"iter"
	"net/http"
	"slices"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"

	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
)

// livePrefix starts the row keys of live markers in listsPartition. It sorts
// apart from the lists, whose names contain no colon.
const livePrefix, liveEnd = "live:", "live;"

// oldLivePartitions is the number of partitions of the table operationlive, in
// which version 0.1.0 kept live markers.
const oldLivePartitions = 16

// markerKey is the place of a live marker, and its table.
type markerKey struct {
	table          *aztables.Client
	partition, row string
}

// markerKeys returns the places where the live marker of an operation may be:
// that of this version, then that of version 0.1.0.
func (s *Store) markerKeys(id string) []markerKey {
	h := fnv.New32a()
	_, _ = h.Write([]byte(id)) // A hash never fails to write.
	return []markerKey{
		{s.index, listsPartition, livePrefix + encodeKey(id)},
		{s.live, fmt.Sprintf("%02d", h.Sum32()%oldLivePartitions), encodeKey(id)},
	}
}

// markerOf returns the action that writes the live marker of an operation,
// replacing an older one.
func markerOf(id string, createdAt time.Time) (change, error) {
	row := livePrefix + encodeKey(id)
	marker, err := pointerEntity(listsPartition, row, pointer{ID: id, CreatedAt: createdAt})
	return change{method: http.MethodPut, partition: listsPartition, row: row, entity: marker}, err
}

// writeMarker writes the live marker of an operation.
func (s *Store) writeMarker(ctx context.Context, id string, createdAt time.Time) error {
	marker, err := markerOf(id, createdAt)
	if err != nil {
		return err
	}
	return upsert(ctx, s.index, marker.entity)
}

// Reopen writes the live marker of a finalized operation that is about to be
// retried. Call it between the Load and the Save of the retry. A Finalize that
// runs at the same time then either keeps the new marker, or makes the Save fail
// with engine.ErrConflict; in that case start again with Load.
//
// Reopen may be repeated. If the Save is never made, the next Finalize deletes
// the marker.
func (s *Store) Reopen(ctx context.Context, id string, createdAt time.Time) error {
	action := "reopen operation " + id
	if err := s.EnsureTables(ctx); err != nil {
		return failed(action, err)
	}
	if err := s.writeMarker(ctx, id, createdAt); err != nil {
		return failed(action, err)
	}
	return nil
}

// Relabel implements engine.Store.
func (s *Store) Relabel(ctx context.Context, before, after operation.Operation) error {
	action := "relabel operation " + after.ID
	old, kept := listsOf(before), listsOf(after)
	entries, err := entriesOf(after, kept)
	if err == nil {
		_, err = transact(ctx, s.index, entries...)
	}
	if err != nil {
		return failed(action, err)
	}
	stale := slices.DeleteFunc(old, func(list string) bool { return slices.Contains(kept, list) })
	if err := s.deleteAllEntries(ctx, stale, PositionOf(before.CreatedAt, before.ID)); err != nil {
		return failed(action, err)
	}
	return nil
}

// ListLive implements engine.Store. The order is unspecified. It yields an
// *operation.Unreadable for each marker that cannot be read, and continues.
func (s *Store) ListLive(ctx context.Context) iter.Seq2[engine.LiveMarker, error] {
	return func(yield func(engine.LiveMarker, error) bool) {
		seen := map[string]bool{}
		for text, err := range s.liveMarkers(ctx) {
			if err != nil {
				yield(engine.LiveMarker{}, failed("list live operations", err))
				return
			}
			p, err := pointerOf(text)
			if err != nil {
				if !yield(engine.LiveMarker{}, failed("list live operations", err)) {
					return
				}
				continue
			}
			if seen[p.ID] {
				continue
			}
			seen[p.ID] = true
			if !yield(engine.LiveMarker{ID: p.ID, CreatedAt: p.CreatedAt}, nil) {
				return
			}
		}
	}
}

// liveMarkers yields the live markers, then those that version 0.1.0 wrote. An
// operation may have both.
func (s *Store) liveMarkers(ctx context.Context) iter.Seq2[[]byte, error] {
	page := to.Ptr[int32](1000)
	return func(yield func([]byte, error) bool) {
		for _, markers := range []iter.Seq2[[]byte, error]{
			s.entities(ctx, s.index, &aztables.ListEntitiesOptions{Filter: to.Ptr(rangeFilter(listsPartition, livePrefix, liveEnd)), Top: page}),
			s.entities(ctx, s.live, &aztables.ListEntitiesOptions{Top: page}),
		} {
			for text, err := range markers {
				if !yield(text, err) || err != nil {
					return
				}
			}
		}
	}
}
