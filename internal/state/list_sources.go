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

// entry is a live marker or an index entry that points at an operation.
type entry struct {
	position Position
	id       string
	// ended is the status of an entry from a partition of a final status. live
	// is set for a live marker.
	ended operation.Status
	live  bool
	// unreadable is the error of an entry that cannot be read; its position is
	// that of its row.
	unreadable error
}

// describes reports whether the entry matches the operation. An outdated entry
// is left from before the operation ended or was retried, or from another attempt
// to create it. Another entry then lists the operation.
func (e entry) describes(op operation.Operation) bool {
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

// source yields entries in the order of their positions, up to the first error.
type source = iter.Seq2[entry, error]

// sources returns the sources to read for a query. It prefers sources with few
// entries: those of the bulk; else of the first label; else of the statuses, if they do not include
// Succeeded, which most operations have; else of the flow; else of the statuses;
// else all.
func (s *Store) sources(ctx context.Context, q operation.Query, after Position) []source {
	var statuses, live []operation.Status
	for _, status := range operation.Statuses() {
		if slices.Contains(q.Status, status) {
			statuses = append(statuses, status)
			if !status.Terminal() {
				live = append(live, status)
			}
		}
	}
	few := len(statuses) > 0 && !slices.Contains(statuses, operation.Succeeded)
	switch {
	case q.Bulk != "":
		return s.entries(ctx, bulkList(q.Bulk), "", q, after)
	case len(q.Labels) > 0:
		return s.entries(ctx, labelList(q.Labels[0]), "", q, after)
	case q.Flow != "" && !few:
		return s.entries(ctx, flowList(q.Flow), "", q, after)
	case len(statuses) == 0 || len(statuses) == len(operation.Statuses()):
		return s.entries(ctx, allList, "", q, after)
	}
	var sources []source
	if len(live) > 0 {
		sources = append(sources, s.markers(ctx, q, after))
	}
	for _, status := range statuses {
		if status.Terminal() {
			sources = append(sources, s.entries(ctx, endedList(status), status, q, after)...)
		}
	}
	return sources
}

// entries returns the sources of one list: its entries, and those that version
// 0.1.0 wrote. Both are sorted by position.
func (s *Store) entries(ctx context.Context, list string, ended operation.Status, q operation.Query, after Position) []source {
	first, end := bounds(q.Since, q.Until)
	if past := after.next(); after != "" && past > first {
		first = past
	}
	return []source{
		s.entriesIn(ctx, listFilter(list, first, end), ended, q),
		s.entriesIn(ctx, rangeFilter(list, first, end), ended, q),
	}
}

// entriesIn returns the entries that a filter selects.
func (s *Store) entriesIn(ctx context.Context, filter string, ended operation.Status, q operation.Query) source {
	return func(yield func(entry, error) bool) {
		for text, err := range s.entities(ctx, s.index, &aztables.ListEntitiesOptions{
			Filter: &filter, Top: to.Ptr(int32(q.Size() + minBatch)), //nolint:gosec // G115: at most MaxPageSize.
		}) {
			if err != nil {
				yield(entry{}, err)
				return
			}
			p, err := pointerOf(text)
			e := entry{position: PositionOf(p.CreatedAt, p.ID), id: p.ID, ended: ended}
			if err != nil {
				row, _ := rowKeyOf(text) // it ends with the position of the entry
				e = entry{position: Position(positionOf(row)), unreadable: err}
			}
			if !yield(e, nil) {
				return
			}
		}
	}
}

// markers returns all live markers, sorted by position. There are few of them.
func (s *Store) markers(ctx context.Context, q operation.Query, after Position) source {
	first, end := bounds(q.Since, q.Until)
	return func(yield func(entry, error) bool) {
		var found []entry
		for l, err := range s.ListLive(ctx) {
			if operation.IsUnreadable(err) {
				if after == "" { // only the first page names it: it has no position
					found = append(found, entry{live: true, unreadable: err})
				}
				continue
			}
			if err != nil {
				yield(entry{}, err)
				return
			}
			at := PositionOf(l.CreatedAt, l.ID)
			if at > after && string(at) >= first && (end == "" || string(at) < end) {
				found = append(found, entry{position: at, id: l.ID, live: true})
			}
		}
		slices.SortFunc(found, byPosition)
		for _, e := range found {
			if !yield(e, nil) {
				return
			}
		}
	}
}

func byPosition(a, b entry) int { return strings.Compare(string(a.position), string(b.position)) }

// merge merges sources into one source in the same order. It reads each source
// only as far as necessary. It yields an operation once if several sources list
// it under the same position.
func merge(sources []source) source {
	return func(yield func(entry, error) bool) {
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
		var last entry
		for len(heads) > 0 {
			first := earliest(heads)
			if e := heads[first].entry; e.unreadable != nil || e.id != last.id || e.position != last.position || e.ended != last.ended {
				last = e
				if !yield(e, nil) {
					return
				}
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

// head is the first entry of a source that was not yielded yet.
type head struct {
	entry
	next func() (entry, error, bool)
}

func earliest(heads []head) int {
	first := 0
	for i := range heads {
		if byPosition(heads[i].entry, heads[first].entry) < 0 {
			first = i
		}
	}
	return first
}
