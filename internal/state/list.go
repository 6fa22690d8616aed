package state

import (
	"context"
	"errors"
	"iter"

	"golang.org/x/sync/errgroup"

	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
)

// fewest is how many entries are checked at a time, at least; mostChecked
// bounds what one page may cost where few of the entries are wanted.
const (
	fewest      = 2 * maxConcurrent
	mostChecked = 1000
)

// List gives one page of the operations that the query wants. What it reads
// depends on the query: the entries of one label, of some statuses, of one
// flow or of all, whichever are fewest, from the time asked for on, and one
// row for each. The error is ErrContinue for a Continue of another origin.
func (s *Store) List(ctx context.Context, q operation.Query) (operation.Page, error) {
	after, err := ParseContinue(q.Continue)
	if err != nil {
		return operation.Page{}, err
	}
	next, stop := iter.Pull2(merge(s.sources(ctx, q, after)))
	defer stop()
	var page operation.Page
	for checked := 0; ; {
		batch, more, err := take(next, max(q.Size()-len(page.Operations), fewest))
		if err != nil {
			return operation.Page{}, failed("list operations", err)
		}
		rows, err := s.check(ctx, batch, q)
		if err != nil {
			return operation.Page{}, failed("list operations", err)
		}
		for i, op := range rows {
			if op != nil && len(page.Operations) < q.Size() {
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
		if checked += len(batch); checked >= mostChecked {
			page.Continue = batch[len(batch)-1].position.Continue()
			return page, nil
		}
	}
}

// take pulls up to n entries; more tells whether there may be others.
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

// check loads the rows that entries point at and drops, by a nil, those that
// the query does not want or that the entry is wrong about.
func (s *Store) check(ctx context.Context, batch []entry, q operation.Query) ([]*operation.Operation, error) {
	found := make([]*operation.Operation, len(batch))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(maxConcurrent)
	for i, e := range batch {
		group.Go(func() error {
			row, err := s.Load(ctx, e.id)
			if errors.Is(err, engine.ErrNotFound) {
				return nil
			}
			if err != nil {
				return err
			}
			if op := row.Operation; e.rightAbout(op) && q.Matches(op) {
				op = op.WithoutURLs()
				found[i] = &op
			}
			return nil
		})
	}
	return found, group.Wait()
}
