package dashboard_test

import (
	"cmp"
	"context"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
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

var (
	filterForm  = regexp.MustCompile(`(?s)<form class="filter".*?</form>`)
	formInput   = regexp.MustCompile(`<input[^>]*?name="([^"]+)"[^>]*?value="([^"]*)"`)
	formSelect  = regexp.MustCompile(`(?s)<select name="([^"]+)">(.*?)</select>`)
	chosenEntry = regexp.MustCompile(`<option(?: value="([^"]*)")? selected>([^<]*)</option>`)
)

// sentByFilter returns what a browser sends if the filter form of a page is submitted
// unchanged.
func sentByFilter(t *testing.T, body string) url.Values {
	t.Helper()
	form, sent := filterForm.FindString(body), url.Values{}
	for _, input := range formInput.FindAllStringSubmatch(form, -1) {
		if input[2] != "" {
			sent.Add(input[1], html.UnescapeString(input[2]))
		}
	}
	for _, list := range formSelect.FindAllStringSubmatch(form, -1) {
		chosen := chosenEntry.FindAllStringSubmatch(list[2], -1)
		require.LessOrEqual(t, len(chosen), 1, list[1])
		for _, entry := range chosen {
			sent.Add(list[1], html.UnescapeString(cmp.Or(entry[1], entry[2])))
		}
	}
	return sent
}

func TestOperations_FormKeepsEachFilter(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for _, query := range []string{
		"", "status=Failed", "status=Failed%2CTimedOut", "status=Pending%2CRunning", "status=Parked%2CFailed%2CTimedOut", "status=Canceled%2CFailed", "flow=backup-now", "flow=removed-flow",
		"item=a", "vault=b", "label=team%3Dfiles", "key=k", "since=day",
		"schedule=nightly", "bulk=b", "id=abc", "errors=true", "paused=true", "overdue=true", "sort=-duration",
		"paused=true&schedule=nightly&since=week&sort=-duration&status=Failed%2CTimedOut&vault=v",
	} {
		_, body := s.get("operations?" + query) // the API rejects unknown flows
		require.Equal(t, query, sentByFilter(t, body).Encode())
	}
	require.NotContains(t, sentByFilter(t, s.page("operations?paused=true&continue="+url.QueryEscape(s.continued()))), "continue", "a changed filter begins at the first page")
	require.Contains(t, s.page("operations?status=Failed,TimedOut"), ` selected>failed or timed out</option>`)
}

// continued returns where the second page of the operations begins.
func (s *site) continued() string {
	s.t.Helper()
	s.start("one")
	s.start("two")
	page, err := s.client.List(s.t.Context(), api.OperationQuery{PageSize: 1})
	require.NoError(s.t, err)
	return page.Continue
}
