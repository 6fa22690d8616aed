package follow

import (
	"context"

	"fmt"
	"slices"
	"strings"
	"time"

	"azbackupflow/internal/api"
	"azbackupflow/internal/cli/render"
	"azbackupflow/internal/client"
)

// Progress is how far a set of operations has come.
type Progress struct {
	// Operations are those that are known. Total counts all, with those that do not
	// exist yet.
	Operations []api.Operation
	Total      int
	// Waiting counts operations that do not exist yet, Rejected those that can never
	// start.
	Waiting, Rejected int
	// Status counts the operations that exist.
	Status map[api.Status]int
	// Data is the output for programs.
	Data any
}

// Settled reports whether the set changes only by an operator's command.
func (p Progress) Settled() bool { return p.Waiting == 0 && p.live() == 0 }

func (p Progress) live() int { return p.Status[api.Pending] + p.Status[api.Running] }

// Text returns the counts in one line.
func (p Progress) Text() string {
	parts := []string{fmt.Sprintf("%d operations", p.Total)}
	if p.Total == 1 {
		parts[0] = "1 operation"
	}
	add := func(n int, what string) {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, what))
		}
	}
	add(p.Waiting, "not started yet")
	for _, s := range api.Statuses() {
		add(p.Status[s], string(s))
	}
	add(p.Rejected, "rejected")
	return parts[0] + ": " + strings.Join(append(parts[1:], []string{}...), ", ")
}

// Source returns the progress of a set.
type Source interface {
	Poll(ctx context.Context) (Progress, error)
}

// SetConfig configures WaitForSet. All fields except Show are required.
type SetConfig struct {
	Source  Source
	Printer *render.Printer
	Sleep   func(context.Context, time.Duration) error
	// Show shows each change; nil shows none.
	Show func(before, now Progress)
}

// Pauses between the polls of a set, and how long an unavailable API is retried.
const (
	minSetPause = 2 * time.Second
	maxSetPause = 15 * time.Second
	maxOutage   = 5 * time.Minute
)

// WaitForSet polls a set until it is settled, and returns its progress. While the
// API is unavailable it retries for some minutes.
func WaitForSet(ctx context.Context, c SetConfig) (Progress, error) {
	spinner := c.Printer.NewSpinner()
	defer spinner.Stop()
	var last Progress
	var outage time.Time
	for pause := minSetPause; ; pause = min(2*pause, maxSetPause) {
		now, err := c.Source.Poll(ctx)
		switch {
		case err != nil && !client.IsUnavailable(err):
			return last, err
		case err != nil && outage.IsZero():
			outage = c.Printer.Now()
			spinner.Describe(func() string { return "the API is unavailable, retrying" })
		case err != nil && c.Printer.Now().Sub(outage) >= maxOutage:
			return last, fmt.Errorf("API unavailable for %s: %w", render.Duration(c.Printer.Now().Sub(outage)), err)
		case err == nil:
			outage = time.Time{}
			if now.Text() != last.Text() {
				pause = minSetPause
				if c.Show != nil {
					spinner.Around(func() { c.Show(last, now) })
				}
			}
			last = now
			spinner.Describe(func() string { return render.Plain(now.Text()) })
			if now.Settled() {
				return now, nil
			}
		}
		if err := c.Sleep(ctx, pause); err != nil {
			if cause := context.Cause(ctx); cause != nil {
				err = cause
			}
			return last, err
		}
	}
}

// Operations is the source of a fixed set of operations.
type Operations struct {
	client *client.Client
	// filter finds those of them that have not ended; nil reads each one.
	filter *api.OperationQuery
	known  []api.Operation
}

// NewOperations returns the source of the operations. filter is the query that
// found them, if there is one.
func NewOperations(c *client.Client, known []api.Operation, filter *api.OperationQuery) *Operations {
	return &Operations{client: c, known: slices.Clone(known), filter: filter}
}

// Poll reads the operations that have not ended.
func (s *Operations) Poll(ctx context.Context) (Progress, error) {
	live, err := s.live(ctx)
	if err != nil {
		return Progress{}, err
	}
	for i, op := range s.known {
		if op.Status.Terminal() || op.Status == api.Parked {
			continue
		}
		if now, ok := live[op.ID]; ok {
			s.known[i] = now
			continue
		}
		now, err := s.client.Get(ctx, op.ID)
		if err != nil {
			return Progress{}, err
		}
		s.known[i] = now
	}
	p := Progress{Operations: slices.Clone(s.known), Total: len(s.known), Status: map[api.Status]int{}}
	for _, op := range s.known {
		p.Status[op.Status]++
	}
	p.Data = api.OperationPage{Operations: p.Operations}
	return p, nil
}

// live lists the operations that match the filter and have not ended. A set
// without a filter has none: each operation is then read alone.
func (s *Operations) live(ctx context.Context) (map[string]api.Operation, error) {
	all := map[string]api.Operation{}
	if s.filter == nil {
		return all, nil
	}
	q := *s.filter
	q.Status, q.Sort, q.PageSize, q.Continue = []api.Status{api.Pending, api.Running}, "", api.MaxPageSize, ""
	for {
		page, err := s.client.List(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, op := range page.Operations {
			all[op.ID] = op
		}
		if q.Continue = page.Continue; q.Continue == "" {
			return all, nil
		}
	}
}

// Bulk is the source of the operations of a bulk.
type Bulk struct {
	Client *client.Client
	Key    string
}

// Poll reads the status of the bulk.
func (b Bulk) Poll(ctx context.Context) (Progress, error) {
	s, err := b.Client.BulkStatus(ctx, b.Key)
	if err != nil {
		return Progress{}, err
	}
	return BulkProgress(s), nil
}

// BulkProgress returns the progress of a bulk.
func BulkProgress(s api.BulkStatus) Progress {
	p := Progress{Total: s.Targets, Waiting: s.Waiting, Rejected: s.Rejected, Status: s.Status, Data: s}
	for _, problem := range s.Problems {
		p.Operations = append(p.Operations, api.Operation{ID: problem.ID, Key: problem.Key, Flow: s.Flow, Status: problem.Status, Error: problem.Error})
	}
	return p
}
