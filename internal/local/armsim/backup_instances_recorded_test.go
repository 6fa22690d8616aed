package armsim_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/local/armsim"
)

// recordedBackupVault returns the Backup vault of the recording and its
// resources.
func recordedBackupVault(c *armsim.Config) {
	const group, location = "clitest-dpp-ecy-rg", "eastus2euap"
	c.World = &armsim.World{
		BackupVaults: []armsim.BackupVault{{
			Subscription: armsim.DemoSubscription, ResourceGroup: group, Name: "clitest-bkp-vault-ecy-donotdelete", Location: location,
			Policies: []armsim.BackupPolicy{{Name: "pgflexpolicy", DatasourceTypes: []string{"Microsoft.DBforPostgreSQL/flexibleServers"}}},
		}},
		FlexibleServers: []armsim.FlexibleServer{{
			Subscription: armsim.DemoSubscription, ResourceGroup: group, Name: "clitest-pgflex-server-2", Location: location,
		}},
		StorageAccounts: []armsim.StorageAccount{{
			Subscription: armsim.DemoSubscription, ResourceGroup: group, Name: "clitestecysa", Location: location,
			BlobContainers: []armsim.BlobContainer{{Name: "clitestpgflexblob"}},
		}},
	}
}

// TestRecording_FlexibleServerIsAnsweredAsByAzure sends all requests of the
// Azure CLI to Microsoft.DataProtection, at the recorded times and with its
// signed poll URLs replaced by ours. It compares the status, headers and bodies
// of the answers, except for IDs, times and durations.
func TestRecording_FlexibleServerIsAnsweredAsByAzure(t *testing.T) {
	t.Parallel()
	interactions := recording(t, "azure-cli-dataprotection_pgflex.yaml")
	b := start(t, recordedBackupVault)
	first := interactions[0].date(t)
	began := b.clock.Now()
	given := map[string]string{} // recorded poll URL: ours
	ids := map[string]string{}   // recorded job or recovery point: ours

	for n, i := range interactions {
		if at := began.Add(i.date(t).Sub(first)); at.After(b.clock.Now()) {
			b.clock.Advance(at.Sub(b.clock.Now()))
		}
		target, polled := given[i.Request.URI]
		if !polled {
			u, err := url.Parse(i.Request.URI)
			require.NoError(t, err)
			target = u.RequestURI()
		}
		body := ""
		if i.Request.Body != nil {
			body = *i.Request.Body
		}
		for from, to := range ids {
			target, body = strings.ReplaceAll(target, from, to), strings.ReplaceAll(body, from, to)
		}
		got := b.send(i.Request.Method, target, body)
		where := fmt.Sprintf("interaction %d, %s", n, i.Request.Method)
		require.Equal(t, i.Response.Status.Code, got.status, "%s: %s", where, got.text)
		require.Equal(t, plainInstance(i.Response.Body.String), plainInstance(got.text), where)
		for _, name := range []string{"Azure-AsyncOperation", "Location"} {
			want := i.Response.Headers[strings.ToLower(name)]
			if want == nil {
				require.Empty(t, got.header.Get(name), where)
				continue
			}
			given[want[0]] = got.header.Get(name)
			// One recorded certificate is 40 characters shorter.
			require.Equal(t, strings.Replace(plainInstance(plainURL(t, want[0])), "c=2575", "c=2615", 1),
				plainInstance(plainURL(t, got.header.Get(name))), where)
		}
		for name := range i.Response.Headers {
			if strings.HasPrefix(name, "x-ms-ratelimit-") {
				require.NotEmpty(t, got.header.Get(name), "%s: %s", where, name)
			}
		}
		learn(ids, i.Response.Body.String, got.text, `/backupJobs/([0-9a-f-]{36})`)
		learn(ids, i.Response.Body.String, got.text, `"recoveryPointId":"([0-9a-f]{32})"`)
	}
	require.Len(t, b.sim.Backups(), 1)
	require.Len(t, b.sim.Restores(), 1)
	require.Equal(t, http.MethodDelete, interactions[len(interactions)-1].Request.Method)
}

// learn maps our IDs to those of the recording.
func learn(ids map[string]string, recorded, ours, pattern string) {
	find := regexp.MustCompile(pattern)
	theirs, mine := find.FindStringSubmatch(recorded), find.FindStringSubmatch(ours)
	if theirs != nil && mine != nil {
		ids[theirs[1]] = mine[1]
	}
}

// plainInstance returns the text without the names of operations and recovery
// points, and without the parts that plain removes.
func plainInstance(text string) string {
	text = strings.ReplaceAll(text, "%3A", ":")
	// The recorder did not replace this one.
	text = strings.ReplaceAll(text, "38304e13-357e-405e-9e9a-220351dcce8c", armsim.DemoSubscription)
	text = regexp.MustCompile(`[A-Za-z0-9]{96,}==`).ReplaceAllString(text, "OPERATION")
	text = regexp.MustCompile(`[0-9a-f]{32}\b`).ReplaceAllString(text, "POINT")
	return plain(text)
}
