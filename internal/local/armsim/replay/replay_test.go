package replay_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"azbackupflow/internal/local/armsim/replay"
)

const (
	firstProtect, lastBackup = 13, 53
	vaultID                  = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/clitest.rg000001/providers/Microsoft.RecoveryServices/vaults/clitest-vault000002"
	accountID                = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/clitest.rg000001/providers/Microsoft.Storage/storageAccounts/clitest000003"
	fabric                   = vaultID + "/backupFabrics/Azure"
	storageContainer         = fabric + "/protectionContainers/StorageContainer;Storage;clitest.rg000001;clitest000003"
	shareItem                = fabric + "/protectionContainers/storagecontainer;storage;clitest.rg000001;clitest000003/protectedItems/azurefileshare;38f566f467e4abbc1009b2c64e6e743e52c143c8caa3add468f8be09eaf089d1"
	version                  = "?api-version=2025-02-01"
	storageFilter            = "&$filter=backupManagementType%20eq%20%27AzureStorage%27"

	registerBody = `{"properties":{"containerType":"StorageContainer","backupManagementType":"AzureStorage","friendlyName":"clitest000003","sourceResourceId":"` + accountID + `"}}`
	protectBody  = `{"properties":{"protectedItemType":"AzureFileShareProtectedItem","sourceResourceId":"` + accountID + `","policyId":"` + vaultID + `/backupPolicies/clitest-item000005"}}`
	backupBody   = `{"properties":{"objectType":"AzureFileShareBackupRequest"}}`
)

// recordingFile returns the path of the Azure CLI's recording of file shares,
// which is not part of the product.
func recordingFile(t *testing.T) string {
	t.Helper()
	return fileOf(t, "azure-cli_afs_backup_scenario.yaml")
}

func fileOf(t *testing.T, name string) string {
	t.Helper()
	dir := os.Getenv("AZBACKUPFLOW_SHARED")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "..", "..", "shared")
	}
	file := filepath.Join(dir, "recordings", name)
	if _, err := os.Stat(file); err != nil {
		t.Skip("the recording is missing; set AZBACKUPFLOW_SHARED: " + err.Error())
	}
	return file
}

func start(t *testing.T, change ...func(*replay.Config)) *replay.Server {
	t.Helper()
	c := replay.Config{File: recordingFile(t), From: firstProtect, To: lastBackup}
	for _, f := range change {
		f(&c)
	}
	s, err := replay.New(c)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// reply is an answer with its body.
type reply struct {
	status int
	header http.Header
	text   string
}

func (r reply) decode(t *testing.T, into any) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(r.text), into), r.text)
}

func send(t *testing.T, s *replay.Server, method, target, body string) reply {
	t.Helper()
	if strings.HasPrefix(target, "/") {
		target = s.Endpoint() + target
	}
	req, err := http.NewRequestWithContext(context.Background(), method, target, strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer token")
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { require.NoError(t, resp.Body.Close()) }()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return reply{status: resp.StatusCode, header: resp.Header, text: string(text)}
}

// untilEnded polls until a status is not InProgress, or a result not 202.
func untilEnded(t *testing.T, s *replay.Server, target string) (last reply, looks int) {
	t.Helper()
	require.NotEmpty(t, target)
	for looks = 1; looks < 50; looks++ {
		last = send(t, s, http.MethodGet, target, "")
		if last.status != http.StatusAccepted && !strings.Contains(last.text, `"InProgress"`) {
			return last, looks
		}
	}
	require.Fail(t, "the operation does not end: "+target)
	return last, looks
}

func TestReplay_RecordedRequestsGetTheRecordedAnswers(t *testing.T) {
	t.Parallel()
	s := start(t)
	requireRecordedAnswers(t, s, recordingFile(t), firstProtect, lastBackup)
	require.Len(t, s.Writes(), 5)
}

// requireRecordedAnswers sends the recorded requests in their order.
func requireRecordedAnswers(t *testing.T, s *replay.Server, file string, from, to int) {
	t.Helper()
	var d struct {
		Interactions []struct {
			Request struct {
				Method, URI string
				Body        *string
			}
			Response struct {
				Body   struct{ String string }
				Status struct{ Code int }
			}
		}
	}
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(text, &d))

	for n, i := range d.Interactions[from : to+1] {
		u, err := url.Parse(i.Request.URI)
		require.NoError(t, err)
		body := ""
		if i.Request.Body != nil {
			body = *i.Request.Body
		}
		got := send(t, s, i.Request.Method, u.RequestURI(), body)
		require.Equal(t, i.Response.Status.Code, got.status, "interaction %d: %s", from+n, got.text)
		want := strings.ReplaceAll(i.Response.Body.String, "https://management.azure.com", s.Endpoint())
		require.Equal(t, want, got.text, "interaction %d", from+n)
	}
	require.Empty(t, s.Mismatches())
	require.True(t, s.Done())
}

