// Package vaultapi holds the shape that the APIs of both providers share: every
// call addresses a vault or a resource below it, at one api-version. It knows no
// call of either provider.
package vaultapi

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"azbackupflow/internal/arm"
	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/arm/lro"
	"azbackupflow/internal/arm/resourceid"
)

// API calls the vaults of one provider.
type API struct {
	client    *arm.Client
	vaultType resourceid.VaultType
	version   string
}

// New returns the API of a vault type at an api-version.
func New(client *arm.Client, t resourceid.VaultType, version string) API {
	return API{client: client, vaultType: t, version: version}
}

// With returns a copy whose calls have these options.
func (a API) With(o arm.CallOptions) API {
	a.client = a.client.With(o)
	return a
}

// At returns a copy whose calls have another api-version.
func (a API) At(version string) API {
	a.version = version
	return a
}

// Path returns the path of a resource below a vault. Its error is an
// *operation.Error.
func (a API) Path(vault resourceid.VaultID, names ...string) (string, error) {
	if vault.Type != a.vaultType {
		return "", azerr.Malformed(fmt.Errorf("vault %q is not a %s", vault.Name, a.vaultType.DisplayName()))
	}
	path, err := vault.Path(names...)
	if err != nil {
		return "", azerr.Malformed(err)
	}
	return path, nil
}

// Query returns the query of a call; an empty filter is omitted.
func (a API) Query(filter string) url.Values {
	q := url.Values{"api-version": {a.version}}
	if filter != "" {
		q.Set("$filter", filter)
	}
	return q
}

// Get reads a resource below a vault and converts it.
func Get[Body, T any](ctx context.Context, a API, convert func(Body) T, vault resourceid.VaultID, names ...string) (T, error) {
	var none T
	path, err := a.Path(vault, names...)
	if err != nil {
		return none, err
	}
	var body Body
	if err := a.client.Get(ctx, path, a.Query(""), &body); err != nil {
		return none, err
	}
	return convert(body), nil
}

// Ask sends a POST that is answered at once and converts the answer.
func Ask[Body, T any](ctx context.Context, a API, convert func(Body) T, question any, vault resourceid.VaultID, names ...string) (T, error) {
	var none T
	path, err := a.Path(vault, names...)
	if err != nil {
		return none, err
	}
	answer, err := a.client.Do(ctx, arm.Request{Method: http.MethodPost, Path: path, Query: a.Query(""), Body: question})
	if err != nil {
		return none, err
	}
	var body Body
	if err := answer.Decode(&body); err != nil {
		return none, err
	}
	return convert(body), nil
}

// List reads all pages of a collection below a vault and converts the items.
func List[Body, T any](ctx context.Context, a API, convert func(Body) T, filter string, vault resourceid.VaultID, names ...string) ([]T, error) {
	path, err := a.Path(vault, names...)
	if err != nil {
		return nil, err
	}
	bodies, err := arm.All[Body](ctx, a.client, path, a.Query(filter))
	if err != nil {
		return nil, err
	}
	items := make([]T, len(bodies))
	for i, b := range bodies {
		items[i] = convert(b)
	}
	return items, nil
}

// Call is a call that starts a long-running operation.
type Call struct {
	Method string
	// Filter is an OData filter; empty sends none.
	Filter string
	// Body is sent as JSON; nil sends none.
	Body any
	// ClientRequestID is sent as x-ms-client-request-id; empty sends none.
	ClientRequestID string
}

// Start makes a call on a resource below a vault.
func (a API) Start(ctx context.Context, c Call, vault resourceid.VaultID, names ...string) (lro.Submission, error) {
	path, err := a.Path(vault, names...)
	if err != nil {
		return lro.Submission{}, err
	}
	return lro.Start(ctx, a.client, arm.Request{
		Method: c.Method, Path: path, Query: a.Query(c.Filter), Body: c.Body, ClientRequestID: c.ClientRequestID,
	})
}

// Ask makes a POST that only reads and answers at once. path is the whole path,
// which need not be below a vault.
func (a API) Ask(ctx context.Context, path string, body, into any) error {
	answer, err := a.client.Do(ctx, arm.Request{Method: http.MethodPost, Path: path, Query: a.Query(""), Body: body})
	if err != nil {
		return err
	}
	return answer.Decode(into)
}
