package dataprotection

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/arm"
	"azbackupflow/internal/arm/armtest"
	"azbackupflow/internal/arm/backupjob"
	"azbackupflow/internal/arm/dataprotection/kinds"
	"azbackupflow/internal/arm/lro"
	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/operation"
)

const recording = "azure-cli-dataprotection_pgflex.yaml"

// The resources of the recording.
const (
	recordedGroup  = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/clitest-dpp-ecy-rg/providers/"
	recordedVault  = recordedGroup + "Microsoft.DataProtection/backupVaults/clitest-bkp-vault-ecy-donotdelete"
	recordedServer = recordedGroup + "Microsoft.DBforPostgreSQL/flexibleServers/clitest-pgflex-server-2"
)

func recordedInstance(t *testing.T) InstanceID {
	t.Helper()
	id, err := ParseInstanceID(recordedVault + "/backupInstances/clitest-pgflex-server-faec6818-0720-11ec-bd1b-c8f750f92764")
	require.NoError(t, err)
	return id
}

func recordedRequest(t *testing.T) InstanceRequest {
	t.Helper()
	ds, set, err := datasourceOf(recordedServer, "eastus2euap")
	require.NoError(t, err)
	return InstanceRequest{
		FriendlyName: "clitest-pgflex-server-2", Datasource: ds, DatasourceSet: set, PolicyID: recordedVault + "/backupPolicies/pgflexpolicy",
	}
}

// recorded returns the interactions of a method whose path has this suffix.
func recorded(t *testing.T, all []armtest.Interaction, method, end string) []armtest.Interaction {
	t.Helper()
	var found []armtest.Interaction
	for _, x := range all {
		u, err := url.Parse(x.Request.URI)
		require.NoError(t, err)
		if x.Request.Method == method && strings.HasSuffix(u.Path, end) {
			found = append(found, x)
		}
	}
	require.NotEmpty(t, found)
	return found
}

func TestRequests_MatchTheRecording(t *testing.T) {
	t.Parallel()
	id, traffic := recordedInstance(t), armtest.Recording(t, recording)
	restore := RestoreRequest{
		RecoveryPointID: "72f990c41eb8498bbf13b915b1521f77", SourceDataStoreType: StoreVault, RestoreLocation: "eastus2euap",
		Files: &FilesTarget{URL: "https://clitestecysa.blob.core.windows.net/clitestpgflexblob", FilePrefix: "targetpgflex"},
	}
	for _, x := range []struct {
		method, end string
		make        func(*Client) error
	}{
		{"POST", "/validateForBackup", func(c *Client) error { return start(c.ValidateForBackup(t.Context(), id.Vault, recordedRequest(t))) }},
		{"PUT", id.Name, func(c *Client) error { return start(c.PutInstance(t.Context(), id, recordedRequest(t))) }},
		{"POST", "/backup", func(c *Client) error {
			return start(c.Backup(t.Context(), id, BackupRuleOptions{RuleName: "BackupWeekly"}, ""))
		}},
		{"POST", "/validateRestore", func(c *Client) error { return start(c.ValidateRestore(t.Context(), id, restore)) }},
		{"POST", "/restore", func(c *Client) error { return start(c.Restore(t.Context(), id, restore, "")) }},
		{"DELETE", id.Name, func(c *Client) error { return start(c.DeleteInstance(t.Context(), id)) }},
		{"GET", id.Name, func(c *Client) error { return read(c.GetInstance(t.Context(), id)) }},
		{"GET", "/backupInstances", func(c *Client) error { return read(c.ListInstances(t.Context(), id.Vault)) }},
		{"GET", "/53f3012a-aa0c-4317-a9c6-eda498ddee55", func(c *Client) error {
			return read(c.GetJob(t.Context(), id.Vault, "53f3012a-aa0c-4317-a9c6-eda498ddee55"))
		}},
	} {
		server, sent := armtest.Serve(t, armtest.AnyAnswer)
		require.NoError(t, x.make(New(armtest.Client(t, server))))
		all := recorded(t, traffic, x.method, x.end)
		// The second of the two recorded validations spells resourceID, as this
		// client does.
		want := all[len(all)-1].Request
		got := sent()[0]
		require.Equal(t, want.Method, got.Method)
		require.Equal(t, want.URI, got.URL)
		if want.Body == "" {
			require.Empty(t, got.Body)
			continue
		}
		require.JSONEq(t, want.Body, string(got.Body))
	}
}

