package state

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"azbackupflow/internal/operation"
	"azbackupflow/internal/parallel"
)

// Partitions of the index.
const allPartition = "all"

func flowPartition(flow string) string { return "flow=" + encodeKey(flow) }

func labelPartition(l operation.Label) string {
	return "label=" + encodeKey(l.Key) + "=" + encodeKey(l.Value)
}

func endedPartition(status operation.Status) string { return "ended=" + encodeKey(string(status)) }

func bulkPartition(key string) string { return "bulk=" + encodeKey(key) }

// partitionsOf returns the partitions that list an operation from its creation.
func partitionsOf(op operation.Operation) []string {
	partitions := []string{allPartition, flowPartition(op.Flow)}
	for key, value := range op.Labels {
		partitions = append(partitions, labelPartition(operation.Label{Key: key, Value: value}))
	}
	if op.Bulk != "" {
		partitions = append(partitions, bulkPartition(op.Bulk))
	}
	return partitions
}

// pointer is the record of live markers and index entries. It points at the row
// of an operation.
type pointer struct {
	ID string `json:"id"`
	// CreatedAt has full precision; columns of Table Storage do not.
	CreatedAt time.Time `json:"createdAt"`
	// Flow is set in the entries of allPartition and of final statuses. Labels and
	// Bulk are set in those of allPartition.
	Flow   string            `json:"flow,omitempty"`
	Labels map[string]string `json:"labels,omitempty"`
	Bulk   string            `json:"bulk,omitempty"`
	// Ended is the final status, in the entries of bulks.
	Ended operation.Status `json:"ended,omitempty"`
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

// pointerOf returns the record of a marker or an entry. Its error is
// *operation.Unreadable and names the row.
func pointerOf(text []byte) (pointer, error) {
	var p pointer
	record, err := recordOf(text, "operation")
	if err == nil {
		err = json.Unmarshal(record, &p)
	}
	if err == nil && p.ID == "" {
		err = errors.New("the record has no ID")
	}
	if err != nil {
		return pointer{}, unreadable(text, err)
	}
	return p, nil
}

// addEntry writes the operation's entry in one partition of the index.
func (s *Store) addEntry(ctx context.Context, op operation.Operation, partition string) error {
	p := pointer{ID: op.ID, CreatedAt: op.CreatedAt}
	switch {
	case partition == allPartition:
		// If the row is missing, these name the other entries to delete.
		p.Flow, p.Labels, p.Bulk = op.Flow, op.Labels, op.Bulk
	case op.Status.Terminal() && partition == endedPartition(op.Status):
		p.Flow = op.Flow
	case op.Status.Terminal() && op.Bulk != "" && partition == bulkPartition(op.Bulk):
		p.Ended = op.Status
	}
	entry, err := pointerEntity(partition, string(PositionOf(op.CreatedAt, op.ID)), p)
	if err != nil {
		return err
	}
	return upsert(ctx, s.index, entry)
}

// reindex writes all index entries of the operation. If the operation was
// retried, it deletes the entries of earlier final statuses. It may be repeated
// at any time, which repairs the index.
func (s *Store) reindex(ctx context.Context, op operation.Operation) error {
	partitions := partitionsOf(op)
	if op.Status.Terminal() {
		partitions = append(partitions, endedPartition(op.Status))
	}
	row := string(PositionOf(op.CreatedAt, op.ID))
	group, ctx := parallel.WithContext(ctx)
	group.SetLimit(maxConcurrent)
	for _, partition := range partitions {
		group.Go(func() error { return s.addEntry(ctx, op, partition) })
	}
	for _, status := range earlierEnds(op) {
		group.Go(func() error { return s.deleteEntry(ctx, endedPartition(status), row) })
	}
	if err := group.Wait(); err != nil {
		return failed("index operation "+op.ID, err)
	}
	return nil
}

// deleteEntries deletes an operation's entries from partitions of the index.
func (s *Store) deleteEntries(ctx context.Context, partitions []string, row string) error {
	group, ctx := parallel.WithContext(ctx)
	group.SetLimit(maxConcurrent)
	for _, partition := range partitions {
		group.Go(func() error { return s.deleteEntry(ctx, partition, row) })
	}
	return group.Wait()
}

// deleteEntry deletes one entry. It succeeds if there is none.
func (s *Store) deleteEntry(ctx context.Context, partition, row string) error {
	if _, err := s.index.DeleteEntity(ctx, partition, row, nil); !missing(err) {
		return err
	}
	return nil
}

// earlierEnds returns the statuses with which the operation may have ended
// before; none if it was never retried.
func earlierEnds(op operation.Operation) []operation.Status {
	if op.Round == 0 {
		return nil
	}
	var ends []operation.Status
	for _, status := range operation.Statuses() {
		if status.Terminal() && status != op.Status {
			ends = append(ends, status)
		}
	}
	return ends
}
