package state

import (
	"context"
	"errors"
	"iter"

	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/parallel"
)

const (
	// minBatch is the minimum number of entries that are checked together.
	minBatch = 2 * maxConcurrent
	// maxChecked limits the cost of one page if the query matches few entries.
	maxChecked = 1000
)

// List returns one page of the operations that match the query. It reads the
// entries of one label, some statuses, one flow or all, whichever are fewest,
// and one row for each entry. It returns operation.ErrContinue for an unknown
// continuation token.
func (s *Store) List(ctx context.Context, q operation.Query) (operation.Page, error) {
	const action = "list operations"
	after, err := ParseContinue(q.Continue)
	if err != nil {
		return operation.Page{}, err
	}
	next, stop := iter.Pull2(merge(s.sources(ctx, q, after)))
	defer stop()
	var page operation.Page
	for checked := 0; ; {
		batch, more, err := take(next, max(q.Size()-len(page.Operations), minBatch))
		if err != nil {
			return operation.Page{}, failed(action, err)
		}
		rows, err := s.loadMatching(ctx, batch, q)
		if err != nil {
			return operation.Page{}, failed(action, err)
		}
		for i, op := range rows {
			if err := batch[i].unreadable; err != nil {
				page.Unreadable = append(page.Unreadable, unreadableName(err))
			} else if op != nil {
				page.Operations = append(page.Operations, *op)
			}
			rest := more || i+1 < len(rows)
			if len(page.Operations) == q.Size() {
				if rest {
					page.Continue = batch[i].position.Continue()
				}
				return page, nil
			}
		}
		if !more {
			return page, nil
		}
		if checked += len(batch); checked >= maxChecked {
			page.Continue = batch[len(batch)-1].position.Continue()
			return page, nil
		}
	}
}

// unreadableName returns the name of an unreadable record.
func unreadableName(err error) string {
	var unreadable *operation.Unreadable
	if errors.As(err, &unreadable) {
		return unreadable.Record
	}
	return ""
}

// take returns up to n entries and whether there may be more.
func take(next func() (entry, error, bool), n int) (batch []entry, more bool, err error) {
	for len(batch) < n {
		e, err, ok := next()
		if err != nil {
			return nil, false, err
		}
		if !ok {
			return batch, false, nil
		}
		batch = append(batch, e)
	}
	return batch, true, nil
}

// loadMatching loads the rows of entries. The result is nil for an entry that is
// outdated or whose operation does not match the query. It marks the entries of
// unreadable rows.
func (s *Store) loadMatching(ctx context.Context, batch []entry, q operation.Query) ([]*operation.Operation, error) {
	found := make([]*operation.Operation, len(batch))
	group, ctx := parallel.WithContext(ctx)
	group.SetLimit(maxConcurrent)
	for i, e := range batch {
		group.Go(func() error {
			if e.unreadable != nil {
				return nil
			}
			row, err := s.Load(ctx, e.id)
			if operation.IsUnreadable(err) {
				batch[i].unreadable = err
				return nil
			}
			if errors.Is(err, engine.ErrNotFound) {
				return nil
			}
			if err != nil {
				return err
			}
			if op := row.Operation; e.describes(op) && q.Matches(op) {
				op = op.WithoutURLs()
				found[i] = &op
			}
			return nil
		})
	}
	return found, group.Wait()
}
