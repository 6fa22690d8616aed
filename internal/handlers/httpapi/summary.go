package httpapi

import (
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
	// one request to the table of ended ones, and as many as there are live ones.
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
// created lately.
func (a *API) summary(w http.ResponseWriter, r *http.Request) error {
	q, err := parseQuery(r, "since")
	if err != nil {
		return err
	}
	now := a.cfg.Now()
	s := api.Summary{At: now, Since: q.Since, Status: zeroStatus(), Flows: []api.FlowSummary{}}
	if s.Since.IsZero() {
		s.Since = now.Add(-summaryAge)
	}
	counts, complete, err := a.cfg.Operations.CountEnded(r.Context(), s.Since, maxCounted)
	if err != nil {
		return err
	}
	s.Incomplete = !complete
	live := operation.Query{Status: []operation.Status{operation.Pending, operation.Running, operation.Parked}, PageSize: operation.MaxPageSize}
	for read := 0; ; {
		page, err := a.cfg.Operations.List(r.Context(), live)
		if err != nil {
			return err
		}
		s.Unreadable += len(page.Unreadable)
		for _, op := range page.Operations {
			counts.Add(op.Flow, op.Status)
			addLive(&s, op, now)
		}
		if live.Continue = page.Continue; live.Continue == "" {
			break
		}
		if read += len(page.Operations); read >= maxLive {
			s.Incomplete = true
			break
		}
	}
	for _, flow := range slices.Sorted(maps.Keys(counts)) {
		one := api.FlowSummary{Flow: flow, Status: map[api.Status]int{}}
		for status, n := range counts[flow] {
			one.Status[api.Status(status)] = n
			s.Status[api.Status(status)] += n
		}
		s.Flows = append(s.Flows, one)
	}
	return writeJSON(w, http.StatusOK, s)
}

// addLive counts an operation that has not ended by what it waits for.
func addLive(s *api.Summary, op operation.Operation, now time.Time) {
	switch {
	case op.Status == operation.Parked:
		s.Parked++
	case op.Paused:
		s.Paused++
	case !op.DueAt.IsZero() && now.Sub(op.DueAt) > overdueAfter:
		s.Overdue++
	}
}
