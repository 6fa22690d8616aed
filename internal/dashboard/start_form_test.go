package dashboard_test

import (
	"context"
	"encoding/json"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/api"
	"azbackupflow/internal/dashboard"
)

// sentAPI keeps the request of a dry run.
type sentAPI struct {
	dashboard.API
	sent *api.Request
}

func (a sentAPI) Validate(_ context.Context, r api.Request) (api.Validation, error) {
	*a.sent = r
	return api.Validation{}, nil
}

var exampleField = regexp.MustCompile(`<(?:input|textarea) id="(p\.[^"]+)"[^>]*placeholder="([^"]*)"`)

func TestStart_ExamplesCanBeSentAsTheyAreShown(t *testing.T) {
	t.Parallel()
	base := newSite(t)
	for _, f := range flows(t) {
		var sent api.Request
		s := base.failing(func(a dashboard.API) dashboard.API { return sentAPI{a, &sent} })
		form := url.Values{"do": {"validate"}}
		for _, field := range exampleField.FindAllStringSubmatch(s.page("start/"+f.Name), -1) {
			if field[2] != "" {
				form.Set(field[1], html.UnescapeString(field[2]))
			}
		}
		answer, body := s.submit("start/"+f.Name, "start/"+f.Name, form)
		require.Equal(t, http.StatusOK, answer.status, "%s: %s", f.Name, problem(body))
		var want, got map[string]any
		require.NoError(t, json.Unmarshal(f.Example, &want))
		require.NoError(t, json.Unmarshal(sent.Parameters, &got))
		for name, value := range got {
			if _, object := value.(map[string]any); !object { // a choice in an object has no example
				require.Equal(t, want[name], value, "%s: %s", f.Name, name)
			}
		}
	}
}

var onceField = regexp.MustCompile(`name="once" value="([^"]+)"`)

// protectForm is the form of a start without a key.
func protectForm(share, once string) url.Values {
	return url.Values{
		"p.vaultId":          {"/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/g/providers/Microsoft.RecoveryServices/vaults/files-vault"},
		"p.storageAccountId": {"/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/account"},
		"p.fileShare":        {share}, "p.policy": {"daily"}, "do": {"start"}, "once": {once},
	}
}

func TestStart_FormSentTwiceStartsOneOperation(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	const page = "start/protect-file-share"
	found := onceField.FindStringSubmatch(s.page(page))
	require.NotNil(t, found)
	first, body := s.submit(page, page, protectForm("orders", found[1]))
	require.Equal(t, http.StatusSeeOther, first.status, problem(body))
	require.Contains(t, first.header.Get("Location"), "?done=started")
	second, _ := s.submit(page, page, protectForm("orders", found[1]))
	require.Contains(t, second.header.Get("Location"), "?done=existing")

	other, body := s.submit(page, page, protectForm("invoices", found[1]))
	require.Equal(t, http.StatusSeeOther, other.status, "the way back, and another share: %s", problem(body))
	require.Contains(t, other.header.Get("Location"), "?done=started")
	again, _ := s.submit(page, page, protectForm("orders", onceField.FindStringSubmatch(s.page(page))[1]))
	require.Contains(t, again.header.Get("Location"), "?done=started", "a new form starts a new operation")
	operations, err := s.client.List(t.Context(), api.OperationQuery{})
	require.NoError(t, err)
	require.Len(t, operations.Operations, 3)
}

func TestStart_FormKeepsItsIDAfterADryRun(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	const page = "start/protect-file-share"
	form := protectForm("orders", "the-first")
	form.Set("do", "validate")
	_, body := s.submit(page, page, form)
	require.Equal(t, "the-first", onceField.FindStringSubmatch(body)[1])
	require.NotContains(t, html.UnescapeString(body), `"key":`, "the request as JSON is what was written")
	form.Set("do", "start")
	form.Set("key", "my key")
	answer, body := s.submit(page, page, form)
	require.Equal(t, http.StatusSeeOther, answer.status, problem(body))
	operations, err := s.client.List(t.Context(), api.OperationQuery{Key: "my key"})
	require.NoError(t, err)
	require.Len(t, operations.Operations, 1)
}