func TestReplay_ClientThatFollowsTheHeadersCompletes(t *testing.T) {
	t.Parallel()
	s := start(t, func(c *replay.Config) { c.RetryAfter = 1 })

	var items struct{ Value []struct{ ID, Name string } }
	send(t, s, http.MethodGet, vaultID+"/backupProtectedItems"+version+storageFilter, "").decode(t, &items)
	require.Empty(t, items.Value, "nothing is protected before the PUT")

	refresh := send(t, s, http.MethodPost, fabric+"/refreshContainers"+version+storageFilter, "")
	require.Equal(t, http.StatusAccepted, refresh.status)
	require.Equal(t, "1", refresh.header.Get("Retry-After"))
	last, looks := untilEnded(t, s, refresh.header.Get("Azure-Asyncoperation"))
	require.Contains(t, last.text, `"Succeeded"`)
	require.Equal(t, 3, looks)

	register := send(t, s, http.MethodPut, storageContainer+version, registerBody)
	last, _ = untilEnded(t, s, register.header.Get("Location"))
	require.Contains(t, last.text, `"registrationStatus":"Registered"`)
	require.Equal(t, last.text, send(t, s, http.MethodGet, storageContainer+version, "").text)

	inquire := send(t, s, http.MethodPost, storageContainer+"/inquire"+version, "")
	last, _ = untilEnded(t, s, inquire.header.Get("Location"))
	require.Equal(t, http.StatusNoContent, last.status)
	send(t, s, http.MethodGet, vaultID+"/backupProtectableItems"+version+storageFilter, "").decode(t, &items)
	require.Len(t, items.Value, 1)

	protect := send(t, s, http.MethodPut, shareItem+version, protectBody)
	last, _ = untilEnded(t, s, protect.header.Get("Azure-Asyncoperation"))
	require.Contains(t, last.text, "f1c36767-9d16-40f5-bd38-7e1251430957")
	job, _ := untilEnded(t, s, vaultID+"/backupJobs/f1c36767-9d16-40f5-bd38-7e1251430957"+version)
	require.Contains(t, job.text, `"Completed"`)
	require.Equal(t, http.StatusOK, send(t, s, http.MethodGet, shareItem+version, "").status)

	require.False(t, s.Done())
	backup := send(t, s, http.MethodPost, shareItem+"/backup"+version, backupBody)
	untilEnded(t, s, backup.header.Get("Azure-Asyncoperation"))
	listed, _ := untilEnded(t, s, vaultID+"/backupJobs"+version+storageFilter)
	require.Contains(t, listed.text, "eeda2c9e-9bc2-4c51-a021-6cb73a172460")

	require.Empty(t, s.Mismatches())
	require.True(t, s.Done())
	for _, w := range s.Writes() {
		require.True(t, w.Matched)
	}
}

