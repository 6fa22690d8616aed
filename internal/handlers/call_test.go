package handlers_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/stretchr/testify/require"

	wire "azbackupflow/internal/api"
)

// response is a response with its body.
type response struct {
	StatusCode int
	Header     http.Header
	Body       []byte
}

// call calls the API and decodes its response. It checks every request and every
// response against docs/openapi.yaml.
func (r *rig) call(api http.Handler, method, target string, body any, into any, headers ...string) response {
	r.t.Helper()
	var raw []byte
	switch b := body.(type) {
	case nil:
	case string:
		raw = []byte(b)
	default:
		var err error
		raw, err = json.Marshal(b)
		require.NoError(r.t, err)
	}
	req := httptest.NewRequestWithContext(r.t.Context(), method, "/api"+target, bytes.NewReader(raw))
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	recorder := httptest.NewRecorder()
	api.ServeHTTP(recorder, req)
	answer := recorder.Body.Bytes()
	res := response{recorder.Code, recorder.Header(), answer}
	if into != nil {
		require.NoError(r.t, json.Unmarshal(answer, into), "%s %s: %s", method, target, answer)
	}
	requireDocumented(r.t, req, raw, res, answer)
	return res
}

// signedIn returns the header that App Service authentication sets for a caller
// with these roles.
func signedIn(roles ...string) string {
	claims := []object{{"typ": "name", "val": "Somebody"}}
	for _, role := range roles {
		claims = append(claims, object{"typ": "roles", "val": role})
	}
	return principal(object{"auth_typ": "aad", "name_typ": "name", "role_typ": "roles", "claims": claims})
}

func principal(v any) string {
	raw, _ := json.Marshal(v) // it holds only text
	return base64.StdEncoding.EncodeToString(raw)
}

// backupRequest returns a request to back up a file share.
func backupRequest(key, share string) object {
	return object{"flow": "backup-now", "key": key, "parameters": object{"fileShare": object{
		"vaultId": demoVault, "storageAccountId": demoAccount, "name": share,
	}}}
}

// problem returns the short name of a problem's type.
func problem(p wire.Problem) string {
	return strings.TrimPrefix(p.Type, "urn:azbackupflow:problem:")
}
