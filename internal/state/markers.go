package state

import (
	"context"
	"fmt"
	"hash/fnv"
	"iter"
	"slices"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"

	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/parallel"
)

// livePartitions is the number of partitions of live markers. One partition
// would limit how many operations can be created per second; one per operation
// would make reading all markers slow. The table contains only live operations,
// so reading all of it is cheap.
const livePartitions = 16

func livePartition(id string) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(id)) // A hash never fails to write.
	return fmt.Sprintf("%02d", h.Sum32()%livePartitions)
}

// writeMarker writes the live marker of an operation, replacing an older one,
// and returns its ETag.
func (s *Store) writeMarker(ctx context.Context, id string, createdAt time.Time) (azcore.ETag, error) {
	marker, err := pointerEntity(livePartition(id), encodeKey(id), pointer{ID: id, CreatedAt: createdAt})
	if err != nil {
		return "", err
	}
	answer, err := s.live.UpsertEntity(ctx, marker, &aztables.UpsertEntityOptions{UpdateMode: aztables.UpdateModeReplace})
	return answer.ETag, err
}

// deleteMarker deletes a live marker that still has the ETag. It reports whether
// the marker is gone.
func (s *Store) deleteMarker(ctx context.Context, id string, etag azcore.ETag) (deleted bool, err error) {
	_, err = s.live.DeleteEntity(ctx, livePartition(id), encodeKey(id), &aztables.DeleteEntityOptions{IfMatch: &etag})
	switch {
	case err == nil, missing(err):
		return true, nil
	case outdated(err):
		return false, nil
	}
	return false, err
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
	if _, err := s.writeMarker(ctx, id, createdAt); err != nil {
		return failed(action, err)
	}
	return nil
}

// Relabel implements engine.Store.
func (s *Store) Relabel(ctx context.Context, before, after operation.Operation) error {
	old, kept := partitionsOf(before), partitionsOf(after)
	group, tasks := parallel.WithContext(ctx)
	group.SetLimit(maxConcurrent)
	for _, partition := range kept {
		if !slices.Contains(old, partition) {
			group.Go(func() error { return s.addEntry(tasks, after, partition) })
		}
	}
	if err := group.Wait(); err != nil {
		return failed("relabel operation "+after.ID, err)
	}
	stale := slices.DeleteFunc(old, func(partition string) bool { return slices.Contains(kept, partition) })
	if err := s.deleteEntries(ctx, stale, string(PositionOf(before.CreatedAt, before.ID))); err != nil {
		return failed("relabel operation "+after.ID, err)
	}
	return nil
}

// ListLive implements engine.Store. The order is unspecified. It yields an
// *operation.Unreadable for each marker that cannot be read, and continues.
func (s *Store) ListLive(ctx context.Context) iter.Seq2[engine.LiveMarker, error] {
	return func(yield func(engine.LiveMarker, error) bool) {
		for text, err := range s.entities(ctx, s.live, &aztables.ListEntitiesOptions{Top: to.Ptr[int32](1000)}) {
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
			if !yield(engine.LiveMarker{ID: p.ID, CreatedAt: p.CreatedAt}, nil) {
				return
			}
		}
	}
}
