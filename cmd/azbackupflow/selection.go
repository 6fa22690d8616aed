package main

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"azbackupflow/internal/api"
	"azbackupflow/internal/cli"
	"azbackupflow/internal/client"
)

// idLength is the length of an operation's ID.
const idLength = 26

// oneOperation selects one operation.
type oneOperation struct {
	ID   string `arg:"" optional:"" help:"ID of the operation, or the beginning of it."`
	Last bool   `help:"The newest operation, instead of an ID."`
}

// find returns the ID of the operation.
func (o oneOperation) find(ctx context.Context, c *client.Client) (string, error) {
	ids, err := (&operationSet{IDs: slices.DeleteFunc([]string{o.ID}, func(id string) bool { return id == "" }), Last: o.Last}).ids(ctx, c, "an ID, or --last")
	if err != nil {
		return "", err
	}
	return ids[0], nil
}

// operationFilter selects operations by what they have in common.
type operationFilter struct {
	Status   []string `placeholder:"STATUS" help:"Only operations with one of these statuses, such as Running,Parked."`
	Flow     string   `placeholder:"FLOW" help:"Only operations of this flow."`
	Label    []string `sep:"none" placeholder:"NAME=VALUE" help:"Only operations with this label; may be repeated."`
	Key      string   `placeholder:"KEY" help:"Only operations with this key."`
	Bulk     string   `placeholder:"KEY" help:"Only operations of the bulk with this key."`
	Item     string   `placeholder:"ID|NAME" help:"Only operations of this item: its resource ID, or the last part of it."`
	Vault    string   `placeholder:"ID|NAME" help:"Only operations in this vault: its resource ID, or its name."`
	Schedule string   `placeholder:"NAME" help:"Only operations of this schedule."`
	Errors   bool     `help:"Only operations with an error."`
	Paused   bool     `help:"Only operations that an operator has paused."`
	Overdue  bool     `help:"Only operations whose next check is more than ten minutes late."`
	Since    string   `placeholder:"TIME" help:"Only operations started at or after this time (RFC 3339, a date, or an age such as 36h or 7d)."`
	Until    string   `placeholder:"TIME" help:"Only operations started before this time (RFC 3339, a date, or an age such as 36h or 7d)."`
}

// empty reports whether no filter is set.
func (f operationFilter) empty() bool {
	return len(f.Status)+len(f.Label) == 0 && !f.Errors && !f.Paused && !f.Overdue && f.Flow+f.Key+f.Bulk+f.Item+f.Vault+f.Schedule+f.Since+f.Until == ""
}

// same reports whether two filters select the same operations.
func (f operationFilter) same(other operationFilter) bool { return reflect.DeepEqual(f, other) }

// query checks the filter.
func (f operationFilter) query(a *app) (q api.OperationQuery, err error) {
	for _, text := range f.Status {
		s, err := parseStatus(text)
		if err != nil {
			return q, err
		}
		q.Status = append(q.Status, s)
	}
	for _, text := range f.Label {
		name, value, ok := strings.Cut(text, "=")
		if !ok || name == "" {
			return q, &cli.UsageError{Text: fmt.Sprintf("--label %q is not NAME=VALUE", text), Remedy: "write it such as --label team=files"}
		}
		q.Labels = append(q.Labels, api.Label{Key: name, Value: value})
	}
	q.Flow, q.Key, q.Bulk, q.Item, q.Vault, q.Schedule, q.Errors = f.Flow, f.Key, f.Bulk, f.Item, f.Vault, f.Schedule, f.Errors
	q.Paused, q.Overdue = f.Paused, f.Overdue
	if q.Since, err = cli.ParseTime("--since", f.Since, a.now()); err != nil {
		return q, err
	}
	if q.Until, err = cli.ParseTime("--until", f.Until, a.now()); err != nil {
		return q, err
	}
	if !q.Since.IsZero() && !q.Until.IsZero() && !q.Since.Before(q.Until) {
		return q, &cli.UsageError{Text: "--since is not before --until", Remedy: "exchange them, or choose an earlier --since"}
	}
	return q, nil
}

