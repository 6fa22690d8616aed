package httpapi

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"azbackupflow/internal/engine"
)

// Limits of a long wait.
const (
	maxWait      = 30 * time.Second
	waitInterval = time.Second
)

// get responds with an operation. With Prefer: wait and If-None-Match it waits
// until the operation has changed.
func (a *API) get(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("id")
	row, err := a.cfg.Operations.Load(r.Context(), id)
	if err != nil {
		return err
	}
	known := strings.Join(r.Header.Values("If-None-Match"), ",")
	if wait, ok := preferredWait(r.Header.Values("Prefer")); ok && known != "" {
		w.Header().Set("Preference-Applied", fmt.Sprintf("wait=%d", wait/time.Second))
		end := a.cfg.Now().Add(wait)
		for matches(known, row) && !row.Operation.Status.Terminal() {
			rest := end.Sub(a.cfg.Now())
			if rest <= 0 || a.cfg.Sleep(r.Context(), min(rest, waitInterval)) != nil {
				break
			}
			if row, err = a.cfg.Operations.Load(r.Context(), id); err != nil {
				return err
			}
		}
	}
	a.setRetryAfter(w, row.Operation)
	w.Header().Set("ETag", etagOf(row))
	if matches(known, row) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	return writeJSON(w, http.StatusOK, a.singleOperation(row.Operation))
}

func etagOf(row engine.Row) string { return fmt.Sprintf(`"%s"`, row.Operation.WriteID) }

// matches reports whether a list of ETags has that of a row. The comparison is weak. Source: RFC 9110, section 13.1.2.
func matches(list string, row engine.Row) bool {
	for _, known := range strings.Split(list, ",") {
		if known = strings.TrimSpace(known); known == "*" || strings.TrimPrefix(known, "W/") == etagOf(row) {
			return true
		}
	}
	return false
}

// preferredWait returns the wait in Prefer headers, at most maxWait. A preference
// that is not understood is ignored. Source: RFC 7240.
func preferredWait(headers []string) (time.Duration, bool) {
	for _, preference := range strings.Split(strings.Join(headers, ","), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(preference), "=")
		if !strings.EqualFold(strings.TrimSpace(name), "wait") {
			continue
		}
		value, _, _ = strings.Cut(value, ";")
		seconds, err := strconv.Atoi(strings.Trim(strings.TrimSpace(value), `"`))
		if err == nil && seconds > 0 {
			return min(time.Duration(min(seconds, 3600))*time.Second, maxWait), true
		}
	}
	return 0, false
}
