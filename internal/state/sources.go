package state

import (
	"context"
	"iter"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"

	"azbackupflow/internal/operation"
)

// entry is something that points at an operation that may be wanted.
type entry struct {
	position Position
	id       string
	// ended is the status of the index partition that the entry is from, live
	// whether it is a live marker; neither for other partitions.
	ended operation.Status
	live  bool
}

// rightAbout reports whether the operation is what the entry says. An entry
// that is not is left over from before the operation ended, or was retried, or
// from another attempt to create it; the operation is then found by another one.
func (e entry) rightAbout(op operation.Operation) bool {
	switch {
	case e.live:
		return !op.Status.Terminal()
	case e.position != PositionOf(op.CreatedAt, op.ID):
		return false
	case e.ended != "":
		return op.Status == e.ended
	}
	return true
}

// source yields entries in the order of their positions, up to an error.
type source = iter.Seq2[entry, error]

// sources gives what to read for a query, the fewest entries that hold all it
// wants: those of its label; else of its statuses, unless most operations have
// one of them, as they have Succeeded; else of its flow; else of its statuses
// after all; else all.
func (s *Store) sources(ctx context.Context, q operation.Query, after Position) []source {
	var wanted, live []operation.Status
	for _, status := range operation.Statuses() {
		if slices.Contains(q.Status, status) {
			wanted = append(wanted, status)
			if !status.Terminal() {
				live = append(live, status)
			}
		}
	}
	few := len(wanted) > 0 && !slices.Contains(wanted, operation.Succeeded)
	switch {
	case q.Label != operation.Label{}:
		return []source{s.entries(ctx, labelPartition(q.Label), "", q, after)}
	case q.Flow != "" && !few:
		return []source{s.entries(ctx, flowPartition(q.Flow), "", q, after)}
	case len(wanted) == 0 || len(wanted) == len(operation.Statuses()):
		return []source{s.entries(ctx, everything, "", q, after)}
	}
	var sources []source
	if len(live) > 0 {
		sources = append(sources, s.markers(ctx, q, after))
	}
	for _, status := range wanted {
		if status.Terminal() {
			sources = append(sources, s.entries(ctx, endedPartition(status), status, q, after))
		}
	}
	return sources
}

// entries reads one partition of the index, which sorts by position.
func (s *Store) entries(ctx context.Context, partition string, ended operation.Status, q operation.Query, after Position) source {
	first, end := bounds(q.Since, q.Until)
	// Row keys are compared as text: the position itself is passed over by the
	// smallest character after it.
	if past := after.next(); after != "" && past > first {
		first = past
	}
	return func(yield func(entry, error) bool) {
		for text, err := range s.entities(ctx, s.index, &aztables.ListEntitiesOptions{
			Filter: to.Ptr(rangeFilter(partition, first, end)), Top: to.Ptr(int32(q.Size() + fewest)), //nolint:gosec // G115: at most MaxPageSize.
		}) {
			var p pointer
			if err == nil {
				p, err = pointerOf(text)
			}
			if !yield(entry{position: PositionOf(p.CreatedAt, p.ID), id: p.ID, ended: ended}, err) || err != nil {
				return
			}
		}
	}
}

// markers reads all live markers, which are few, and sorts them.
func (s *Store) markers(ctx context.Context, q operation.Query, after Position) source {
	first, end := bounds(q.Since, q.Until)
	return func(yield func(entry, error) bool) {
		var found []entry
		for l, err := range s.ListLive(ctx) {
			if err != nil {
				yield(entry{}, err)
				return
			}
			at := PositionOf(l.CreatedAt, l.ID)
			if at > after && string(at) >= first && (end == "" || string(at) < end) {
				found = append(found, entry{position: at, id: l.ID, live: true})
			}
		}
		slices.SortFunc(found, inOrder)
		for _, e := range found {
			if !yield(e, nil) {
				return
			}
		}
	}
}

func inOrder(a, b entry) int { return strings.Compare(string(a.position), string(b.position)) }

// merge joins sources into one that has the same order. Each is read only as
// far as needed.
func merge(sources []source) source {
	if len(sources) == 1 {
		return sources[0]
	}
	return func(yield func(entry, error) bool) {
		type head struct {
			entry
			next func() (entry, error, bool)
		}
		var heads []head
		for _, src := range sources {
			next, stop := iter.Pull2(src)
			defer stop()
			e, err, ok := next()
			if err != nil {
				yield(entry{}, err)
				return
			}
			if ok {
				heads = append(heads, head{e, next})
			}
		}
		for len(heads) > 0 {
			first := 0
			for i := range heads {
				if inOrder(heads[i].entry, heads[first].entry) < 0 {
					first = i
				}
			}
			if !yield(heads[first].entry, nil) {
				return
			}
			e, err, ok := heads[first].next()
			switch {
			case err != nil:
				yield(entry{}, err)
				return
			case !ok:
				heads = slices.Delete(heads, first, first+1)
			default:
				heads[first].entry = e
			}
		}
	}
}