func TestReplay_ShortenedReturnsARunningStateOnce(t *testing.T) {
	t.Parallel()
	s := start(t, func(c *replay.Config) { c.Shorten = true })
	send(t, s, http.MethodPost, fabric+"/refreshContainers"+version, "")
	register := send(t, s, http.MethodPut, storageContainer+version, registerBody)
	_, looks := untilEnded(t, s, register.header.Get("Location"))
	require.Equal(t, 2, looks)
}

func TestReplay_RejectsAndRecordsAWriteOutOfOrder(t *testing.T) {
	t.Parallel()
	s := start(t)
	got := send(t, s, http.MethodPut, storageContainer+version, registerBody)
	require.Equal(t, http.StatusConflict, got.status)
	require.Len(t, s.Mismatches(), 1)
	require.Contains(t, s.Mismatches()[0].Why, "refreshContainers")
	require.False(t, s.Writes()[0].Matched)
	require.Equal(t, http.StatusAccepted, send(t, s, http.MethodPost, fabric+"/refreshContainers"+version, "").status,
		"the recorded write is still the next one")
}

func TestReplay_NamesTheFieldThatDiffers(t *testing.T) {
	t.Parallel()
	s := start(t)
	send(t, s, http.MethodPost, fabric+"/refreshContainers"+version, "")
	got := send(t, s, http.MethodPut, storageContainer+version, strings.Replace(registerBody, "clitest000003\"}}", "another\"}}", 1))
	require.Equal(t, http.StatusConflict, got.status)
	require.Contains(t, s.Mismatches()[0].Why, "properties.sourceResourceId")
}

func TestReplay_ComparesBodiesWithoutCaseAndIgnoredFields(t *testing.T) {
	t.Parallel()
	s := start(t)
	send(t, s, http.MethodPost, fabric+"/refreshContainers"+version, "")
	body := strings.Replace(registerBody, "/resourceGroups/", "/resourcegroups/", 1)
	require.Equal(t, http.StatusAccepted, send(t, s, http.MethodPut, strings.ToLower(storageContainer)+version, body).status)
}

func TestReplay_RecordsAReadWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	s := start(t)
	got := send(t, s, http.MethodGet, vaultID+"/backupEngines"+version, "")
	require.Equal(t, http.StatusNotFound, got.status)
	require.Len(t, s.Mismatches(), 1)
}

func TestReplay_ReadsResourcesFromBeforeTheRange(t *testing.T) {
	t.Parallel()
	s := start(t)
	require.Equal(t, http.StatusOK, send(t, s, http.MethodGet, vaultID+version, "").status)
	require.Equal(t, http.StatusOK, send(t, s, http.MethodGet, accountID+"?api-version=2023-05-01", "").status)
	policy := send(t, s, http.MethodGet, vaultID+"/backupPolicies/clitest-item000005"+version, "")
	require.Contains(t, policy.text, "AzureFileShare")
	require.Empty(t, s.Mismatches())
}

func TestReplay_ChecksTheToken(t *testing.T) {
	t.Parallel()
	s := start(t, func(c *replay.Config) { c.CheckToken = func(token string) bool { return token == "the other" } })
	require.Equal(t, http.StatusUnauthorized, send(t, s, http.MethodGet, vaultID+version, "").status)
}

func TestReplay_RejectsARangeOutsideTheFile(t *testing.T) {
	t.Parallel()
	_, err := replay.New(replay.Config{File: recordingFile(t), From: 50, To: 500})
	require.ErrorContains(t, err, "interactions 0 to 87")
	_, err = replay.New(replay.Config{File: "does-not-exist.yaml"})
	require.ErrorContains(t, err, "does-not-exist.yaml")
}

func TestReplay_ListensOnLoopbackOnly(t *testing.T) {
	t.Parallel()
	_, err := replay.New(replay.Config{File: recordingFile(t), Address: "0.0.0.0:0"})
	require.ErrorContains(t, err, "loopback")
}
