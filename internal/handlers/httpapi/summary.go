package httpapi

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"time"

	"azbackupflow/internal/api"
	"azbackupflow/internal/operation"
)

// Limits of a summary.
const (
	// summaryAge is how old the ended operations of a summary are at most, unless
	// the caller chooses otherwise.
	summaryAge = 24 * time.Hour
	// maxCounted limits the operations that one summary counts. Each thousand cost
	// one request to the table of ended ones, and as many as there are live ones. The
	// markers of live ones cost one for each thousand, and one for those of version 0.1.0.
	maxCounted = 100_000
	maxLive    = 5_000
	// overdueAfter is how late a check is when its message must be lost.
	overdueAfter = 10 * time.Minute
)

// zeroStatus returns a count of zero for every status.
func zeroStatus() map[api.Status]int {
	counts := map[api.Status]int{}
	for _, s := range api.Statuses() {
		counts[s] = 0
	}
	return counts
}

// summary counts the operations that have not ended, and those that ended and were
// created lately. The counts of the last day are reused if they were costly.
func (a *API) summary(w http.ResponseWriter, r *http.Request) error {
	q, err := parseQuery(a.cfg.Now(), r, "since")
	if err != nil {
		return err
	}
	var s api.Summary
	if q.Since.IsZero() {
		s, err = a.summaries.run(r.Context(), func(ctx context.Context) (api.Summary, error) {
			return a.count(ctx, a.cfg.Now().Add(-summaryAge))
		})
	} else {
		s, err = a.count(r.Context(), q.Since)
	}
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, s)
}

// count returns a summary whose ended operations were created at since or later.
func (a *API) count(ctx context.Context, since time.Time) (api.Summary, error) {
	now := a.cfg.Now()
	s := api.Summary{At: now, Since: since, Status: zeroStatus(), Flows: []api.FlowSummary{}}
	counts, complete, err := a.cfg.Operations.CountEnded(ctx, since, maxCounted)
	if err != nil {
		return s, err
	}
	s.Incomplete = !complete
	if err := a.countLive(ctx, &s, counts); err != nil {
		return s, err
	}
	for _, flow := range slices.Sorted(maps.Keys(counts)) {
		one := api.FlowSummary{Flow: flow, Status: map[api.Status]int{}}
		for status, n := range counts[flow] {
			one.Status[api.Status(status)] = n
			s.Status[api.Status(status)] += n
		}
		s.Flows = append(s.Flows, one)
	}
	return s, nil
}

// countLive adds the operations that have not ended.
func (a *API) countLive(ctx context.Context, s *api.Summary, counts operation.Counts) error {
	live := operation.Query{Status: []operation.Status{operation.Pending, operation.Running, operation.Parked}, PageSize: operation.MaxPageSize}
	for read := 0; ; {
		page, err := a.cfg.Operations.List(ctx, live)
		if err != nil {
			return err
		}
		s.Unreadable += len(page.Unreadable)
		for _, op := range page.Operations {
			counts.Add(op.Flow, op.Status)
			addLive(s, op, s.At)
		}
		if live.Continue = page.Continue; live.Continue == "" {
			return nil
		}
		if read += len(page.Operations); read >= maxLive {
			s.Incomplete = true
			return nil
		}
	}
}

// addLive counts an operation that has not ended by what it waits for.
func addLive(s *api.Summary, op operation.Operation, now time.Time) {
	switch {
	case op.Status == operation.Parked:
		s.Parked++
	case isPaused(op):
		s.Paused++
	case isOverdue(op, now):
		s.Overdue++
	}
}

// isPaused reports whether an operator has paused the operation. A parked one waits
// for another decision first.
func isPaused(op operation.Operation) bool {
	return op.Paused && !op.Status.Terminal() && op.Status != operation.Parked
}

// isOverdue reports whether the message of the next check must be lost.
func isOverdue(op operation.Operation, now time.Time) bool {
	return !op.Paused && !op.Status.Terminal() && op.Status != operation.Parked && !op.DueAt.IsZero() && now.Sub(op.DueAt) > overdueAfter
}