func TestRequests_OmitTheEmptyFilterOfTheRecording(t *testing.T) {
	t.Parallel()
	server, sent := armtest.Serve(t, armtest.AnyAnswer)
	_, err := New(armtest.Client(t, server)).ListRecoveryPoints(t.Context(), recordedInstance(t), RecoveryPointFilter{})
	require.NoError(t, err)
	require.Equal(t, strings.Replace(recorded(t, armtest.Recording(t, recording), "GET", "/recoveryPoints")[0].Request.URI, "$filter=&", "", 1), sent()[0].URL)
}

func TestRecording_InstanceUntilItIsProtected(t *testing.T) {
	t.Parallel()
	id, traffic := recordedInstance(t), armtest.Recording(t, recording)
	var states []string
	for _, x := range recorded(t, traffic, "GET", id.Name) {
		i, err := reader(t, x.Response.Body.String).GetInstance(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, Instance{
			ID: id.String(), Name: id.Name, FriendlyName: "clitest-pgflex-server-2", DatasourceID: recordedServer,
			DatasourceType: kinds.DatasourceFlexibleServer, DatasourceLocation: "eastus2euap", PolicyID: recordedVault + "/backupPolicies/pgflexpolicy",
			CurrentProtectionState: i.CurrentProtectionState, ProtectionStatus: i.CurrentProtectionState, ProvisioningState: "Succeeded",
		}, i)
		require.NoError(t, nilOr(i.Failure()))
		states = append(states, i.CurrentProtectionState)
	}
	require.Equal(t, []string{
		StateConfiguringProtection, StateConfiguringProtection, StateConfiguringProtection, StateProtectionConfigured,
	}, states, "the resource has Succeeded from the start")
	listed, err := reader(t, recorded(t, traffic, "GET", "/backupInstances")[0].Response.Body.String).ListInstances(t.Context(), id.Vault)
	require.NoError(t, err)
	require.Len(t, listed, 1)
	require.True(t, resourceid.Equal(id.String(), listed[0].ID))
}

// nilOr converts a nil *operation.Error to a nil error.
func nilOr(e *operation.Error) error {
	if e == nil {
		return nil
	}
	return e
}

func TestRecording_JobsUntilTheyEnd(t *testing.T) {
	t.Parallel()
	vault, traffic := recordedInstance(t).Vault, armtest.Recording(t, recording)
	backups := recorded(t, traffic, "GET", "/53f3012a-aa0c-4317-a9c6-eda498ddee55")
	for i, x := range backups {
		j, err := reader(t, x.Response.Body.String).GetJob(t.Context(), vault, "53f3012a-aa0c-4317-a9c6-eda498ddee55")
		require.NoError(t, err)
		last := i == len(backups)-1
		require.Equal(t, last, j.State() == backupjob.Completed)
		require.Equal(t, !last, j.EndTime.IsZero())
		require.Empty(t, j.SupportedActions)
		require.Nil(t, j.Failure())
		require.Equal(t, "1f7bd810-3391-11ef-82b6-60a5e243551b", j.ActivityID)
		require.True(t, j.IsUserTriggered)
		if last {
			require.Equal(t, "72f990c41eb8498bbf13b915b1521f77", j.TargetRecoveryPointID)
			require.Equal(t, 15*time.Minute+40886203*time.Microsecond, j.Duration)
			require.Equal(t, StoreVault, j.DestinationDataStore)
		}
	}
	restores := recorded(t, traffic, "GET", "/cab20de7-2f2a-420b-9f0d-236a5d2da889")
	j, err := reader(t, restores[len(restores)-1].Response.Body.String).GetJob(t.Context(), vault, "cab20de7-2f2a-420b-9f0d-236a5d2da889")
	require.NoError(t, err)
	require.Equal(t, Job{
		ID: recordedVault + "/backupJobs/cab20de7-2f2a-420b-9f0d-236a5d2da889", Name: "cab20de7-2f2a-420b-9f0d-236a5d2da889",
		Operation: "Restore", OperationCategory: CategoryRestore, Status: "Completed",
		StartTime: time.Date(2024, 6, 26, 8, 10, 0, 33251100, time.UTC), EndTime: time.Date(2024, 6, 26, 8, 12, 3, 597087800, time.UTC),
		Duration:     2*time.Minute + 3563836700*time.Nanosecond,
		DatasourceID: recordedServer, DatasourceName: "clitest-pgflex-server-2", DatasourceType: kinds.DatasourceFlexibleServer,
		BackupInstanceID: recordedInstance(t).String(), BackupInstanceFriendlyName: "clitest-pgflex-server-2",
		PolicyID:   recordedVault + "/backupPolicies/pgflexpolicy",
		ActivityID: "7b9cb42b-3393-11ef-a81c-60a5e243551b", IsUserTriggered: true,
		SourceRecoveryPointID: "72f990c41eb8498bbf13b915b1521f77",
		RecoveryDestination:   "https://clitestecysa.blob.core.windows.net/clitestpgflexblob", RestoreFilePrefix: "targetpgflex",
		SourceDataStore: StoreVault,
		SubTasks: []SubTask{{ID: "1", Name: "Trigger Restore", Status: "Completed", AdditionalDetails: map[string]string{
			"DataTransferredInBytes": "71152", "TaskId": "7b9cb42b-3393-11ef-a81c-60a5e243551b", "DatasourceType": kinds.DatasourceFlexibleServer,
		}}},
		AdditionalDetails: map[string]string{"Restore File Prefix": "targetpgflex"},
	}, j)
}

