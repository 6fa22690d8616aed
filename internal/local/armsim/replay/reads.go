package replay

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// poll answers a poll of an operation, as a status or as a result.
func (s *Server) poll(r *http.Request, id string, wantsStatus bool) answer {
	o := s.recording.operations[id]
	if o == nil {
		return s.neverPolled(r, id, wantsStatus)
	}
	switch {
	case wantsStatus && o.status == nil:
		n := o.result.take()
		s.recorded(n)
		return s.statusFromResult(id, o.result, s.recording.all[n])
	case !wantsStatus && o.result == nil:
		n := o.status.take()
		s.recorded(n)
		return resultFromStatus(s.recording.all[n], s.endpoint, r.URL)
	case wantsStatus:
		return s.recorded(o.status.take())
	}
	return s.recorded(o.result.take())
}

// statusFromResult derives the status of an operation for which only the result
// URL was recorded.
func (s *Server) statusFromResult(id string, seq *sequence, x interaction) answer {
	const azureTime = "2006-01-02T15:04:05Z"
	started := s.recording.all[seq.indexes[0]].header.Get("Date")
	if t, err := http.ParseTime(started); err == nil {
		started = t.UTC().Format(azureTime)
	}
	status, ended := "InProgress", "0001-01-01T00:00:00"
	if x.status != http.StatusAccepted {
		status, ended = "Succeeded", started
	}
	if x.status >= http.StatusBadRequest {
		status = "Failed"
	}
	a := jsonAnswer(http.StatusOK, map[string]any{
		"id": id, "name": id, "status": status, "startTime": started, "endTime": ended,
	})
	a.header.Set("Date", x.header.Get("Date"))
	return a
}

// resultFromStatus derives the result of an operation for which only the status
// URL was recorded.
func resultFromStatus(x interaction, endpoint string, asked *url.URL) answer {
	var status struct {
		Status string `json:"status"`
	}
	_ = json.Unmarshal([]byte(x.body), &status) // another body is the status of a running operation
	a := answer{status: http.StatusAccepted, header: http.Header{"Date": x.header["Date"]}}
	if !strings.EqualFold(status.Status, "InProgress") && status.Status != "" {
		a.status = http.StatusNoContent
		return a
	}
	a.header.Set("Location", endpoint+asked.RequestURI())
	return a
}

// job answers GET backupJobs/{id}.
func (s *Server) job(r *http.Request, id string) answer {
	seq := s.recording.jobs[id]
	if seq == nil {
		return s.mismatch(r, "", "no job %s is recorded", id)
	}
	return s.recorded(seq.take())
}

// listJobs derives the list of jobs, newest first.
func (s *Server) listJobs(r *http.Request) answer {
	f := parseFilter(r.URL.Query().Get("$filter"))
	entries := []json.RawMessage{}
	for _, id := range slices.Backward(s.recording.jobOrder) {
		seq := s.recording.jobs[id]
		if s.recording.writesBetween(s.position, seq.indexes[0]) {
			continue // it has not started yet
		}
		a := s.copyOf(seq.take()) // reading the list does not move the position
		var job struct {
			Properties map[string]any `json:"properties"`
		}
		if err := json.Unmarshal([]byte(a.body), &job); err != nil || !fits(job.Properties, f) {
			continue
		}
		entries = append(entries, json.RawMessage(a.body))
	}
	a := jsonAnswer(http.StatusOK, map[string]any{"value": entries})
	a.header.Set("Date", s.date())
	return a
}

// fits reports whether a job passes the filter, ignoring times.
func fits(properties map[string]any, f map[string]string) bool {
	for _, name := range []string{"status", "operation", "backupManagementType"} {
		want, there := f[strings.ToLower(name)]
		if got, _ := properties[name].(string); there && !strings.EqualFold(got, want) {
			return false
		}
	}
	return true
}

// date returns the recorded time at the current position.
func (s *Server) date() string {
	return s.recording.all[max(0, s.position)].header.Get("Date")
}

// read answers every other GET.
func (s *Server) read(r *http.Request) answer {
	n, list, found := s.find(r)
	switch {
	case s.isGone(r.URL.Path, n, found):
		return s.notFound(r.URL.Path)
	case !found:
		if entry, there := s.entry(r.URL.Path); there {
			return entry
		}
		if derived, known := s.derive(r.URL.Path); known {
			return derived
		}
		return s.mismatch(r, "", "no answer for this path is recorded")
	case list && s.recording.writesBetween(s.position, n):
		a := jsonAnswer(http.StatusOK, map[string]any{"value": []any{}})
		a.header.Set("Date", s.date())
		return a
	case list:
		return s.withoutGone(n)
	}
	return s.copyOf(n)
}

// find returns the answer of a read: the latest one up to the current position,
// else the next one. The same filter wins over a compatible one.
func (s *Server) find(r *http.Request) (n int, list, found bool) {
	f := parseFilter(r.URL.Query().Get("$filter"))
	same := func(x interaction) bool { return maps.Equal(x.filter, f) }
	like := func(x interaction) bool { return compatible(x.filter, f) }
	for _, fits := range []func(interaction) bool{same, like} {
		if n, found := s.nextOfRow(r, fits); found {
			return n, s.recording.all[n].isList(), true
		}
		before, after := -1, -1
		for n, x := range s.recording.all {
			if x.kind != read || !strings.EqualFold(x.path, r.URL.Path) || !fits(x) {
				continue
			}
			if n <= s.position {
				before = n
			} else if after < 0 {
				after = n
			}
		}
		for _, n := range []int{before, after} {
			if n >= 0 {
				return n, s.recording.all[n].isList(), true
			}
		}
	}
	return 0, false, false
}

// entry derives a resource from the answers that contain it, up to the current
// position: results of operations, and lists.
func (s *Server) entry(path string) (answer, bool) {
	for n, x := range slices.Backward(s.recording.all[:s.position+1]) {
		var shown struct {
			ID string `json:"id"`
		}
		if x.status != http.StatusOK || json.Unmarshal([]byte(x.body), &shown) != nil {
			continue
		}
		if strings.EqualFold(shown.ID, path) {
			return s.copyOf(n), true
		}
		if raw, there := listed(x, path); there {
			a, text := s.copyOf(n), string(raw)
			if s.undeletedSince(n, path) {
				text = strings.ReplaceAll(text, deferredDelete, `"isScheduledForDeferredDelete":false`)
			}
			a.body = s.localized(text)
			return a, true
		}
	}
	if strings.Contains(strings.ToLower(path), "/protecteditems/") {
		return s.notFound(path), true
	}
	return answer{}, false
}

// notFound returns the 404 for a resource that does not exist at the current
// position.
func (s *Server) notFound(path string) answer {
	a := failed(http.StatusNotFound, "ResourceNotFound", "The Resource '"+path+"' was not found.")
	if strings.Contains(strings.ToLower(path), "/protecteditems/") {
		a = failed(http.StatusNotFound, "BMSUserErrorDataSourceObjectNotFound", "Item not found.")
	}
	a.header.Set("Date", s.date())
	return a
}
