package datasource

import (
	"context"
	"errors"
	"net/http"

	"azbackupflow/internal/operation"
)

// Tags returns the tags of a resource that Get reads; none if it does not exist.
func (c *Client) Tags(ctx context.Context, id string) (map[string]string, error) {
	r, err := c.Get(ctx, id)
	var answer *operation.Error
	if errors.As(err, &answer) && answer.HTTPStatus == http.StatusNotFound {
		return nil, nil
	}
	return r.Tags, err
}
