package armsim_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/local/armsim"
)

func TestPollURL_IsAsLongAsAzures(t *testing.T) {
	t.Parallel()
	b := start(t)
	r := b.started(http.MethodPost, fabric+"/refreshContainers", "")
	u, err := url.Parse(r.header.Get("Azure-AsyncOperation"))
	require.NoError(t, err)
	require.Equal(t, "2019-05-13-preview", u.Query().Get("api-version"))
	for name, length := range map[string]int{"t": 18, "c": 2615, "s": 342, "h": 43} {
		require.Len(t, u.Query().Get(name), length, name)
	}
	require.Contains(t, r.header.Get("Location"), "/operationResults/")
	require.Contains(t, r.header.Get("Location"), "?api-version=2025-02-01&t=")
}

func TestPollURL_ModifiedIsRejected(t *testing.T) {
	t.Parallel()
	b := start(t)
	given := b.started(http.MethodPost, fabric+"/refreshContainers", "").header.Get("Azure-AsyncOperation")
	require.Equal(t, http.StatusOK, b.get(given).status)
	signature := given[strings.Index(given, "&s="):strings.Index(given, "&h=")]
	for name, changed := range map[string]string{
		"another api-version":    strings.Replace(given, "2019-05-13-preview", "2025-02-01", 1),
		"no signature":           strings.Replace(given, signature, "", 1),
		"another signature":      strings.Replace(given, signature, signature[:len(signature)-1]+"_", 1),
		"no certificate":         given[:strings.Index(given, "&c=")] + given[strings.Index(given, "&s="):],
		"no hash":                given[:strings.Index(given, "&h=")],
		"only the path":          given[:strings.Index(given, "&t=")],
		"another time":           strings.Replace(given, "&t=", "&t=1", 1),
		"another operation":      strings.Replace(given, "/operationsStatus/", "/operationsStatus/x", 1),
		"one parameter too many": strings.Replace(given, "&t=", "&x=1&t=", 1),
	} {
		r := b.get(changed)
		require.Equal(t, http.StatusForbidden, r.status, name)
		require.Equal(t, "AuthorizationFailed", r.at("error/code"), name)
	}
}

func TestPollURL_UnsignedIsServedUnlessSignaturesAreRequired(t *testing.T) {
	t.Parallel()
	b := start(t, func(c *armsim.Config) { c.RequireSignedPolls = false })
	given := b.started(http.MethodPost, fabric+"/refreshContainers", "").header.Get("Azure-AsyncOperation")
	u, err := url.Parse(given)
	require.NoError(t, err)
	id := u.Path[strings.LastIndex(u.Path, "/")+1:]
	require.Equal(t, "InProgress", b.get(vaultID+"/backupOperations/"+id+"?"+version).at("status"))
	require.Equal(t, "InProgress", b.get(given[:strings.Index(given, "&t=")]).at("status"), "a preview version")
	require.Equal(t, http.StatusBadRequest, b.get(vaultID+"/backupOperations/"+id+"?api-version=2024-13-01").status)
	require.Equal(t, http.StatusForbidden, b.get(strings.Replace(given, "&h=", "&h=x", 1)).status)
	require.Equal(t, http.StatusForbidden, b.get(given[:strings.Index(given, "&c=")]).status, "a part of the signature")
}

func TestApiVersion_PreviewsOfTheLastYearsAreKnown(t *testing.T) {
	t.Parallel()
	b := start(t)
	for _, preview := range []string{"2022-09-01-preview", "2024-11-01-preview", "2025-02-28-preview"} {
		r := b.get(vaultID + "/backupPolicies?api-version=" + preview)
		require.Equal(t, http.StatusOK, r.status, r.text)
		require.Len(t, r.list(), 4)
	}
	for _, preview := range []string{"2022-11-01-preview", "2024-02-01-preview"} {
		r := b.get(backupVaultID + "/backupInstances?api-version=" + preview)
		require.Equal(t, http.StatusOK, r.status, r.text)
		require.Len(t, r.list(), 1)
	}
	unknown := b.get(vaultID + "/backupPolicies?api-version=2022-11-01-preview")
	require.Equal(t, http.StatusBadRequest, unknown.status)
	require.Equal(t, "NoRegisteredProviderFound", unknown.at("error/code"))
}

