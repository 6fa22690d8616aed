package armsim

import (
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
)

// page answers with one page of a list, and a nextLink if there is more. It
// builds only the entries of the page, because lists of jobs grow long under
// load.
func page[T any](s *Simulator, c *call, entries []T, view func(T) map[string]any) (answer, *armError) {
	from := 0
	if text := c.query.Get("$skipToken"); text != "" {
		b, err := base64.RawURLEncoding.DecodeString(text)
		if err == nil {
			from, err = strconv.Atoi(string(b))
		}
		if err != nil || from < 0 {
			return answer{}, invalidInput("$skipToken", "it is not the token of a nextLink")
		}
	}
	from = min(from, len(entries))
	to := min(from+s.config.PageSize, len(entries))
	value := make([]map[string]any, 0, to-from)
	for _, e := range entries[from:to] {
		value = append(value, view(e))
	}
	list := map[string]any{"value": value}
	if to < len(entries) {
		q := c.r.URL.Query()
		q.Set("$skipToken", urlText([]byte(strconv.Itoa(to))))
		list["nextLink"] = s.endpoint + c.r.URL.EscapedPath() + "?" + strings.ReplaceAll(q.Encode(), "+", "%20")
	}
	return jsonAnswer(http.StatusOK, list), nil
}
