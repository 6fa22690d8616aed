package armsim

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	identityPath    = "/msi/token"
	identityVersion = "2019-08-01"
	// tokenLifetime is the lifetime of managed identity tokens, at any speed: a
	// client requests its next token by its own clock.
	tokenLifetime = 24 * time.Hour
	// systemIdentity is the client ID of requests that name none.
	systemIdentity = "11111111-1111-1111-1111-111111111111"
	// userIdentity is the object ID of the vaults' user-assigned identities.
	userIdentity = "22222222-2222-2222-2222-222222222222"
	tenant       = "22222222-2222-2222-2222-222222222222"
)

// armAudiences are the resources whose tokens Resource Manager accepts, in all
// clouds, without trailing slashes.
var armAudiences = []string{
	"https://management.azure.com", "https://management.core.windows.net",
	"https://management.usgovcloudapi.net", "https://management.core.usgovcloudapi.net",
	"https://management.chinacloudapi.cn", "https://management.core.chinacloudapi.cn",
}

// issueToken returns a new token for a resource.
func (s *Simulator) issueToken(resource, client string) (string, claims) {
	c := claims{
		Audience: strings.TrimRight(resource, "/"), Issuer: "https://sts.windows.net/" + tenant + "/", Tenant: tenant,
		Client: client, Expires: s.config.Now().Add(tokenLifetime).Unix(),
	}
	return newToken(c), c
}

// serveToken answers the managed identity endpoint of App Service and
// Functions (REST protocol 2019-08-01).
func (s *Simulator) serveToken(r *http.Request) answer {
	reject := func(status int, message string) answer {
		return jsonAnswer(status, map[string]any{"statusCode": status, "message": message})
	}
	if r.Method != http.MethodGet {
		return reject(http.StatusMethodNotAllowed, "use GET")
	}
	if r.Header.Get("X-IDENTITY-HEADER") != s.identityHeader {
		return reject(http.StatusUnauthorized, "the X-IDENTITY-HEADER is missing or wrong")
	}
	q := r.URL.Query()
	if v := q.Get("api-version"); v != identityVersion {
		return reject(http.StatusBadRequest, fmt.Sprintf("api-version %q is not supported, only %s", v, identityVersion))
	}
	if q.Get("resource") == "" {
		return reject(http.StatusBadRequest, "the resource is missing")
	}
	client := q.Get("client_id")
	if client == "" {
		client = systemIdentity
	}
	text, c := s.issueToken(q.Get("resource"), client)
	return jsonAnswer(http.StatusOK, map[string]any{
		"access_token": text,
		"expires_on":   strconv.FormatInt(c.Expires, 10),
		"resource":     q.Get("resource"),
		"token_type":   "Bearer",
		"client_id":    client,
	})
}

// authenticate rejects a request without a valid token for Resource Manager.
func (s *Simulator) authenticate(r *http.Request, now time.Time) *armError {
	header := r.Header.Get("Authorization")
	if header == "" {
		return unauthorized("AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing.")
	}
	text, bearer := strings.CutPrefix(header, "Bearer ")
	if !bearer {
		return unauthorized("AuthenticationFailed", "Authentication failed. The 'Authorization' header is provided in an invalid format.")
	}
	return checkToken(text, now)
}

// checkToken returns an error unless the text is a valid token for Resource
// Manager.
func checkToken(text string, now time.Time) *armError {
	c, known := readToken(text)
	switch {
	case !known:
		return unauthorized("InvalidAuthenticationToken", "The access token is invalid.")
	case now.After(c.expires()):
		return unauthorized("ExpiredAuthenticationToken", "The access token expiry UTC time '"+
			c.expires().UTC().Format(time.RFC3339)+"' is earlier than current UTC time '"+now.UTC().Format(time.RFC3339)+"'.")
	case !slices.Contains(armAudiences, c.Audience):
		return unauthorized("InvalidAuthenticationTokenAudience", "The access token has been obtained for wrong audience or resource '"+
			c.Audience+"'. It should exactly match with one of the allowed audiences '"+strings.Join(armAudiences, "','")+"'.")
	}
	return nil
}

// unauthorized returns a 401 with its challenge.
func unauthorized(code, message string) *armError {
	return &armError{
		status: http.StatusUnauthorized, code: code, message: message,
		header: http.Header{
			"Www-Authenticate":   {fmt.Sprintf(`Bearer authorization_uri="https://login.windows.net/%s", error="invalid_token", error_description=%q`, tenant, message)},
			"X-Ms-Failure-Cause": {"gateway"},
		},
	}
}
