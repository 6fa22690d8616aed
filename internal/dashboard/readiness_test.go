package dashboard_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/api"
	"azbackupflow/internal/dashboard"
)

// pagedReadiness is an API whose report has two pages.
type pagedReadiness struct{ dashboard.API }

func (pagedReadiness) Readiness(_ context.Context, q api.ReadinessQuery) (api.Readiness, error) {
	report := api.Readiness{Scan: api.ReadinessScan{Complete: true}}
	if q.Continue == "" {
		report.Continue = "a+b"
	}
	return report, nil
}

func TestReadiness_LinksToTheOtherPages(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(c *dashboard.Config) { c.API = func(*http.Request) dashboard.API { return pagedReadiness{} } })
	require.Contains(t, s.page("readiness?state=NotProven"), `<a href="readiness?read=1&amp;state=NotProven">Show the report</a>`)
	first := s.page("readiness?read=1&state=NotProven")
	require.Contains(t, first, `<a href="readiness?continue=a%2Bb&amp;read=1&amp;state=NotProven" rel="next">More resources</a>`)
	require.NotContains(t, first, "First page")
	last := s.page("readiness?read=1&state=NotProven&continue=a%2Bb")
	require.NotContains(t, last, "More resources")
	require.Contains(t, last, `<a href="readiness?state=NotProven">First page</a>`)
}