func parseStatus(text string) (api.Status, error) {
	var names []string
	for _, s := range api.Statuses() {
		if strings.EqualFold(string(s), text) {
			return s, nil
		}
		names = append(names, string(s))
	}
	return "", &cli.UsageError{Text: fmt.Sprintf("--status %q is not a status", text), Remedy: "use one of " + strings.Join(names, ", ")}
}

// operationSet selects operations by their IDs, or by a filter.
type operationSet struct {
	IDs  []string `arg:"" optional:"" name:"id" help:"IDs of operations, or the beginnings of them."`
	Last bool     `help:"The newest operation, instead of an ID."`
	operationFilter
}

// byFilter checks that IDs and filters are not mixed, and reports whether the set
// is selected by a filter.
func (s *operationSet) byFilter() (bool, error) {
	filtered := !s.empty()
	switch {
	case filtered && (len(s.IDs) > 0 || s.Last):
		return false, &cli.UsageError{Text: "IDs and filters exclude each other", Remedy: "leave out the IDs and --last, or the filters"}
	case s.Last && len(s.IDs) > 0:
		return false, &cli.UsageError{Text: "an ID and --last exclude each other", Remedy: "leave out one of them"}
	}
	return filtered, nil
}

// ids returns the IDs of a set without a filter. needs names what is missing if the
// set is empty.
func (s *operationSet) ids(ctx context.Context, c *client.Client, needs string) ([]string, error) {
	if _, err := s.byFilter(); err != nil {
		return nil, err
	}
	if s.Last {
		page, err := c.List(ctx, api.OperationQuery{PageSize: 1})
		switch {
		case err != nil:
			return nil, err
		case len(page.Operations) == 0:
			return nil, &cli.UsageError{Text: "--last finds no operation: none was started", Remedy: "start one with azbackupflow start"}
		}
		return []string{page.Operations[0].ID}, nil
	}
	if len(s.IDs) == 0 {
		return nil, &cli.UsageError{Text: "the operation is missing", Remedy: "add " + needs + "; azbackupflow list shows the operations"}
	}
	var all []string
	for _, text := range s.IDs {
		id, err := findID(ctx, c, text)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(all, id) {
			all = append(all, id)
		}
	}
	return all, nil
}

// findID returns the ID that begins with a text. A text that begins no ID is
// returned as it is: the API explains what is wrong with it.
func findID(ctx context.Context, c *client.Client, text string) (string, error) {
	id := strings.ToLower(strings.TrimSpace(text))
	if len(id) > idLength || id == "" || strings.ContainsFunc(id, func(r rune) bool { return (r < 'a' || r > 'z') && (r < '2' || r > '7') }) {
		return text, nil
	}
	if len(id) == idLength {
		return id, nil
	}
	const enoughToName = 5
	page, err := c.List(ctx, api.OperationQuery{ID: id, PageSize: enoughToName})
	if err != nil {
		return "", err
	}
	var found []string
	for _, op := range page.Operations {
		found = append(found, op.ID)
	}
	switch {
	case len(found) == 1 && page.Continue == "":
		return found[0], nil
	case len(found) == 0 && page.Continue == "":
		return text, nil
	}
	return "", &cli.UsageError{Text: fmt.Sprintf("several operations begin with %q", text), Remedy: "use more of the ID: " + strings.Join(found, ", ")}
}

// find returns the operations of a filter. statuses are those that the command is
// about, if the filter names none.
func (s *operationSet) find(ctx context.Context, a *app, c *client.Client, statuses ...api.Status) ([]api.Operation, api.OperationQuery, error) {
	q, err := s.query(a)
	if err != nil {
		return nil, q, err
	}
	if len(q.Status) == 0 {
		q.Status = statuses
	}
	var all []api.Operation
	page := q
	page.PageSize = api.MaxPageSize
	for {
		found, err := c.List(ctx, page)
		if err != nil {
			return nil, q, err
		}
		all = append(all, found.Operations...)
		if page.Continue = found.Continue; page.Continue == "" {
			return all, q, nil
		}
	}
}
