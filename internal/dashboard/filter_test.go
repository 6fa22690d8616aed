package dashboard_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/api"
	"azbackupflow/internal/client/clienttest"
	"azbackupflow/internal/dashboard"
)

// itemsAPI knows one vault, whose items it cannot list.
type itemsAPI struct {
	dashboard.API
	err error
}

func (itemsAPI) List(context.Context, api.OperationQuery) (api.OperationPage, error) {
	return api.OperationPage{Operations: []api.Operation{{ID: "op1", Vault: clienttest.Vault}}}, nil
}

func (a itemsAPI) Inventory(context.Context, string, map[string]string) (api.Inventory, error) {
	return api.Inventory{}, a.err
}

func TestItems_OfferAnotherVaultIfOneCannotBeListed(t *testing.T) {
	t.Parallel()
	base := newSite(t)
	for name, test := range failures() {
		s := base.failing(func(a dashboard.API) dashboard.API { return itemsAPI{a, test.err} })
		status, body := s.get("items")
		require.Equal(t, test.status, status, name)
		require.Contains(t, body, `name="vault"`, name)
		require.Contains(t, body, clienttest.Vault, name)
		for _, want := range test.says {
			require.Contains(t, problem(body), want, name)
		}
		require.NotContains(t, body, "The vault protects nothing.", name)
	}
}

// listAPI returns operations without looking at the query, sorted or not.
type listAPI struct {
	dashboard.API
	n   int
	err error
}

func (a listAPI) List(_ context.Context, q api.OperationQuery) (api.OperationPage, error) {
	var page api.OperationPage
	for i := range min(a.n, q.PageSize) {
		page.Operations = append(page.Operations, api.Operation{ID: fmt.Sprint("op", i), Status: api.Succeeded})
	}
	return page, a.err
}

func TestOperations_OfferTheFiltersIfOneIsWrong(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	tooMany := answered(http.StatusBadRequest, "too many to sort", 0)
	large := s.failing(func(a dashboard.API) dashboard.API { return listAPI{a, 0, tooMany} })
	for _, test := range []struct {
		site       *site
		path, want string
	}{
		{s, "operations?label=team&flow=backup-now", "label: write it as name=value"},
		{s, "operations?since=never&flow=backup-now", "since: choose hour, day, week or month"},
		{s, "operations?status=Nonsense&flow=backup-now", "Nonsense"},
		{large, "operations?sort=-duration&flow=backup-now", "detail of too many to sort"},
	} {
		status, body := test.site.get(test.path)
		require.Equal(t, http.StatusBadRequest, status, test.path)
		require.Contains(t, problem(body), test.want, test.path)
		require.Contains(t, body, `<option selected>backup-now</option>`, test.path)
		require.Contains(t, body, "Remove this filter", test.path)
		require.NotContains(t, body, "No operation matches", test.path)
		require.NotContains(t, body, "hx-get", "%s: the page is not updated", test.path)
	}
}

func TestOperations_SortedListSaysThatThereAreMore(t *testing.T) {
	t.Parallel()
	base := newSite(t)
	for n, more := range map[int]bool{50: false, 51: true} {
		s := base.failing(func(a dashboard.API) dashboard.API { return listAPI{a, n, nil} })
		body := s.page("operations?since=day&sort=-duration")
		require.Equal(t, 50, strings.Count(body, "data-row"))
		require.Equal(t, more, strings.Contains(body, "A sorted list shows its first 50 operations."), "%d operations", n)
	}
}
