package httpapi

import (
	"context"
	"net/http"
	"slices"
	"time"

	"azbackupflow/internal/api"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/ratelimit"
)

// limits responds with what is known of Azure's limits, and who waits for them.
func (a *API) limits(w http.ResponseWriter, r *http.Request) error {
	known, err := a.cfg.Limits(r.Context())
	if err != nil {
		return err
	}
	waiting, err := a.waiters(r.Context())
	if err != nil {
		return err
	}
	list := api.LimitList{At: a.cfg.Now(), Limits: []api.Limit{}}
	for _, k := range known {
		list.Limits = append(list.Limits, publicLimit(k, waiting[k.Key]))
	}
	return writeJSON(w, http.StatusOK, list)
}

// waiters returns the operations that wait for limits, by the key of the limit.
func (a *API) waiters(ctx context.Context) (map[string][]api.LimitWaiter, error) {
	q := operation.Query{
		Status: []operation.Status{operation.Pending, operation.Running}, PageSize: operation.MaxPageSize,
		Where: func(op operation.Operation) bool { return op.Reservation != "" },
	}
	found := map[string][]api.LimitWaiter{}
	for read := 0; read < maxLive; {
		page, err := a.cfg.Operations.List(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, op := range page.Operations {
			found[op.Reservation] = append(found[op.Reservation], api.LimitWaiter{Operation: op.ID, Flow: op.Flow, Until: op.DueAt})
		}
		if q.Continue = page.Continue; q.Continue == "" {
			break
		}
		read += operation.MaxPageSize
	}
	return found, nil
}

func publicLimit(k ratelimit.Known, waiting []api.LimitWaiter) api.Limit {
	l := api.Limit{
		Kind: "bucket", Name: k.Name, Subscription: k.Subscription, Provider: k.Provider, Scope: k.Scope, Action: k.Action,
		Limit: k.Limit, Used: k.Limit - k.Remaining, Remaining: k.Remaining, WindowSeconds: int(k.Window / time.Second),
		ResetAt: k.ResetAt, ThrottledAt: k.ThrottledAt, BlockedUntil: k.BlockedUntil,
		WaitingCount: len(waiting), Waiting: []api.LimitWaiter{},
	}
	if k.Quota {
		l.Kind = "quota"
	}
	slices.SortFunc(waiting, func(x, y api.LimitWaiter) int { return x.Until.Compare(y.Until) })
	l.Waiting = append(l.Waiting, waiting[:min(len(waiting), api.MaxLimitWaiters)]...)
	return l
}
