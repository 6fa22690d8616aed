package handlers_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	wire "azbackupflow/internal/api"
	"azbackupflow/internal/readiness/readinesstest"
	"azbackupflow/internal/readiness/scan"
	"azbackupflow/internal/step"
)

func TestReadiness_ReturnsPagesThatFitTogether(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	get := func(query string) (page wire.Readiness) {
		t.Helper()
		require.Equal(t, http.StatusOK, r.call(r.api, http.MethodGet, "/readiness?"+query, nil, &page).StatusCode)
		return page
	}
	whole := get("maxPointAge=P1D&tag=env")
	require.Len(t, whole.Items, 6)
	require.Empty(t, whole.Continue)
	require.Equal(t, wire.ReadinessObjectives{MaxPointAge: "P1D", MaxProofAge: "P365D"}, whole.Objectives)

	var items []wire.ReadinessItem
	pages, next := 0, ""
	for {
		page := get("maxPointAge=P1D&tag=env&pageSize=4" + next)
		items = append(items, page.Items...)
		require.Equal(t, pages == 0, len(page.Scores) > 0, "the first page has the scores")
		require.Equal(t, pages == 0, len(page.Vaults) > 0)
		pages++
		if page.Continue == "" {
			break
		}
		next = "&continue=" + page.Continue
	}
	require.Equal(t, 2, pages)
	require.Equal(t, whole.Items, items)
	requests := r.report.Requests()
	require.False(t, requests[1].ReadNothing)
	require.True(t, requests[2].ReadNothing, "a later page reads nothing")

	some := get("state=proven,Excluded&state=NotProtected")
	require.Len(t, some.Items, 4)
	require.Equal(t, 6, some.Scores[0].Items, "the scores count all")

	get("vault=" + url.QueryEscape(readinesstest.Vault) + "&vault=/x&points=true&maxAge=PT5M&maxProofAge=P2W&maxPointAge=PT36H")
	require.Equal(t, scan.Request{
		Vaults: []string{readinesstest.Vault, "/x"}, Points: true, MaxAge: 5 * time.Minute, MaxProofAge: 14 * 24 * time.Hour, MaxPointAge: 36 * time.Hour,
	}, r.report.Requests()[len(r.report.Requests())-1])
}

func TestReadiness_SaysWhenToRepeatAnIncompleteRequest(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.report.Incomplete(1)
	var page wire.Readiness
	res := r.call(r.api, http.MethodGet, "/readiness", nil, &page)
	require.Equal(t, http.StatusOK, res.StatusCode)
	require.False(t, page.Scan.Complete)
	require.Equal(t, "2", res.Header.Get("Retry-After"))
	res = r.call(r.api, http.MethodGet, "/readiness", nil, &page)
	require.Empty(t, res.Header.Get("Retry-After"))
}

func TestReadiness_NamesTheInvalidParameter(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for query, want := range map[string][3]string{
		"colour=red":                      {"colour", "is not a parameter", "one of vault, state, tag"},
		"state=red":                       {"state", `"red" is not a state`, "one of Proven, NotProven, ObjectivesMissed, NotProtected, Excluded"},
		"tag=":                            {"tag", "has 0 characters", "1 to 512 characters"},
		"tag=" + strings.Repeat("x", 513): {"tag", "has 513 characters", "1 to 512"},
		"tag=a&tag=b":                     {"tag", "is given 2 times", "one value"},
		"maxPointAge=1x":                  {"maxPointAge", `"1x" is not a duration`, "P1D"},
		"maxPointAge=P":                   {"maxPointAge", `"P" is not a duration`, "P1D"},
		"maxPointAge=PT":                  {"maxPointAge", `"PT" is not a duration`, "P1D"},
		"maxPointAge=P1.5D":               {"maxPointAge", `"P1.5D" is not a duration`, "P1D"},
		"maxPointAge=-P1D":                {"maxPointAge", "is not a duration", "P1D"},
		"maxPointAge=PT0S":                {"maxPointAge", "too short or too long", "P1D"},
		"maxProofAge=P99999D":             {"maxProofAge", "too short or too long", "P365D"},
		"maxAge=PT1M":                     {"maxAge", "too short or too long", "at least PT5M"},
		"points=1":                        {"points", `"1" is neither true nor false`, "true or false"},
		"pageSize=0":                      {"pageSize", `"0" is not a page size`, "1 to 500"},
		"continue=%21":                    {"continue", "is not from an earlier page", "the value of continue"},
		"continue=":                       {"continue", "is not from an earlier page", "the value of continue"},
		strings.Repeat("vault=/v&", 201) + "code": {"vault", "is given 201 times", "at most 200 vaults"},
	} {
		var p wire.Problem
		require.Equal(t, http.StatusBadRequest, r.call(r.api, http.MethodGet, "/readiness?"+query, nil, &p).StatusCode, query)
		require.Len(t, p.Fields, 1, query)
		require.Equal(t, want[0], p.Fields[0].Field, query)
		require.Contains(t, p.Fields[0].Problem, want[1], query)
		require.Contains(t, p.Fields[0].Want, want[2], query)
	}
	require.Empty(t, r.report.Requests(), "nothing was read")
	r.report.Err = &step.Invalid{Fields: []step.FieldError{{Field: "vault", Problem: "is none", Want: "a vault"}}}
	require.Equal(t, http.StatusBadRequest, r.call(r.api, http.MethodGet, "/readiness?vault=x", nil, nil).StatusCode)
	r.report.Err = errUnavailable
	require.Equal(t, http.StatusServiceUnavailable, r.call(r.api, http.MethodGet, "/readiness", nil, nil).StatusCode)
}