func TestOperation_RunningHasEndTimeOfYearOne(t *testing.T) {
	t.Parallel()
	b := start(t).inquired()
	r := b.started(http.MethodPut, shareItem, protectBody)
	running := b.get(r.header.Get("Azure-AsyncOperation"))
	require.Equal(t, http.StatusOK, running.status)
	require.Equal(t, "InProgress", running.at("status"))
	require.Equal(t, "0001-01-01T00:00:00", running.at("endTime"))
	require.Nil(t, running.at("properties"))
	require.Empty(t, running.header.Get("Retry-After"), "Azure sends none with a status")
	b.clock.Advance(45 * time.Second)
	ended := b.get(r.header.Get("Azure-AsyncOperation"))
	require.Equal(t, ended.at("startTime"), ended.at("endTime"))
	require.Equal(t, "OperationStatusJobExtendedInfo", ended.at("properties/objectType"))
	require.Regexp(t, `^[0-9a-f-]{36}$`, ended.at("properties/jobId"))
}

func TestOperation_StatusAndResultCanBePolled(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		prepare      func(*bench) *bench
		method, path string
		body         string
		takes        time.Duration
		result       int
		status       string // the path of the status URL
	}{
		"refresh":    {func(b *bench) *bench { return b }, http.MethodPost, fabric + "/refreshContainers", "", 12 * time.Second, 204, fabric + "/operationsStatus/"},
		"register":   {(*bench).refreshed, http.MethodPut, container, registerBody, 37 * time.Second, 200, container + "/operationsStatus/"},
		"inquire":    {(*bench).registered, http.MethodPost, container + "/inquire", "", 20 * time.Second, 204, container + "/operationsStatus/"},
		"unregister": {(*bench).registered, http.MethodDelete, container, "", 24 * time.Second, 204, fabric + "/operationsStatus/"},
		"protect":    {(*bench).inquired, http.MethodPut, shareItem, protectBody, 45 * time.Second, 200, shareItem + "/operationsStatus/"},
		"backup":     {(*bench).protected, http.MethodPost, shareItem + "/backup", backupBody, 5 * time.Second, 204, shareItem + "/operationsStatus/"},
		"unprotect":  {(*bench).protected, http.MethodDelete, shareItem, "", 26 * time.Second, 204, vaultID + "/backupOperations/"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := c.prepare(start(t))
			r := b.started(c.method, c.path, c.body)
			statusURL, resultURL := r.header.Get("Azure-AsyncOperation"), r.header.Get("Location")
			require.True(t, strings.HasPrefix(statusURL, b.sim.Endpoint()+c.status), statusURL)
			require.Equal(t, "InProgress", b.get(statusURL).at("status"))
			running := b.get(resultURL)
			require.Equal(t, http.StatusAccepted, running.status)
			require.Equal(t, "60", running.header.Get("Retry-After"))
			require.Equal(t, http.StatusAccepted, b.get(running.header.Get("Location")).status, "each 202 has a working URL")
			b.clock.Advance(c.takes)
			require.Equal(t, "Succeeded", b.get(statusURL).at("status"))
			require.Equal(t, c.result, b.get(resultURL).status)
			require.Equal(t, c.result, b.get(running.header.Get("Location")).status)
		})
	}
}

func TestPath_ComparesCaseInsensitively(t *testing.T) {
	t.Parallel()
	b := start(t).registered()
	path := strings.Replace(container, "/subscriptions/", "/Subscriptions/", 1)
	for _, p := range []string{path, strings.ToLower(container), strings.ReplaceAll(path, ";", "%3B")} {
		require.Equal(t, http.StatusOK, b.get(p+"?"+version).status, p)
	}
}

