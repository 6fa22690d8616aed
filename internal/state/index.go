package state

import (
	"context"

	"golang.org/x/sync/errgroup"

	"azbackupflow/internal/operation"
)

// Partitions of the index.
const everything = "all"

func flowPartition(flow string) string { return "flow=" + encodeKey(flow) }

func labelPartition(l operation.Label) string {
	return "label=" + encodeKey(l.Key) + "=" + encodeKey(l.Value)
}

func endedPartition(status operation.Status) string { return "ended=" + encodeKey(string(status)) }

// partitionsOf are those that list an operation from its creation on.
func partitionsOf(flow string, labels map[string]string) []string {
	partitions := []string{everything, flowPartition(flow)}
	for key, value := range labels {
		partitions = append(partitions, labelPartition(operation.Label{Key: key, Value: value}))
	}
	return partitions
}

// enter writes the operation's index entry of one partition.
func (s *Store) enter(ctx context.Context, op operation.Operation, partition string) error {
	p := pointer{ID: op.ID, CreatedAt: op.CreatedAt}
	if partition == everything {
		// Whoever finds no row for it knows by these what else to remove.
		p.Flow, p.Labels = op.Flow, op.Labels
	}
	entry, err := pointerEntity(partition, string(PositionOf(op.CreatedAt, op.ID)), p)
	if err != nil {
		return err
	}
	return upsert(ctx, s.index, entry)
}

// list writes every index entry that the operation should have, and removes
// those of an end that it was set going from again. It may be repeated at any
// time: that is how the index is repaired.
func (s *Store) list(ctx context.Context, op operation.Operation) error {
	partitions := partitionsOf(op.Flow, op.Labels)
	if op.Status.Terminal() {
		partitions = append(partitions, endedPartition(op.Status))
	}
	row := string(PositionOf(op.CreatedAt, op.ID))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(maxConcurrent)
	for _, partition := range partitions {
		group.Go(func() error { return s.enter(ctx, op, partition) })
	}
	for _, status := range earlierEnds(op) {
		group.Go(func() error {
			if _, err := s.index.DeleteEntity(ctx, endedPartition(status), row, nil); !missing(err) {
				return err
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return failed("list operation "+op.ID, err)
	}
	return nil
}

// earlierEnds are the statuses in which the operation may have ended before:
// none unless a person retried it.
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
