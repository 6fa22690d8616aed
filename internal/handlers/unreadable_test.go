package handlers_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	wire "azbackupflow/internal/api"
	"azbackupflow/internal/rejected"
)

func TestAPI_HistoryNamesUnreadableEvents(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.store.setUnreadable(true)
	var history wire.History
	answer := r.call(r.api, http.MethodGet, "/operations/x/history", nil, &history)
	require.Equal(t, http.StatusOK, answer.StatusCode)
	require.Empty(t, history.Events)
	require.Equal(t, []string{"x"}, history.Unreadable)
}

func TestAPI_DeletesARejectedRequestThatCannotBeRead(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	path := r.rejected("m", object{"flow": "nothing"})
	r.store.setUnreadable(true)
	require.Equal(t, http.StatusInternalServerError, r.call(r.api, http.MethodGet, path, nil, nil).StatusCode)
	var purged wire.Purged
	require.Equal(t, http.StatusOK, r.call(r.api, http.MethodDelete, path, nil, &purged).StatusCode)
	require.Equal(t, wire.Purged{Removed: 1}, purged)
	r.store.setUnreadable(false)
	_, err := r.store.LoadRejected(t.Context(), strings.TrimPrefix(path, "/rejected/"))
	require.ErrorIs(t, err, rejected.ErrNotFound)
}
