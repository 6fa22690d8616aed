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

// Get reads one resource.
func (c *Client) Get(ctx context.Context, path string, query url.Values, into any) error {
	answer, err := c.Do(ctx, Request{Method: http.MethodGet, Path: path, Query: query})
	if err != nil {
		return err
	}
	return answer.Decode(into)
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

// Start makes a call that starts a long-running operation.
func (c *Client) Start(ctx context.Context, r Request) (Submission, error) {
	answer, err := c.Do(ctx, r)
	if err != nil {
		return Submission{}, err
	}
	return Submitted(answer), nil
}

// PathBelow joins names below a resource. A name that is empty or holds a slash
// would address another resource and is refused.
func PathBelow(resource string, names ...string) (string, error) {
	for _, n := range names {
		if n == "" || strings.Contains(n, "/") {
			return "", Malformed(fmt.Errorf("%q is not a name", n))
		}
	}
	return strings.Join(append([]string{resource}, names...), "/"), nil
}

// Malformed is a call that cannot be made as asked; nothing was sent.
func Malformed(err error) *operation.Error {
	return &operation.Error{Code: CodeMalformedRequest, Class: operation.Fatal, Message: err.Error()}
}
