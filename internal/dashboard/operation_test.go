package dashboard_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/client/clienttest"
	"azbackupflow/internal/operation"
)

func TestOperation_IsRetriedAfterAFailure(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.api.Script("check-policy", clienttest.Answer{Err: &operation.Error{Code: "UserErrorPolicyNotFound", Message: "The policy does not exist.", Class: operation.Fatal}})
	op := s.start("failed")
	s.api.Clock.Pass(time.Hour)
	page := "operations/" + op.ID
	require.Contains(t, s.page(page), "Retry this operation")
	res, body := s.submit(page, page+"/retry", url.Values{"reason": {"the policy exists now"}})
	require.Equal(t, http.StatusSeeOther, res.status, body)
	require.Equal(t, "../"+op.ID+"?done=retry", res.header.Get("Location"))
	body = s.page(page)
	require.Contains(t, body, "the policy exists now")
	require.NotContains(t, body, "Retry this operation")
}

// The API rejects a retry of a canceled operation.
func TestOperation_OffersNoActionAfterACancellation(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	op := s.start("canceled")
	page := "operations/" + op.ID
	res, body := s.submit(page, page+"/cancel", nil)
	require.Equal(t, http.StatusSeeOther, res.status, body)
	s.api.Clock.Pass(time.Hour)
	body = s.page(page)
	require.Contains(t, body, "Canceled")
	require.NotContains(t, body, `id="action-`)
	res, _ = s.submit("start/backup-now", page+"/retry", nil)
	require.Equal(t, http.StatusConflict, res.status)
}
