package e2e

import (
	"encoding/json"
	"net/http"
	"time"

	"azbackupflow/internal/rejected"
	"github.com/stretchr/testify/require"
)

// refusals lists the requests that were refused, newest first.
func (l *local) refusals() []rejected.Request {
	l.t.Helper()
	all, ok := l.tryRefusals()
	require.True(l.t, ok)
	return all
}

// tryRefusals is refusals for a time when the API may be away.
func (l *local) tryRefusals() (all []rejected.Request, ok bool) {
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

// refusalOf waits for the refusal of a message.
func (l *local) refusalOf(messageID string) (r rejected.Request) {
	l.t.Helper()
	require.Eventually(l.t, func() bool {
		all, _ := l.tryRefusals()
		for _, one := range all {
			if one.MessageID == messageID {
				r = one
				return true
			}
		}
		return false
	}, patience, 50*time.Millisecond, "no refusal of "+messageID)
	return r
}
