package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"azbackupflow/internal/cli"
	"azbackupflow/internal/local/stack"
)

// localIdentity is how a command reads the simulated Azure of the local stack: its
// address, and the managed identity that issues its tokens.
type localIdentity struct {
	ResourceManager  string `json:"resourceManager"`
	IdentityEndpoint string `json:"identityEndpoint"`
	IdentityHeader   string `json:"identityHeader"`
}

// localIdentityFile is in the folder of the local stack while it runs.
func localIdentityFile(dir string) string { return filepath.Join(dir, "identity.json") }

// publishIdentity writes the identity of a stack to its folder. remove deletes it
// when the stack stops. A stack without a folder, or without the simulator, has
// none.
func publishIdentity(dir string, s *stack.Stack, simulator bool) (remove func(), err error) {
	if dir == "" || !simulator {
		return func() {}, nil
	}
	raw, err := json.Marshal(localIdentity{ResourceManager: s.ARM.Endpoint(), IdentityEndpoint: s.ARM.IdentityEndpoint(), IdentityHeader: s.ARM.IdentityHeader()})
	if err != nil {
		return nil, fmt.Errorf("encode the identity of the local stack: %w", err)
	}
	file := localIdentityFile(dir)
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		return nil, &cli.UsageError{Text: file + " cannot be written", Remedy: "make the folder writable, or choose another one with --dir"}
	}
	return func() { _ = os.Remove(file) }, nil // a file that is left has no effect without the stack
}

// readLocalIdentity reads the identity of the local stack that uses a folder. ok is
// false if none runs.
func readLocalIdentity(dir string) (id localIdentity, ok bool, err error) {
	raw, err := os.ReadFile(localIdentityFile(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return id, false, nil
	}
	if err != nil || json.Unmarshal(raw, &id) != nil || id.ResourceManager == "" {
		return id, false, &cli.UsageError{Text: localIdentityFile(dir) + " cannot be read", Remedy: "stop the local stack, delete the file, and start the stack again"}
	}
	return id, true, nil
}

// identityVersion is the version of the managed identity endpoint of App Service.
const identityVersion = "2019-08-01"

// GetToken implements azcore.TokenCredential.
func (id localIdentity) GetToken(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	unreachable := &cli.UsageError{Text: "the local stack does not issue a token", Remedy: "start it with azbackupflow local, or add --location and --tag, which need no call"}
	query := url.Values{"api-version": {identityVersion}, "resource": {"https://management.azure.com"}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, id.IdentityEndpoint+"?"+query.Encode(), nil)
	if err != nil {
		return azcore.AccessToken{}, unreachable
	}
	req.Header.Set("X-IDENTITY-HEADER", id.IdentityHeader)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return azcore.AccessToken{}, unreachable
	}
	defer func() { _ = res.Body.Close() }()
	var answer struct {
		AccessToken string `json:"access_token"`
		ExpiresOn   string `json:"expires_on"`
	}
	if json.NewDecoder(res.Body).Decode(&answer) != nil || answer.AccessToken == "" {
		return azcore.AccessToken{}, unreachable
	}
	seconds, err := strconv.ParseInt(answer.ExpiresOn, 10, 64)
	if err != nil {
		return azcore.AccessToken{}, unreachable
	}
	return azcore.AccessToken{Token: answer.AccessToken, ExpiresOn: time.Unix(seconds, 0)}, nil
}