func TestClientRequestID_IsReturned(t *testing.T) {
	t.Parallel()
	b := start(t)
	r := b.send(http.MethodGet, vaultID+"?"+version, "", "x-ms-client-request-id", "mine")
	require.Equal(t, "mine", r.header.Get("x-ms-client-request-id"))
	require.NotEmpty(t, r.header.Get("x-ms-request-id"))
	require.NotEmpty(t, r.header.Get("x-ms-correlation-request-id"))
	require.Equal(t, "Tue, 11 Jun 2024 10:32:00 GMT", r.header.Get("Date"))
	require.Equal(t, "149", b.list("backupProtectedItems", "").header.Get("x-ms-ratelimit-remaining-subscription-resource-requests"))
	require.Equal(t, "449", b.list("backupJobs", "").header.Get("x-ms-ratelimit-remaining-subscription-resource-requests"))
}

func TestSpeedFactor_ShortensWorkAndRetryAfter(t *testing.T) {
	t.Parallel()
	b := start(t, func(c *armsim.Config) { c.SpeedFactor = 25 })
	r := b.started(http.MethodPost, fabric+"/refreshContainers", "")
	require.Equal(t, "3", r.header.Get("Retry-After"), "60/25, rounded up")
	b.clock.Advance(470 * time.Millisecond)
	require.Equal(t, http.StatusAccepted, b.get(r.header.Get("Location")).status)
	b.clock.Advance(20 * time.Millisecond)
	require.Equal(t, http.StatusNoContent, b.get(r.header.Get("Location")).status)

	fast := start(t, func(c *armsim.Config) { c.SpeedFactor = 1000 })
	require.Equal(t, "1", fast.started(http.MethodPost, fabric+"/refreshContainers", "").header.Get("Retry-After"))
}

func TestList_IsPaged(t *testing.T) {
	t.Parallel()
	w := armsim.DemoWorld()
	w.AddFileShares(5, 1, "")
	b := start(t, func(c *armsim.Config) { c.World, c.PageSize = &w, 4 }).refreshed()
	first := b.list("backupFabrics/Azure/protectableContainers", "backupManagementType eq 'AzureStorage'")
	require.Len(t, first.list(), 4)
	next, _ := first.at("nextLink").(string)
	require.Contains(t, next, b.sim.Endpoint())
	second := b.get(next)
	require.Len(t, second.list(), 2)
	require.Nil(t, second.at("nextLink"))
}

