package e2e

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/api"
	"azbackupflow/internal/local/armsim"
	"azbackupflow/internal/local/stack"
)

// TestForeignHost_ReceivesNoRequest points status URLs and next pages to a host
// outside Azure. For a status URL, the operation polls the result instead, logs
// a warning with the host, and does not repeat the write. For the next page of
// a list, the operation fails, because the page has no other source. The host
// receives no request, so no token leaks.
func TestForeignHost_ReceivesNoRequest(t *testing.T) {
	t.Parallel()
	foreign, calls := foreignHost(t)
	world := armsim.DemoWorld()
	var sites []site
	for i, w := range writes() {
		sites = append(sites, newSite(&world, fmt.Sprintf("foreign%d", i), w.from))
	}
	listed := newSite(&world, "foreignpage", protected)
	l := startInTurn(t, stack.Config{SpeedFactor: faultSpeed, World: &world, Settings: withoutSweep()})
	var ids []string
	for i, w := range writes() {
		l.goesWrong(sites[i], w.kind, armsim.ForeignStatus(foreign))
		request := sites[i].protect()
		if w.from == protected {
			request = sites[i].backup()
		}
		ids = append(ids, l.begin(request))
	}
	next, err := json.Marshal(map[string]any{"value": []any{}, "nextLink": "https://" + foreign + listed.vault.ID() + "/backupProtectedItems?$skipToken=2"})
	require.NoError(t, err)
	l.goesWrong(listed, "GET backupProtectedItems", armsim.Answer(http.StatusOK, string(next), nil))
	page := l.begin(listed.backup())

	for i, w := range writes() { //nolint:paralleltest // all of them run on one stack already
		t.Run("status URL of "+w.kind, func(t *testing.T) {
			l := l.in(t)
			v := l.await(ids[i])
			require.Equalf(t, api.SucceededWithWarnings, v.Status, "%+v", v.Error)
			require.Contains(t, strings.Join(v.Warnings, "\n"), foreign)
			require.Contains(t, strings.Join(v.Warnings, "\n"), "UntrustedPollHost")
			require.Len(t, l.requestsOf(sites[i], w.kind), 1)
			if w.once {
				require.Len(t, l.backupsOf(sites[i]), 1)
			}
		})
	}
	t.Run("next page of a list", func(t *testing.T) {
		l := l.in(t)
		v := l.await(page)
		require.Equal(t, api.Failed, v.Status)
		require.Equal(t, "UntrustedPollHost", v.Error.Code)
		require.Contains(t, v.Error.Message, foreign)
		require.NotEmpty(t, v.Error.RecommendedAction)
		require.Zero(t, l.writesOf(listed))
	})
	require.Zero(t, calls(), "connections to the foreign host")
}

// foreignHost starts a host outside Azure. The returned function counts the
// connections to it.
func foreignHost(t *testing.T) (host string, calls func() int) {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	accepted := make(chan int, 1)
	go func() {
		n := 0
		for {
			conn, err := listener.Accept()
			if err != nil {
				accepted <- n
				return
			}
			n++
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() { _ = listener.Close() })
	return listener.Addr().String(), func() int {
		_ = listener.Close()
		return <-accepted
	}
}
