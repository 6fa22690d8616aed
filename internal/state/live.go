package state

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"iter"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"

	"azbackupflow/internal/engine"
)

// livePartitions spreads the markers: one partition would bound how many
// operations can be created per second, one for each operation would make
// reading them all slow. The table holds nothing but live operations, so
// reading it whole costs what they cost.
const livePartitions = 16

func livePartition(id string) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(id)) // A hash never fails to write.
	return fmt.Sprintf("%02d", h.Sum32()%livePartitions)
}

// pointer is what markers and index entries hold: which operation they mean,
// with the time as exact as it was.
type pointer struct {
	ID        string    `json:"id"`
	CreatedAt time.Time `json:"createdAt"`
	// Flow and Labels are the operation's, in the entries that list everything.
	Flow   string            `json:"flow,omitempty"`
	Labels map[string]string `json:"labels,omitempty"`
}

func pointerEntity(partition, row string, p pointer) ([]byte, error) {
	record, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("encode pointer: %w", err)
	}
	e := entity{"PartitionKey": partition, "RowKey": row}
	e.time("createdAt", p.CreatedAt)
	e.record("operation", record)
	return e.encode()
}

func pointerOf(text []byte) (pointer, error) {
	record, err := recordOf(text, "operation")
	if err != nil {
		return pointer{}, err
	}
	var p pointer
	if err := json.Unmarshal(record, &p); err != nil {
		return pointer{}, fmt.Errorf("read pointer: %w", err)
	}
	return p, nil
}

// mark writes the live marker of an operation, over an older one if need be,
// and gives its ETag.
func (s *Store) mark(ctx context.Context, id string, createdAt time.Time) (azcore.ETag, error) {
	marker, err := pointerEntity(livePartition(id), encodeKey(id), pointer{ID: id, CreatedAt: createdAt})
	if err != nil {
		return "", err
	}
	answer, err := s.live.UpsertEntity(ctx, marker, &aztables.UpsertEntityOptions{UpdateMode: aztables.UpdateModeReplace})
	return answer.ETag, err
}

// Reopen writes the live marker of an ended operation that is about to be set
// going again. Call it between the Load and the Save that does so: a Close
// that runs at the same time then either leaves the new marker or makes the
// Save fail with engine.ErrChanged, after which to begin again with Load. It
// may be repeated; if the Save is never made, the next Close removes the
// marker.
func (s *Store) Reopen(ctx context.Context, id string, createdAt time.Time) error {
	doing := "reopen operation " + id
	if err := s.EnsureTables(ctx); err != nil {
		return failed(doing, err)
	}
	if _, err := s.mark(ctx, id, createdAt); err != nil {
		return failed(doing, err)
	}
	return nil
}

// Settle implements engine.Store in two requests where Close needs seven or
// more. A row with a Marker was created after the entries that list it, so only
// that of its end is missing. The marker is removed by the ETag of its creation:
// a Reopen, or another Create, has written it anew. Then, and for what was
// created otherwise or retried, it is Close.
func (s *Store) Finalize(ctx context.Context, row engine.Row) error {
	op := row.Operation
	if row.Marker == "" || op.Round > 0 || !op.ReadyToFinalize() {
		return s.FinalizeByID(ctx, op.ID)
	}
	doing := "close operation " + op.ID
	if err := s.EnsureTables(ctx); err != nil {
		return failed(doing, err)
	}
	if err := s.enter(ctx, op, endedPartition(op.Status)); err != nil {
		return failed(doing, err)
	}
	guard := azcore.ETag(row.Marker)
	_, err := s.live.DeleteEntity(ctx, livePartition(op.ID), encodeKey(op.ID), &aztables.DeleteEntityOptions{IfMatch: &guard})
	switch {
	case err == nil, missing(err):
		return nil
	case outdated(err):
		return s.FinalizeByID(ctx, op.ID)
	}
	return failed(doing, err)
}

