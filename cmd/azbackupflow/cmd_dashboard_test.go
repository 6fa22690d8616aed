package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/cli"
	"azbackupflow/internal/client/clienttest"
)

func TestDashboard_ServesTheAppToTheOpenedLink(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	id := s.start(clienttest.Protect("shown", "orders")).ID
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var pages []string
	s.change = func(e *environment) {
		e.openBrowser = func(link string) error {
			defer stop()
			other, err := http.Get(link[:strings.Index(link, "?")] + "operations") //nolint:noctx // a test
			require.NoError(t, err)
			require.NoError(t, other.Body.Close())
			require.Equal(t, http.StatusForbidden, other.StatusCode, "another user of the machine does not know the link")

			jar, err := cookiejar.New(nil)
			require.NoError(t, err)
			browser := http.Client{Jar: jar}
			res, err := browser.Get(link) //nolint:noctx // a test
			require.NoError(t, err)
			body, err := io.ReadAll(res.Body)
			require.NoError(t, err)
			require.NoError(t, res.Body.Close())
			pages = append(pages, string(body))
			return errors.New("no browser here")
		}
	}
	r := s.runWith(ctx, "dashboard")
	require.Equal(t, cli.ExitDone, r.code, r.stderr)
	require.Contains(t, r.stdout, "http://127.0.0.1:")
	require.Contains(t, r.stderr, "open the link yourself")
	require.Len(t, pages, 1)
	require.Contains(t, pages[0], id)
}

func TestDashboard_NeedsTheApp(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.urlFlag = false
	r := s.run("--url", "http://127.0.0.1:1", "dashboard")
	require.NotZero(t, r.code)
	require.Contains(t, r.stderr, "127.0.0.1:1")
}