func TestRecording_RecoveryPoint(t *testing.T) {
	t.Parallel()
	points, err := reader(t, recorded(t, armtest.Recording(t, recording), "GET", "/recoveryPoints")[0].Response.Body.String).
		ListRecoveryPoints(t.Context(), recordedInstance(t), RecoveryPointFilter{})
	require.NoError(t, err)
	require.Equal(t, []RecoveryPoint{{
		ID:              recordedInstance(t).String() + "/recoveryPoints/72f990c41eb8498bbf13b915b1521f77",
		RecoveryPointID: "72f990c41eb8498bbf13b915b1521f77", FriendlyName: "72f990c41eb8498bbf13b915b1521f77",
		Time: time.Date(2024, 6, 26, 8, 8, 2, 918866300, time.UTC), Type: "Full", State: "Completed",
		RetentionTagName: "default", PolicyName: "pgflexpolicy",
		DataStores: []DataStore{{
			ID: "0f23ffa3-3a4f-45f5-965d-606f3eacc7f8", Type: StoreVault, State: "COMMITTED",
			CreationTime: time.Date(2024, 6, 26, 8, 8, 2, 981305800, time.UTC),
		}},
	}}, points)
}

// replay returns the recorded answers of each path in their order, and then
// repeats the last one.
func replay(t *testing.T, all []armtest.Interaction) (*Client, *arm.Client, func() []armtest.Request) {
	t.Helper()
	answers := map[string][]armtest.Interaction{}
	for _, x := range all {
		u, err := url.Parse(x.Request.URI)
		require.NoError(t, err)
		key := x.Request.Method + " " + u.Path
		answers[key] = append(answers[key], x)
	}
	turns := make(chan map[string][]armtest.Interaction, 1)
	turns <- answers
	server, sent := armtest.Serve(t, func(w http.ResponseWriter, r *http.Request) {
		left := <-turns
		defer func() { turns <- left }()
		key := r.Method + " " + r.URL.Path
		queue := left[key]
		if len(queue) == 0 {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		if len(queue) > 1 {
			left[key] = queue[1:]
		}
		for _, name := range []string{"Azure-AsyncOperation", "Location", "Retry-After", "Date"} {
			if v := queue[0].Response.Headers.Get(name); v != "" {
				w.Header().Set(name, strings.Replace(v, armtest.PublicARM, "http://"+r.Host, 1))
			}
		}
		w.WriteHeader(queue[0].Response.Status.Code)
		_, _ = w.Write([]byte(queue[0].Response.Body.String))
	})
	c := armtest.Client(t, server)
	return New(c), c, sent
}

func TestRecording_OperationsUntilTheyEnd(t *testing.T) {
	t.Parallel()
	id := recordedInstance(t)
	all := armtest.Recording(t, recording)
	for _, x := range []struct {
		name     string
		from     int
		location bool
		looks    int
		job      string
		start    func(*Client) (lro.Submission, error)
	}{
		{name: "validate", from: 6, location: true, looks: 3, start: func(c *Client) (lro.Submission, error) {
			return c.ValidateForBackup(t.Context(), id.Vault, recordedRequest(t))
		}},
		{name: "put", from: 11, looks: 2, start: func(c *Client) (lro.Submission, error) {
			return c.PutInstance(t.Context(), id, recordedRequest(t))
		}},
		{name: "backup", from: 19, location: true, looks: 1, job: "53f3012a-aa0c-4317-a9c6-eda498ddee55", start: func(c *Client) (lro.Submission, error) {
			return c.Backup(t.Context(), id, BackupRuleOptions{RuleName: "BackupWeekly"}, "a")
		}},
		{name: "validate restore", from: 106, location: true, looks: 3, start: func(c *Client) (lro.Submission, error) {
			return c.ValidateRestore(t.Context(), id, asFiles())
		}},
		{name: "restore", from: 111, location: true, looks: 2, job: "cab20de7-2f2a-420b-9f0d-236a5d2da889", start: func(c *Client) (lro.Submission, error) {
			return c.Restore(t.Context(), id, asFiles(), "a")
		}},
	} {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			c, azure, sent := replay(t, all[x.from:])
			s, err := x.start(c)
			require.NoError(t, err)
			require.False(t, s.Done)
			require.Contains(t, strings.ToLower(s.Tracking.StatusURL), strings.ToLower(recordedVault+"/operationStatus/"))
			require.Equal(t, x.location, strings.Contains(s.Tracking.ResultURL, "/locations/eastus2euap/operationResults/"))
			require.False(t, s.Tracking.SubmittedAt.IsZero())

			byStatus := follow(t, azure, s.Tracking)
			require.Equal(t, lro.Succeeded, byStatus.State)
			require.Len(t, sent(), 1+x.looks)
			require.Equal(t, armtest.PublicARM+strings.TrimPrefix(s.Tracking.StatusURL, home(s)), sent()[1].URL, "sent unchanged")
			require.Equal(t, x.job, resourceid.LastName(byStatus.JobID))

			// Without its status URL, the operation is tracked by its Location,
			// which names the same job. A PUT has no Location.
			byLocation := follow(t, azure, operation.Tracking{ResultURL: s.Tracking.ResultURL})
			require.Equal(t, byStatus.JobID, byLocation.JobID)
			want := lro.Succeeded
			if !x.location {
				want = lro.Gone
			}
			require.Equal(t, want, byLocation.State)
			if x.job == "" {
				return
			}
			require.Equal(t, x.job, byStatus.JobID)
			j, err := c.GetJob(t.Context(), id.Vault, byStatus.JobID)
			require.NoError(t, err)
			require.True(t, resourceid.Equal(j.ID, recordedVault+"/backupJobs/"+x.job))
		})
	}
}

