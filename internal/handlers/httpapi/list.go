package httpapi

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"azbackupflow/internal/api"
	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

func (a *API) list(w http.ResponseWriter, r *http.Request) error {
	q, err := parseQuery(a.cfg.Now(), r, "status", "flow", "id", "key", "item", "vault", "schedule", "bulk", "label", "errors", "paused", "overdue", "since", "until",
		"sort", "pageSize", "continue")
	if err != nil {
		return err
	}
	if err := a.checkFlow(q.Flow); err != nil {
		return err
	}
	q.Where = a.where(r)
	page, err := a.find(r, q)
	if err != nil {
		return err
	}
	list := api.OperationPage{Operations: []api.Operation{}, Unreadable: page.Unreadable, Continue: page.Continue}
	for _, op := range page.Operations {
		list.Operations = append(list.Operations, a.publicOperation(op))
	}
	linkNext(w, r, page.Continue)
	return writeJSON(w, http.StatusOK, list)
}

// checkFlow rejects a filter by a flow that does not exist: the list would be
// empty, as if all were well.
func (a *API) checkFlow(name string) error {
	if name == "" || slices.Contains(a.cfg.Flows.Names(), name) {
		return nil
	}
	return invalidField("flow", fmt.Sprintf("%q is not a flow", name), "one of "+strings.Join(a.cfg.Flows.Names(), ", "))
}

func invalidField(field, problem, want string) error {
	return &step.Invalid{Fields: []step.FieldError{{Field: field, Problem: problem, Want: want}}}
}

// where returns the filters that no index knows; nil if there are none.
func (a *API) where(r *http.Request) func(operation.Operation) bool {
	query := r.URL.Query()
	id, item, vault := query.Get("id"), query.Get("item"), query.Get("vault")
	failed, paused, overdue := query.Get("errors") == "true", query.Get("paused") == "true", query.Get("overdue") == "true"
	if id == "" && item == "" && vault == "" && !failed && !paused && !overdue {
		return nil
	}
	now := a.cfg.Now()
	return func(op operation.Operation) bool {
		opVault, opItem := a.subject(op)
		return strings.HasPrefix(op.ID, strings.ToLower(id)) && named(opItem, item) && named(opVault, vault) &&
			(!failed || op.LastError != nil) && (!paused || isPaused(op)) && (!overdue || isOverdue(op, now))
	}
}

// find returns the page that a query selects.
func (a *API) find(r *http.Request, q operation.Query) (operation.Page, error) {
	query := r.URL.Query()
	if query.Get("errors") == "true" && len(q.Status) == 0 {
		q.Status = []operation.Status{operation.Pending, operation.Running, operation.Parked, operation.Failed, operation.TimedOut}
	}
	if query.Get("paused") == "true" || query.Get("overdue") == "true" {
		if q.Status = liveOf(q.Status); len(q.Status) == 0 {
			return operation.Page{}, nil
		}
	}
	key, order := query.Get("key"), query.Get("sort")
	switch {
	case q.Continue != "" && (key != "" || order != ""):
		return operation.Page{}, invalidField("continue", "is given with sort or key", "no continue: such a list has one page")
	case key != "":
		return a.findKey(r.Context(), q, key, cmp.Or(order, "-createdAt"))
	case order != "":
		return a.sorted(r.Context(), q, order)
	}
	return a.cfg.Operations.List(r.Context(), q)
}

// liveOf returns the statuses of operations that have not ended among the wanted
// ones. Only such operations are paused or overdue, and there are few of them.
func liveOf(wanted []operation.Status) []operation.Status {
	live := []operation.Status{operation.Pending, operation.Running, operation.Parked}
	if len(wanted) == 0 {
		return live
	}
	return slices.DeleteFunc(slices.Clone(wanted), func(s operation.Status) bool { return !slices.Contains(live, s) })
}

// findKey returns the operations with a key, in an order: at most one of each flow. It
// reads one row for each flow.
func (a *API) findKey(ctx context.Context, q operation.Query, key, order string) (page operation.Page, err error) {
	flows := a.cfg.Flows.Names()
	if q.Flow != "" {
		flows = []string{q.Flow}
	}
	for _, name := range flows {
		row, err := a.cfg.Operations.Load(ctx, operation.ID(a.cfg.Tenant, name, key))
		switch {
		case errors.Is(err, engine.ErrNotFound):
		case operation.IsUnreadable(err):
			page.Unreadable = append(page.Unreadable, operation.ID(a.cfg.Tenant, name, key))
		case err != nil:
			return page, err
		case q.Matches(row.Operation):
			page.Operations = append(page.Operations, row.Operation)
		}
	}
	a.sort(page.Operations, order)
	return page, nil
}

// sorted returns the operations that a query selects in another order than newest
// first: as many as the query's page has, or all of them if it names no page size.
// There is no index for it, so it reads all of them.
func (a *API) sorted(ctx context.Context, q operation.Query, order string) (operation.Page, error) {
	var all operation.Page
	size := cmp.Or(q.PageSize, api.MaxSorted)
	q.PageSize = operation.MaxPageSize
	for {
		page, err := a.cfg.Operations.List(ctx, q)
		if err != nil {
			return all, err
		}
		all.Operations = append(all.Operations, page.Operations...)
		all.Unreadable = append(all.Unreadable, page.Unreadable...)
		if len(all.Operations) > api.MaxSorted {
			return all, invalidField("sort", fmt.Sprintf("has more than %d operations to sort", api.MaxSorted), "a filter that selects fewer, such as since")
		}
		if q.Continue = page.Continue; q.Continue == "" {
			break
		}
	}
	a.sort(all.Operations, order)
	all.Operations = all.Operations[:min(size, len(all.Operations))]
	return all, nil
}

// sort sorts operations by a field, after "-" in the opposite order.
func (a *API) sort(operations []operation.Operation, order string) {
	field, descending := strings.CutPrefix(order, "-")
	slices.SortStableFunc(operations, func(x, y operation.Operation) int {
		if descending {
			x, y = y, x
		}
		return a.compare(field, x, y)
	})
}

func (a *API) compare(field string, x, y operation.Operation) int {
	switch field {
	case "updatedAt":
		return x.UpdatedAt.Compare(y.UpdatedAt)
	case "endedAt":
		return x.EndedAt.Compare(y.EndedAt)
	case "dueAt":
		return x.DueAt.Compare(y.DueAt)
	case "deadline":
		return x.Deadline.Compare(y.Deadline)
	case "duration":
		return cmp.Compare(a.duration(x), a.duration(y))
	case "status":
		return cmp.Compare(x.Status, y.Status)
	case "flow":
		return cmp.Compare(x.Flow, y.Flow)
	case "key":
		return cmp.Compare(x.Key, y.Key)
	}
	return x.CreatedAt.Compare(y.CreatedAt)
}

// duration returns how long an operation took, or has taken so far.
func (a *API) duration(op operation.Operation) time.Duration {
	if op.EndedAt.IsZero() {
		return a.cfg.Now().Sub(op.CreatedAt)
	}
	return op.EndedAt.Sub(op.CreatedAt)
}

// linkNext sets the header Link of a page that is not the last one. It leaves out
// the function key. Source: RFC 8288.
func linkNext(w http.ResponseWriter, r *http.Request, next string) {
	if next == "" {
		return
	}
	query := r.URL.Query()
	query.Del(functionKeyParameter)
	query.Set("continue", next)
	w.Header().Set("Link", fmt.Sprintf(`<%s?%s>; rel="next"`, r.URL.EscapedPath(), query.Encode()))
}
