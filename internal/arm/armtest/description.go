package armtest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path"
	"regexp"
	"testing"

	"github.com/getkin/kin-openapi/openapi2"
	"github.com/getkin/kin-openapi/openapi2conv"
	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"
	"github.com/stretchr/testify/require"
)

// Description is a provider's published API description at one api-version.
type Description struct {
	version string
	router  routers.Router
	bodies  bodies
}

// Describe loads an API description. It skips the test if the description is not
// available.
func Describe(t testing.TB, provider, version, file string) *Description {
	t.Helper()
	raw := shared(t, "the API description of "+provider, "specs", provider, version, file)
	var two openapi2.T
	// ARM ignores the casing; some of the published paths differ in it.
	raw = bytes.ReplaceAll(raw, []byte(`"/Subscriptions/`), []byte(`"/subscriptions/`))
	require.NoError(t, json.Unmarshal(withCommonTypes(t, raw), &two))
	doc, err := openapi2conv.ToV3(&two)
	require.NoError(t, err)
	doc.Servers = openapi3.Servers{{URL: PublicARM}}
	router, err := legacy.NewRouter(doc, openapi3.DisableExamplesValidation(), openapi3.DisableSchemaDefaultsValidation(), openapi3.DisableSchemaPatternValidation())
	require.NoError(t, err)
	return &Description{version: version, router: router, bodies: bodiesOf(doc)}
}

// withCommonTypes copies the types of other files that the document refers to
// into the document. Their paths are those of the published tree.
func withCommonTypes(t testing.TB, raw []byte) []byte {
	t.Helper()
	reference := regexp.MustCompile(`"(?:\.\./)+common-types/resource-management/(v\d+/\w+\.json)#/(\w+)/(\w+)"`)
	var doc map[string]any
	require.NoError(t, json.Unmarshal(raw, &doc))
	taken := map[string]bool{}
	for _, m := range reference.FindAllSubmatch(raw, -1) {
		file := path.Clean(string(m[1]))
		if taken[file] {
			continue
		}
		taken[file] = true
		var common map[string]any
		require.NoError(t, json.Unmarshal(shared(t, "the common types "+file, "specs", "common-types", path.Dir(file), path.Base(file)), &common))
		for _, section := range []string{"parameters", "definitions"} {
			into, _ := doc[section].(map[string]any)
			from, _ := common[section].(map[string]any)
			if into == nil {
				into = map[string]any{}
				doc[section] = into
			}
			for name, definition := range from {
				if _, own := into[name]; !own {
					into[name] = definition
				}
			}
		}
	}
	merged, err := json.Marshal(doc)
	require.NoError(t, err)
	return reference.ReplaceAll(merged, []byte(`"#/$2/$3"`))
}

// Problem returns why a request does not match the API description; nil if it
// matches. Its path must be that of its operation, at this api-version, without
// unknown query parameters, and its body must not have unknown fields at any
// depth.
func (d *Description) Problem(ctx context.Context, g Request) error {
	req, err := http.NewRequestWithContext(ctx, g.Method, g.URL, bytes.NewReader(g.Body))
	if err != nil {
		return err
	}
	if len(g.Body) > 0 {
		req.Header.Set("Content-Type", "application/json")
	}
	route, params, err := d.router.FindRoute(req)
	if err != nil {
		return fmt.Errorf("no operation has this path: %w", err)
	}
	if route.Operation.OperationID != g.Operation {
		return fmt.Errorf("it is %s, not %s", route.Operation.OperationID, g.Operation)
	}
	query := req.URL.Query()
	if query.Get("api-version") != d.version {
		return fmt.Errorf("api-version is %q, not %s", query.Get("api-version"), d.version)
	}
	for q := range query {
		if q != "api-version" && route.Operation.Parameters.GetByInAndName("query", q) == nil {
			return fmt.Errorf("unknown query parameter %s", q)
		}
	}
	if err := openapi3filter.ValidateRequest(ctx, &openapi3filter.RequestValidationInput{
		Request: req, PathParams: params, Route: route,
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc},
	}); err != nil {
		return err
	}
	wanted := route.Operation.RequestBody
	switch {
	case wanted == nil && len(g.Body) > 0:
		return errors.New("a body where none belongs")
	case len(g.Body) == 0 && wanted != nil && wanted.Value.Required:
		return errors.New("no body where one belongs")
	case len(g.Body) == 0:
		return nil
	}
	var value any
	if err := json.Unmarshal(g.Body, &value); err != nil {
		return err
	}
	return d.bodies.problem("", wanted.Value.Content.Get("application/json").Schema, value)
}
