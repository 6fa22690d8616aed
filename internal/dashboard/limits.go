package dashboard

import (
	"cmp"
	"net/http"
	"slices"
	"time"

	"azbackupflow/internal/api"
)

// limitsData is the content of the page of limits.
type limitsData struct {
	List api.LimitList
	// Scopes holds the limits by subscription and vault, the fullest first.
	Scopes []limitScope
	Pager  pager
	// Unused holds the limits of which nothing is used, Unknown those that Azure has
	// not named; no operation waits for them. MoreUnused and MoreUnknown are the
	// numbers of those that the page leaves out.
	Unused, Unknown         []limitRow
	MoreUnused, MoreUnknown int
}

// limitScope holds the limits of one vault, or of a subscription.
type limitScope struct {
	Subscription, Scope string
	Limits              []limitRow
}

// limitRow is a limit with its share in use.
type limitRow struct {
	api.Limit
	// Allowed is the number of calls that Azure allows; zero means unknown. The name
	// of the embedded type hides its field of the same name.
	Allowed int
	// Of names what is limited, next to the name of the limit.
	Of string
	// Share is the used part, 0 to 100.
	Share int
	// Blocked reports that Azure accepts no call now.
	Blocked bool
	// Shown are the first operations that wait, Others the number of the rest.
	Shown  []api.LimitWaiter
	Others int
}

// maxWaiters is the number of waiting operations that the page shows of a limit.
const maxWaiters = 5

// scopesSize is the number of vaults and subscriptions on a page. maxUnused limits
// the rows of unused limits, and of those without figures.
const scopesSize, maxUnused = 20, pageSize

// limits is the page of Azure's limits: no call is made that they do not allow.
func (d *Dashboard) limits(r *http.Request) (content, error) {
	list, err := d.cfg.API(r).Limits(r.Context())
	if err != nil {
		return content{}, err
	}
	data := limitsData{List: list}
	data.sort()
	query := r.URL.Query()
	data.Scopes, data.Pager = onePage(query, data.Scopes, scopesSize)
	if data.Pager.Previous != "" { // the first page lists them
		data.Unused, data.Unknown = nil, nil
	}
	data.Unused, data.MoreUnused = atMost(data.Unused, maxUnused)
	data.Unknown, data.MoreUnknown = atMost(data.Unknown, maxUnused)
	return content{Title: "Limits", Section: "limits", Live: live{Every: listLive, Query: clean(query).Encode()}, Data: data}, nil
}

// sort separates the limits that are used from the others, and groups them.
func (data *limitsData) sort() {
	scopes := map[[2]string]*limitScope{}
	for _, l := range data.List.Limits {
		row := newLimitRow(l, data.List.At)
		idle := l.WaitingCount == 0 && !row.Blocked
		switch {
		case idle && l.Limit == 0:
			data.Unknown = append(data.Unknown, row)
			continue
		case idle && l.Used == 0 && l.ThrottledAt.IsZero():
			data.Unused = append(data.Unused, row)
			continue
		}
		key := [2]string{l.Subscription, l.Scope}
		if scopes[key] == nil {
			scopes[key] = &limitScope{Subscription: l.Subscription, Scope: l.Scope}
		}
		scopes[key].Limits = append(scopes[key].Limits, row)
	}
	for _, s := range scopes {
		slices.SortFunc(s.Limits, func(a, b limitRow) int { return cmp.Or(b.Share-a.Share, cmp.Compare(a.Name, b.Name)) })
		data.Scopes = append(data.Scopes, *s)
	}
	slices.SortFunc(data.Scopes, func(a, b limitScope) int {
		return cmp.Or(b.Limits[0].Share-a.Limits[0].Share, cmp.Compare(a.Scope, b.Scope), cmp.Compare(a.Subscription, b.Subscription))
	})
}

// atMost returns the first rows, and the number of the others.
func atMost[T any](rows []T, most int) (first []T, others int) {
	others = max(0, len(rows)-most)
	return rows[:len(rows)-others], others
}

func newLimitRow(l api.Limit, at time.Time) limitRow {
	share := min(100, percent(l.Used, l.Limit))
	if l.Used > 0 {
		share = max(share, 1) // a little is seen, too
	}
	shown := l.Waiting[:min(len(l.Waiting), maxWaiters)]
	return limitRow{
		Limit: l, Allowed: l.Limit, Of: cmp.Or(l.Action, l.Provider), Share: share, Blocked: l.BlockedUntil.After(at),
		Shown: shown, Others: l.WaitingCount - len(shown),
	}
}
