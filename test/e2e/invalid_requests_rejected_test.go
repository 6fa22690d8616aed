package e2e

import (
	"encoding/json"
	"net/http"
	"time"

	"azbackupflow/internal/rejected"
	"github.com/stretchr/testify/require"
)

// rejectedRequests returns the recorded rejected requests, newest first.
func (l *local) rejectedRequests() []rejected.Request {
	l.t.Helper()
	all, ok := l.tryRejectedRequests()
	require.True(l.t, ok)
	return all
}

// tryRejectedRequests is rejectedRequests for a time when the API may be
// unavailable.
func (l *local) tryRejectedRequests() (all []rejected.Request, ok bool) {
	for path := "/refusals?pageSize=50"; ; {
		var page struct {
			Refusals []rejected.Request
			Continue string
		}
		res, body, err := l.try(http.MethodGet, path, nil)
		if err != nil || res.StatusCode != http.StatusOK || json.Unmarshal(body, &page) != nil {
			return nil, false
		}
		all = append(all, page.Refusals...)
		if page.Continue == "" {
			return all, true
		}
		path = "/refusals?pageSize=50&continue=" + page.Continue
	}
}

// rejectedRequestOf waits for the record of a rejected message.
func (l *local) rejectedRequestOf(messageID string) (r rejected.Request) {
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
