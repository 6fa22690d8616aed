package dashboard_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/client/clienttest"
	"azbackupflow/internal/rejected"
)

var problemBox = regexp.MustCompile(`(?s)<div class="problem" role="alert">(.*?)</div>`)

// problem returns the problem that a page names; empty if it names none.
func problem(body string) string {
	if found := problemBox.FindStringSubmatch(body); found != nil {
		return found[1]
	}
	return ""
}

// changed returns a valid request with some of its fields changed.
func changed(t *testing.T, changes map[string]any) string {
	t.Helper()
	raw, err := json.Marshal(clienttest.Protect("k", "orders"))
	require.NoError(t, err)
	var fields map[string]any
	require.NoError(t, json.Unmarshal(raw, &fields))
	for name, value := range changes {
		if fields[name] = value; value == nil {
			delete(fields, name)
		}
	}
	raw, err = json.Marshal(fields)
	require.NoError(t, err)
	return string(raw)
}

func TestValidate_NamesWhatAReplayWouldReject(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	page := s.reject(`{}`)
	for name, test := range map[string]struct{ body, want string }{
		"an unknown field":       {changed(t, map[string]any{"prioriti": "high"}), "prioriti: is an unknown field; one of flow, key"},
		"a label of a number":    {changed(t, map[string]any{"labels": map[string]any{"a": 1}}), "labels.a: is a number; a JSON string"},
		"a list":                 {`[]`, "request: is an array; a JSON object"},
		"a field twice":          {`{"flow":"backup-now","flow":"backup-now","parameters":{}}`, "flow: occurs more than once"},
		"a dry run":              {changed(t, map[string]any{"dryRun": true}), "dryRun: is not supported on a queue"},
		"an event without an ID": {`{"specversion":"1.0","source":"s","type":"t","data":{}}`, "id: is missing"},
		"a bulk without targets": {`{"key":"b","template":` + changed(t, map[string]any{"key": nil}) + `}`, "targets: is missing or empty"},
	} {
		form := url.Values{"body": {test.body}}
		_, body := s.submit(page, page+"/validate", form)
		require.NotContains(t, body, "The request is valid", name)
		require.Contains(t, problem(body), test.want, name)
		answer, body := s.submit(page, page+"/replay", form)
		require.Equal(t, http.StatusBadRequest, answer.status, name)
		require.Contains(t, problem(body), test.want, name)
	}
}

func TestValidate_AcceptsWhatAReplayAccepts(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	page := s.reject(`{}`)
	event := `{"specversion":"1.0","id":"e1","source":"s","type":"t","data":` + changed(t, map[string]any{"key": nil}) + `}`
	own := rejected.NewID(clienttest.Began(), "", "m2", nil)
	require.NoError(t, s.api.Store.SaveRejected(t.Context(), rejected.Request{
		ID: own, At: clienttest.Began(), Source: rejected.Schedules, MessageID: "m2", Key: "schedule:nightly/1", Reason: "invalid request", Body: `{}`,
	}))
	for name, test := range map[string]struct{ page, body string }{
		"a request":               {page, changed(t, nil)},
		"an event":                {page, event},
		"a request of a schedule": {"rejected/" + own, changed(t, map[string]any{"key": "schedule:nightly/1"})},
	} {
		form := url.Values{"body": {test.body}}
		_, body := s.submit(test.page, test.page+"/validate", form)
		require.Contains(t, body, "The request is valid", name+problem(body))
		answer, body := s.submit(test.page, test.page+"/replay", form)
		require.Equal(t, http.StatusSeeOther, answer.status, name+problem(body))
	}
}

func TestValidate_LeavesTheTargetsOfABulkToItsReplay(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	page := s.reject(`{}`)
	bulk := `{"key":"b","template":` + changed(t, map[string]any{"key": nil}) + `,"targets":[{"fileShare":"invoices"}]}`
	_, body := s.submit(page, page+"/validate", url.Values{"body": {bulk}})
	require.Contains(t, problem(body), "A bulk cannot be validated here.")
	answer, body := s.submit(page, page+"/replay", url.Values{"body": {bulk}})
	require.Equal(t, http.StatusSeeOther, answer.status, problem(body))
}

func TestValidate_NamesABodyThatIsNoJSON(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	page := s.reject(`{}`)
	for _, body := range []string{"", "{", "{} {}", "hello"} {
		_, body := s.submit(page, page+"/validate", url.Values{"body": {body}})
		require.Contains(t, problem(body), "The body is not valid JSON.")
	}
}

func TestValidate_LeavesMessagesOfStepsToARescue(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for n, source := range []rejected.Source{rejected.Steps, rejected.StepsDeadLetters} {
		id := rejected.NewID(clienttest.Began(), "", fmt.Sprint("step", n), nil)
		require.NoError(t, s.api.Store.SaveRejected(t.Context(), rejected.Request{ID: id, At: clienttest.Began(), Source: source, Reason: "unreadable", Body: `{}`}))
		for _, action := range []string{"validate", "replay"} {
			_, body := s.submit("rejected/"+id, "rejected/"+id+"/"+action, url.Values{"body": {changed(t, nil)}})
			require.NotContains(t, body, "The request is valid", "%s %s", source, action)
			require.Contains(t, problem(body), "azbackupflow rescue", "%s %s", source, action)
		}
	}
}
