package armsim_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"azbackupflow/internal/local/armsim"
)

// recorded is one interaction of a recording of the Azure CLI.
type recorded struct {
	Request struct {
		Method, URI string
		Body        *string
	}
	Response struct {
		Body    struct{ String string }
		Headers map[string][]string
		Status  struct{ Code int }
	}
}

// recording reads a recording of the Azure CLI, which is not part of the
// product.
func recording(t *testing.T, file string) []recorded {
	t.Helper()
	dir := os.Getenv("AZBACKUPFLOW_SHARED")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "..", "shared")
	}
	text, err := os.ReadFile(filepath.Join(dir, "recordings", file))
	if err != nil {
		t.Skip("the recording is missing; set AZBACKUPFLOW_SHARED: " + err.Error())
	}
	var d struct{ Interactions []recorded }
	require.NoError(t, yaml.Unmarshal(text, &d))
	return d.Interactions
}

func (i recorded) date(t *testing.T) time.Time {
	t.Helper()
	at, err := http.ParseTime(i.Response.Headers["date"][0])
	require.NoError(t, err)
	return at
}

// recordedWorld returns the vault of the recording with its resources, and the
// recorded durations.
func recordedWorld(c *armsim.Config) {
	v := armsim.Vault{
		Subscription: armsim.DemoSubscription, ResourceGroup: "clitest.rg000001", Name: "clitest-vault000002", Location: "eastus2euap",
		Policies: []armsim.Policy{{Name: "clitest-item000005", BackupManagementType: "AzureStorage", WorkLoadType: "AzureFileShare"}},
	}
	c.World = &armsim.World{
		Vaults: []armsim.Vault{v},
		StorageAccounts: []armsim.StorageAccount{{
			Subscription: v.Subscription, ResourceGroup: v.ResourceGroup, Name: "clitest000003", Location: v.Location,
			Shares: []armsim.Share{{Name: "clitest-item000004"}},
		}},
	}
	c.RequireSignedPolls = false // the Azure CLI composes its poll URLs
	c.Durations = armsim.Durations{
		Refresh: 10 * time.Second, ShareBackup: 29 * time.Second, JobVisible: time.Second, ItemProtected: time.Hour,
	}
}

// TestRecording_FileShareIsAnsweredAsByAzure sends the requests of the Azure
// CLI at the recorded times. It compares the status, headers and bodies of the
// answers, except for IDs, times and durations.
func TestRecording_FileShareIsAnsweredAsByAzure(t *testing.T) {
	t.Parallel()
	interactions := recording(t, "azure-cli_afs_backup_scenario.yaml")
	b := start(t, recordedWorld)
	began := b.clock.Now()
	first := interactions[13].date(t)
	ids := map[string]string{} // recorded id: simulated id
	// The algorithm of item names is not known; both have 64 digits.
	const recordedKey = "38f566f467e4abbc1009b2c64e6e743e52c143c8caa3add468f8be09eaf089d1"

	for n, i := range interactions[:84] {
		if n < 13 || n == 14 || n == 19 || (n >= 57 && n <= 68) {
			continue // Creation of vault and policy, accounts of other people, and restore
		}
		if at := began.Add(i.date(t).Sub(first)); at.After(b.clock.Now()) {
			b.clock.Advance(at.Sub(b.clock.Now()))
		}
		u, err := url.Parse(i.Request.URI)
		require.NoError(t, err)
		target := u.RequestURI()
		for from, to := range ids {
			target = strings.ReplaceAll(target, from, to)
		}
		body := ""
		if i.Request.Body != nil {
			body = strings.ReplaceAll(*i.Request.Body, "2024-07-11", "2034-07-11")
		}
		got := b.send(i.Request.Method, target, body)
		where := fmt.Sprintf("interaction %d, %s", n, i.Request.Method)
		require.Equal(t, i.Response.Status.Code, got.status, "%s: %s", where, got.text)
		learnIDs(ids, i, got)
		if strings.Contains(u.Path, "backupProtectableItems") && got.text != `{"value":[]}` {
			name, _ := got.at("value/0/name").(string)
			ids[recordedKey] = strings.TrimPrefix(name, "azurefileshare;")
		}

		want := strings.ReplaceAll(i.Response.Body.String, "https://management.azure.com", b.sim.Endpoint())
		require.Equal(t, plain(want), plain(got.text), where)
		for name, values := range i.Response.Headers {
			switch name {
			case "x-cache", "x-msedge-ref", "content-length", "date":
				continue
			}
			value := got.header.Get(name)
			require.NotEmpty(t, value, "%s: header %s", where, name)
			if name == "location" || name == "azure-asyncoperation" {
				require.Equal(t, plainURL(t, values[0]), plainURL(t, value), where)
			}
		}
		if i.Response.Headers["location"] == nil {
			require.Empty(t, got.header.Get("Location"), where)
		}
		if i.Response.Headers["azure-asyncoperation"] == nil {
			require.Empty(t, got.header.Get("Azure-AsyncOperation"), where)
		}
	}
}

// learnIDs maps our operations and jobs to those of the recording.
func learnIDs(ids map[string]string, i recorded, got reply) {
	last := func(s string) string {
		u, err := url.Parse(s)
		if err != nil {
			return ""
		}
		return u.Path[strings.LastIndex(u.Path, "/")+1:]
	}
	if l := i.Response.Headers["location"]; l != nil {
		ids[last(l[0])] = last(got.header.Get("Location"))
	}
	var status struct{ Properties struct{ JobID string } }
	if json.Unmarshal([]byte(i.Response.Body.String), &status) == nil && status.Properties.JobID != "" {
		ids[status.Properties.JobID], _ = got.at("properties/jobId").(string)
	}
}

// plain returns a body without IDs, times and durations, and with sorted
// fields.
func plain(body string) string {
	for pattern, instead := range map[string]string{
		`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`: "GUID",
		`[0-9a-f]{64}`:                        "KEY",
		`20\d\d-\d\d-\d\dT\d\d:\d\d:[0-9.]+Z`: "TIME",
		`"PT[0-9HMS.]+"`:                      `"DURATION"`,
		`"name": ?"\d{15}"`:                   `"name":"POINT"`,
		`/recoveryPoints/\d{15}`:              `/recoveryPoints/POINT`,
	} {
		if instead == "GUID" {
			body = strings.ReplaceAll(body, armsim.DemoSubscription, "SUBSCRIPTION")
		}
		body = regexp.MustCompile(pattern).ReplaceAllString(body, instead)
	}
	var v any
	if json.Unmarshal([]byte(body), &v) != nil {
		return body
	}
	sorted, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		return body
	}
	return string(sorted)
}

// plainURL returns a poll URL without its host, with the lengths of the parts
// of its signature.
func plainURL(t *testing.T, text string) string {
	t.Helper()
	u, err := url.Parse(text)
	require.NoError(t, err)
	parts := strings.Split(u.RawQuery, "&")
	for n, p := range parts {
		name, value, _ := strings.Cut(p, "=")
		if slices.Contains([]string{"t", "c", "s", "h"}, name) {
			parts[n] = fmt.Sprintf("%s=%d", name, len(value))
		}
	}
	return plain(u.Path) + "?" + strings.Join(parts, "&")
}
