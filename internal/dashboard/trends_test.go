package dashboard_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/client/clienttest"
	"azbackupflow/internal/operation"
)

func TestTrends_CountCanceledOperationsApart(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.api.Script("check-policy", clienttest.Answer{Err: &operation.Error{Code: "PolicyNotFound", Message: "The policy does not exist.", Class: operation.Fatal}})
	s.start("failed")
	s.api.Clock.Pass(time.Second)
	canceled := s.start("canceled")
	_, err := s.client.Cancel(t.Context(), canceled.ID, "")
	require.NoError(t, err)
	s.api.Clock.Pass(time.Hour)
	body := s.page("trends?since=day")
	require.Contains(t, body, `<b>0 %</b> of 2 ended operations succeeded. 1 was canceled.`)
	require.Contains(t, body, `<title>1 failed</title>`)
	require.Contains(t, body, `<title>1 canceled</title>`)
	require.Contains(t, body, `<th class="n">Succeeded</th><th class="n">Failed</th><th class="n">Canceled</th>`)
	require.Contains(t, body, `<td class="n">2</td><td class="n">0</td><td class="n bad">1</td><td class="n">1</td>`)
}

func TestTrends_ShowNoRateOfNothing(t *testing.T) {
	t.Parallel()
	body := newSite(t).page("trends")
	require.Contains(t, body, "No operation has ended in this time.")
	require.NotContains(t, body, "ended operations succeeded")
}
