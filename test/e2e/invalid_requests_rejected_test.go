package e2e

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/api"
)

// rejectedRequests returns the recorded rejected requests, newest first.
func (l *local) rejectedRequests() []api.RejectedRequest {
	l.t.Helper()
	all, ok := l.tryRejectedRequests()
	require.True(l.t, ok)
	return all
}

// tryRejectedRequests is rejectedRequests for a time when the API may be
// unavailable.
func (l *local) tryRejectedRequests() (all []api.RejectedRequest, ok bool) {
	for path := "/rejected?pageSize=50"; ; {
		var page api.RejectedPage
		res, body, err := l.try(http.MethodGet, path, nil)
		if err != nil || res.StatusCode != http.StatusOK || json.Unmarshal(body, &page) != nil {
			return nil, false
		}
		all = append(all, page.Rejected...)
		if page.Continue == "" {
			return all, true
		}
		path = "/rejected?pageSize=50&continue=" + page.Continue
	}
}

// rejectedRequestOf waits for the record of a rejected message.
func (l *local) rejectedRequestOf(messageID string) (r api.RejectedRequest) {
	l.t.Helper()
	require.Eventually(l.t, func() bool {
		all, _ := l.tryRejectedRequests()
		for _, one := range all {
			if one.MessageID == messageID {
				r = one
				return true
			}
		}
		return false
	}, maxWait, 50*time.Millisecond, "no rejected request of "+messageID)
	return r
}