// closeTries is how often Close begins again because the row was saved
// meanwhile, which nobody does to an ended operation for long.
const closeTries = 5

// Close implements engine.Store. The marker of an operation that has not ended,
// or that owes a notice, stays; its index entries are written all the same. ErrChanged means that the
// row did not stand still; the marker is there and Close can be repeated.
//
// A marker whose operation does not exist may be that of an operation that is
// being created at this moment: close it only when it is old.
func (s *Store) FinalizeByID(ctx context.Context, id string) error {
	doing := "close operation " + id
	if err := s.EnsureTables(ctx); err != nil {
		return failed(doing, err)
	}
	for range closeTries {
		done, err := s.close(ctx, id)
		if err != nil {
			return failed(doing, err)
		}
		if done {
			return nil
		}
	}
	return fmt.Errorf("%s: %w", doing, engine.ErrConflict)
}

// close tries once; done is false when the row was saved meanwhile.
//
// The order keeps an operation that is reopened meanwhile from losing its
// marker. The marker is removed by the ETag that it had before the row was
// read, so a Reopen after that read keeps its marker. And the row is touched
// before the marker goes, so a Save that was prepared before, by a Reopen
// whose marker was the one read here, fails.
func (s *Store) close(ctx context.Context, id string) (done bool, err error) {
	marker, err := s.live.GetEntity(ctx, livePartition(id), encodeKey(id), nil)
	marked := err == nil
	if err != nil && !missing(err) {
		return false, err
	}
	row, err := s.Load(ctx, id)
	switch {
	case errors.Is(err, engine.ErrNotFound) && marked:
		return true, s.unmark(ctx, id, marker.ETag)
	case errors.Is(err, engine.ErrNotFound):
		return true, nil
	case err != nil:
		return false, err
	}
	if err := s.list(ctx, row.Operation); err != nil {
		return false, err
	}
	if !marked || !row.Operation.ReadyToFinalize() {
		return true, nil
	}
	if done, err := s.touch(ctx, row); !done || err != nil {
		return done, err
	}
	return true, s.unmark(ctx, id, marker.ETag)
}

// touch gives an unchanged row a new ETag and shows people that it is closed;
// done is false if it has changed.
func (s *Store) touch(ctx context.Context, row engine.Row) (done bool, err error) {
	closed, err := entity{"PartitionKey": encodeKey(row.Operation.ID), "RowKey": operationRow, "closed": true}.encode()
	if err != nil {
		return false, err
	}
	guard := azcore.ETag(row.ETag)
	_, err = s.operations.UpdateEntity(ctx, closed, &aztables.UpdateEntityOptions{UpdateMode: aztables.UpdateModeMerge, IfMatch: &guard})
	if outdated(err) {
		return false, nil
	}
	return err == nil, err
}

// unmark removes a marker unless it was written anew meanwhile.
func (s *Store) unmark(ctx context.Context, id string, etag azcore.ETag) error {
	_, err := s.live.DeleteEntity(ctx, livePartition(id), encodeKey(id), &aztables.DeleteEntityOptions{IfMatch: &etag})
	if missing(err) || outdated(err) {
		return nil
	}
	return err
}

// Live implements engine.Store. Operations come in no particular order.
func (s *Store) ListLive(ctx context.Context) iter.Seq2[engine.LiveMarker, error] {
	return func(yield func(engine.LiveMarker, error) bool) {
		for text, err := range s.entities(ctx, s.live, &aztables.ListEntitiesOptions{Top: to.Ptr[int32](1000)}) {
			var p pointer
			if err == nil {
				p, err = pointerOf(text)
			}
			if err != nil {
				yield(engine.LiveMarker{}, failed("read live operations", err))
				return
			}
			if !yield(engine.LiveMarker{ID: p.ID, CreatedAt: p.CreatedAt}, nil) {
				return
			}
		}
	}
}