func TestErrors_MatchAzures(t *testing.T) {
	t.Parallel()
	b := start(t).registered()
	other := strings.Replace(vaultID, "azurefilesvault", "nosuchvault", 1)
	cases := map[string]struct {
		method, target, body string
		status               int
		code                 string
	}{
		"no api-version":            {http.MethodGet, vaultID, "", 400, "MissingApiVersionParameter"},
		"an unknown version":        {http.MethodGet, vaultID + "/backupJobs?api-version=2031-01-01", "", 400, "NoRegisteredProviderFound"},
		"a version without it":      {http.MethodPost, shareItem + "/backup?api-version=2017-07-01", backupBody, 400, "NoRegisteredProviderFound"},
		"unknown vault":             {http.MethodGet, other + "?" + version, "", 404, "ResourceNotFound"},
		"unknown subscription":      {http.MethodGet, strings.Replace(vaultID, "00000000-", "11111111-", 1) + "?" + version, "", 404, "SubscriptionNotFound"},
		"unknown account":           {http.MethodGet, accountID + "x?api-version=2023-05-01", "", 404, "ResourceNotFound"},
		"unknown type":              {http.MethodGet, vaultID + "/backupEngines?" + version, "", 404, "InvalidResourceType"},
		"unknown method":            {http.MethodPut, vaultID + "/backupJobs?" + version, "{}", 405, "HttpMethodNotAllowed"},
		"unknown job":               {http.MethodGet, vaultID + "/backupJobs/x?" + version, "", 404, "BMSUserErrorObjectNotFound"},
		"unknown policy":            {http.MethodGet, vaultID + "/backupPolicies/x?" + version, "", 404, "BMSUserErrorObjectNotFound"},
		"unknown item":              {http.MethodGet, shareItem + "?" + version, "", 404, "BMSUserErrorDataSourceObjectNotFound"},
		"backup of an unknown item": {http.MethodPost, shareItem + "/backup?" + version, backupBody, 404, "BMSUserErrorDataSourceObjectNotFound"},
		"another fabric":            {http.MethodPost, vaultID + "/backupFabrics/Other/refreshContainers?" + version, "", 400, "BMSUserErrorInvalidInput"},
		"unknown filter":            {http.MethodGet, vaultID + "/backupJobs?" + version + "&$filter=name%20eq%20%27x%27", "", 400, "BMSUserErrorInvalidInput"},
		"broken filter":             {http.MethodGet, vaultID + "/backupJobs?" + version + "&$filter=status%20is%20x", "", 400, "BMSUserErrorInvalidInput"},
		"broken filter time":        {http.MethodGet, vaultID + "/backupJobs?" + version + "&$filter=startTime%20eq%20%272024-01-01T00:00:00Z%27", "", 400, "BMSUserErrorInvalidInput"},
		"an invalid body":           {http.MethodPut, container + "?" + version, "{", 400, "InvalidRequestContent"},
		"inquire elsewhere":         {http.MethodPost, container + "x/inquire?" + version, "", 400, "BMSUserErrorInvalidInput"},
		"protect elsewhere":         {http.MethodPut, container + "x/protectedItems/azurefileshare;testshare?" + version, protectBody, 400, "BMSUserErrorInvalidInput"},
	}
	for name, c := range cases {
		r := b.send(c.method, c.target, c.body)
		require.Equal(t, c.status, r.status, "%s: %s", name, r.text)
		require.Equal(t, c.code, r.at("error/code"), name)
		require.NotEmpty(t, r.at("error/message"), name)
	}
	require.Equal(t, http.StatusUnsupportedMediaType,
		b.send(http.MethodPut, container+"?"+version, registerBody, "Content-Type", "text/plain").status)
}

func TestBody_InvalidFieldIsNamed(t *testing.T) {
	t.Parallel()
	b := start(t).protected()
	for field, c := range map[string]struct{ method, path, body string }{
		"properties": {http.MethodPost, shareItem + "/backup", `{"objectType":"AzureFileShareBackupRequest"}`},
		"properties.objectType": {http.MethodPost, shareItem + "/backup",
			`{"properties":{"objectType":"AzurefilesharebackupReques"}}`},
		"properties.recoveryPointExpiryTimeInUTC": {http.MethodPost, shareItem + "/backup",
			`{"properties":{"objectType":"AzureFileShareBackupRequest","recoveryPointExpiryTimeInUTC":"2020-03-07T18:29:59.000Z"}}`},
		"properties.protectedItemType": {http.MethodPut, shareItem,
			strings.Replace(protectBody, "AzureFileShareProtectedItem", "AzureFileShare", 1)},
		"properties.sourceResourceId": {http.MethodPut, shareItem, strings.Replace(protectBody, accountID, accountID+"x", 1)},
		"properties.policyId":         {http.MethodPut, shareItem, strings.Replace(protectBody, "schedule1", "DefaultPolicy", 1)},
		"properties.containerType": {http.MethodPut, container,
			strings.Replace(registerBody, `"StorageContainer"`, `"storage"`, 1)},
		"properties.backupManagementType": {http.MethodPut, container, strings.Replace(registerBody, "AzureStorage", "AzureIaasVM", 1)},
	} {
		r := b.send(c.method, c.path+"?"+version, c.body)
		require.Equal(t, http.StatusBadRequest, r.status, field)
		require.Equal(t, "BMSUserErrorInvalidInput", r.at("error/code"), field)
		require.Equal(t, field, r.at("error/target"))
		require.Contains(t, r.at("error/message"), field)
	}
}
