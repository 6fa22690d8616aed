package arm

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"azbackupflow/internal/operation"
)

// maxPages bounds a list; Azure Backup's pages hold some hundred items.
const maxPages = 200

// List reads all pages of a list and gives each item to visit. Next links are
// sent unchanged, and only to trusted hosts. An error of visit counts as an
// answer that cannot be read.
func (c *Client) List(ctx context.Context, path string, query url.Values, visit func(item json.RawMessage) error) error {
	answer, err := c.Do(ctx, Request{Method: http.MethodGet, Path: path, Query: query})
	seen := map[string]bool{}
	for page := 1; ; page++ {
		if err != nil {
			return err
		}
		var body struct {
			Value    json.RawMessage `json:"value"`
			NextLink string          `json:"nextLink"`
		}
		var items []json.RawMessage
		if err := answer.Decode(&body); err != nil {
			return err
		}
		if json.Unmarshal(body.Value, &items) != nil {
			return answer.unreadable("it is no list")
		}
		for _, item := range items {
			if err := visit(item); err != nil {
				return answer.unreadable(err.Error())
			}
		}
		next := body.NextLink
		if next == "" {
			return nil
		}
		if page == maxPages || seen[next] {
			return &operation.Error{
				Code: CodeTooManyPages, Class: operation.Fatal,
				Message: fmt.Sprintf("the list does not end after %d pages", page), CorrelationID: answer.CorrelationID,
			}
		}
		seen[next] = true
		if strings.HasPrefix(next, "/") && !strings.HasPrefix(next, "//") {
			next = c.endpoint.Scheme + "://" + c.endpoint.Host + next
		}
		answer, err = c.Poll(ctx, next, "")
	}
}
