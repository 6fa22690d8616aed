package replay

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
)

// nextOfRow returns the answer of a read from the row of plain reads that ends
// at the current position. A resource that was read several times there, to see
// it change, gets its answers one after the other; the last one repeats.
func (s *Server) nextOfRow(r *http.Request, fits func(interaction) bool) (n int, found bool) {
	start := s.position
	for start >= 0 && (s.recording.all[start].kind == read || s.recording.all[start].kind == other) {
		start--
	}
	var row []int
	for n := start + 1; n <= s.position; n++ {
		x := s.recording.all[n]
		if x.kind == read && strings.EqualFold(x.path, r.URL.Path) && fits(x) {
			row = append(row, n)
		}
	}
	if len(row) == 0 {
		return 0, false
	}
	if s.recording.shortened {
		row = ends(row)
	}
	key := strings.ToLower(r.URL.Path) + "?" + r.URL.Query().Get("$filter")
	n = row[len(row)-1]
	for _, next := range row {
		if last, served := s.rows[key]; !served || next > last {
			n = next
			break
		}
	}
	s.rows[key] = n
	return n, true
}

// isList reports whether the answer is a list.
func (x interaction) isList() bool { return strings.HasPrefix(x.body, `{"value":`) }

// isGone reports whether a resource does not exist at the current position,
// because it was deleted or because the PUT that creates it is still to come.
// answer is the recorded answer for the resource.
func (s *Server) isGone(path string, answer int, found bool) bool {
	deleted, made, toCome := -1, -1, false
	for k, n := range s.recording.writes {
		x := s.recording.all[n]
		if !strings.EqualFold(x.path, path) || x.status >= http.StatusBadRequest {
			continue
		}
		switch isMade := k < s.nextWrite; {
		case isMade && x.method == http.MethodDelete:
			deleted = n
		case isMade && x.method == http.MethodPut:
			made = n
		case !isMade && x.method == http.MethodPut:
			toCome = toCome || !found || answer > n
		}
	}
	if deleted > made && s.listedAsDeleted(path, deleted) {
		return false
	}
	if deleted > made {
		return !found || answer < deleted || answer > s.position
	}
	return made < 0 && toCome && (!found || answer > s.position)
}

// listedAsDeleted reports whether a list after the deletion shows the resource as
// soft-deleted.
func (s *Server) listedAsDeleted(path string, deleted int) bool {
	for n := deleted + 1; n <= s.position; n++ {
		if raw, listed := listed(s.recording.all[n], path); listed && bytes.Contains(raw, []byte(deferredDelete)) {
			return true
		}
	}
	return false
}

// deferredDelete is the field of a soft-deleted item.
const deferredDelete = `"isScheduledForDeferredDelete":true`

// listed returns the entry of a list for a resource.
func listed(x interaction, path string) (json.RawMessage, bool) {
	var list struct {
		Value []json.RawMessage `json:"value"`
	}
	if x.status != http.StatusOK || json.Unmarshal([]byte(x.body), &list) != nil {
		return nil, false
	}
	for _, raw := range list.Value {
		var one struct {
			ID string `json:"id"`
		}
		if json.Unmarshal(raw, &one) == nil && strings.EqualFold(one.ID, path) {
			return raw, true
		}
	}
	return nil, false
}

// undeletedSince reports whether a write that was made after an interaction brings
// a soft-deleted resource back.
func (s *Server) undeletedSince(n int, path string) bool {
	for k, write := range s.recording.writes {
		x := s.recording.all[write]
		if k < s.nextWrite && write > n && strings.EqualFold(x.path, path) && strings.Contains(x.requestBody, `"isRehydrate"`) {
			return true
		}
	}
	return false
}

// withoutGone returns a recorded list without the resources that have been
// deleted since.
func (s *Server) withoutGone(n int) answer {
	a := s.copyOf(n)
	var list map[string]json.RawMessage
	var entries []json.RawMessage
	if json.Unmarshal([]byte(a.body), &list) != nil || json.Unmarshal(list["value"], &entries) != nil {
		return a
	}
	kept := []json.RawMessage{}
	for _, raw := range entries {
		var one struct {
			ID string `json:"id"`
		}
		if json.Unmarshal(raw, &one) == nil && s.isGone(one.ID, n, true) {
			continue
		}
		kept = append(kept, raw)
	}
	if len(kept) == len(entries) {
		return a
	}
	value, err := json.Marshal(kept)
	if err != nil {
		return a
	}
	list["value"] = value
	shorter := jsonAnswer(a.status, list)
	shorter.header.Set("Date", a.header.Get("Date"))
	return shorter
}