func home(s lro.Submission) string {
	u, _, _ := strings.Cut(s.Tracking.StatusURL, "/subscriptions/")
	return u
}

// follow tracks an operation until it has ended. No answer has a Retry-After.
func follow(t *testing.T, c *arm.Client, tracking operation.Tracking) lro.Progress {
	t.Helper()
	for range 10 {
		p, err := lro.Track(t.Context(), c, tracking)
		require.NoError(t, err)
		require.Zero(t, p.RetryAfter)
		if p.State != lro.Running {
			return p
		}
	}
	require.FailNow(t, "the operation does not end")
	return lro.Progress{}
}

func TestRecording_DeletionOfAMissingInstanceIsDone(t *testing.T) {
	t.Parallel()
	id := recordedInstance(t)
	all := armtest.Recording(t, recording)
	absent, _, _ := replay(t, all[:1])
	s, err := absent.DeleteInstance(t.Context(), id)
	require.NoError(t, err)
	require.True(t, s.Done)
	present, _, _ := replay(t, all[len(all)-1:])
	s, err = present.DeleteInstance(t.Context(), id)
	require.NoError(t, err)
	require.False(t, s.Done)
	require.NotEmpty(t, s.Tracking.StatusURL)
	require.NotEmpty(t, s.Tracking.ResultURL)
}
