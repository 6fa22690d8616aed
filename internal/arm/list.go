package arm

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/operation"
)

// maxPages is the maximum number of pages of a list. Azure Backup's pages hold
// some hundred items.
const maxPages = 200

// List reads all pages of a list and calls visit for each item. Next links are
// sent unchanged, and only to trusted hosts. An error of visit means that the
// answer cannot be read.
func (c *Client) List(ctx context.Context, path string, query url.Values, visit func(item json.RawMessage) error) error {
	answer, err := c.Do(ctx, Request{Method: http.MethodGet, Path: path, Query: query})
	seen := map[string]bool{}
	for page := 1; ; page++ {
		if err != nil {
			return err
		}
		var next string
		if next, err = visitPage(answer, visit); err != nil || next == "" {
			return err
		}
		if page == maxPages || seen[next] {
			return &operation.Error{
				Code: azerr.CodeTooManyPages, Class: operation.Fatal,
				Message: fmt.Sprintf("the list does not end after %d pages", page), CorrelationID: answer.CorrelationID,
			}
		}
		seen[next] = true
		if strings.HasPrefix(next, "/") && !strings.HasPrefix(next, "//") {
			next = c.endpoint.Scheme + "://" + c.endpoint.Host + next
		}
		answer, err = c.Poll(ctx, next)
	}
}

// visitPage calls visit for each item of a page and returns its next link.
func visitPage(answer *Answer, visit func(item json.RawMessage) error) (next string, err error) {
	var body struct {
		Value    json.RawMessage `json:"value"`
		NextLink string          `json:"nextLink"`
	}
	var items []json.RawMessage
	if err := answer.Decode(&body); err != nil {
		return "", err
	}
	if json.Unmarshal(body.Value, &items) != nil {
		return "", answer.Unreadable("it is not a list")
	}
	for _, item := range items {
		if err := visit(item); err != nil {
			return "", answer.Unreadable(err.Error())
		}
	}
	return body.NextLink, nil
}

// All reads all pages of a list.
func All[T any](ctx context.Context, c *Client, path string, query url.Values) ([]T, error) {
	var all []T
	err := c.List(ctx, path, query, func(item json.RawMessage) error {
		var t T
		if err := json.Unmarshal(item, &t); err != nil {
			return err
		}
		all = append(all, t)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}
