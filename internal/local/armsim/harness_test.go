package armsim_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"
	"github.com/stretchr/testify/require"

	"azbackupflow/internal/local/armsim"
)

const (
	version   = "api-version=2025-02-01"
	vaultID   = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/azurefiles/providers/Microsoft.RecoveryServices/vaults/azurefilesvault"
	fabric    = vaultID + "/backupFabrics/Azure"
	accountID = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/AzureFiles/providers/Microsoft.Storage/storageAccounts/testvault2"
	container = fabric + "/protectionContainers/StorageContainer;Storage;AzureFiles;testvault2"
	shareItem = container + "/protectedItems/azurefileshare;testshare"
	policyID  = vaultID + "/backupPolicies/schedule1"

	registerBody = `{"properties":{"containerType":"StorageContainer","backupManagementType":"AzureStorage","sourceResourceId":"` + accountID + `"}}`
	protectBody  = `{"properties":{"protectedItemType":"AzureFileShareProtectedItem","sourceResourceId":"` + accountID + `","policyId":"` + policyID + `"}}`
	backupBody   = `{"properties":{"objectType":"AzureFileShareBackupRequest"}}`
)

// bench is a simulator with a clock and a client.
type bench struct {
	t     *testing.T
	sim   *armsim.Simulator
	clock *clockwork.FakeClock
	token string
}

func start(t *testing.T, change ...func(*armsim.Config)) *bench {
	t.Helper()
	k := clockwork.NewFakeClockAt(time.Date(2024, 6, 11, 10, 32, 0, 123456700, time.UTC))
	c := armsim.Config{Now: k.Now, RequireSignedPolls: true}
	for _, f := range change {
		f(&c)
	}
	sim, err := armsim.New(c)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, sim.Close()) })
	return &bench{t: t, sim: sim, clock: k, token: sim.Token()}
}

// reply is an answer with its body.
type reply struct {
	status int
	header http.Header
	body   map[string]any
	text   string
}

// at returns a value of the body by a path such as properties.status or
// value.0.name.
func (r reply) at(path string) any { return dig(r.body, path) }

func (r reply) list() []any {
	l, _ := r.body["value"].([]any)
	return l
}

func dig(v any, path string) any {
	for key := range strings.SplitSeq(path, "/") {
		switch x := v.(type) {
		case map[string]any:
			v = x[key]
		case []any:
			n := int(key[0] - '0')
			if n >= len(x) {
				return nil
			}
			v = x[n]
		default:
			return nil
		}
	}
	return v
}

// send sends a request to a path or a URL, with headers as name, value pairs.
func (b *bench) send(method, target, body string, header ...string) reply {
	b.t.Helper()
	r, err := b.try(method, target, body, header...)
	require.NoError(b.t, err)
	return r
}

func (b *bench) try(method, target, body string, header ...string) (reply, error) {
	b.t.Helper()
	if strings.HasPrefix(target, "/") {
		target = b.sim.Endpoint() + target
	}
	req, err := http.NewRequestWithContext(context.Background(), method, target, strings.NewReader(body))
	require.NoError(b.t, err)
	req.Header.Set("Authorization", "Bearer "+b.token)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for n := 0; n < len(header); n += 2 {
		if header[n+1] == "" {
			req.Header.Del(header[n])
		} else {
			req.Header.Set(header[n], header[n+1])
		}
	}
	// Each request has its own connection, so that a reset does not hit the
	// connection of another request.
	req.Close = true
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return reply{}, err
	}
	defer func() { require.NoError(b.t, resp.Body.Close()) }()
	all, err := io.ReadAll(resp.Body)
	require.NoError(b.t, err)
	r := reply{status: resp.StatusCode, header: resp.Header, text: string(all)}
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json") {
		require.NoError(b.t, json.NewDecoder(bytes.NewReader(all)).Decode(&r.body), "%s", all)
	}
	return r, nil
}

func (b *bench) get(target string) reply { b.t.Helper(); return b.send(http.MethodGet, target, "") }

// list gets a collection below the vault with a filter.
func (b *bench) list(collection, filter string) reply {
	b.t.Helper()
	q := "?" + version
	if filter != "" {
		q += "&$filter=" + url.QueryEscape(filter)
	}
	r := b.get(vaultID + "/" + collection + q)
	require.Equal(b.t, http.StatusOK, r.status, r.text)
	return r
}

// started sends a request that starts an operation.
func (b *bench) started(method, path, body string, header ...string) reply {
	b.t.Helper()
	r := b.send(method, path+"?"+version, body, header...)
	require.Equal(b.t, http.StatusAccepted, r.status, r.text)
	return r
}

// refreshed, registered, inquired and protected prepare the demo world up to
// that stage.
func (b *bench) refreshed() *bench {
	b.t.Helper()
	b.started(http.MethodPost, fabric+"/refreshContainers", "")
	b.clock.Advance(12 * time.Second)
	return b
}

func (b *bench) registered() *bench {
	b.t.Helper()
	b.refreshed()
	b.started(http.MethodPut, container, registerBody)
	b.clock.Advance(37 * time.Second)
	return b
}

func (b *bench) inquired() *bench {
	b.t.Helper()
	b.registered()
	b.started(http.MethodPost, container+"/inquire", "")
	b.clock.Advance(20 * time.Second)
	return b
}

func (b *bench) protected() *bench {
	b.t.Helper()
	b.inquired()
	b.started(http.MethodPut, shareItem, protectBody)
	b.clock.Advance(45 * time.Second)
	return b
}
