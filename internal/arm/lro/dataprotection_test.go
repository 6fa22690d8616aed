package lro_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/arm"
	"azbackupflow/internal/arm/lro"
	"azbackupflow/internal/operation"
)

// These tests cover the differences between Data Protection and Recovery
// Services. The answers are recorded or from Learn's pages.

const (
	inProgress = `{"id":"/subscriptions/s/x","name":"x","status":"Inprogress","startTime":"2024-06-26T07:49:42.515338Z","endTime":"0001-01-01T00:00:00"}`
	withJob    = `{"status":"Succeeded","endTime":"2024-06-26T07:53:07Z","properties":{"jobId":"/subscriptions/s/resourcegroups/g/providers/Microsoft.DataProtection/BackupVaults/v/backupJobs/j","objectType":"OperationJobExtendedInfo"}}`
	fullJobID  = "/subscriptions/s/resourcegroups/g/providers/Microsoft.DataProtection/BackupVaults/v/backupJobs/j"
)

// userFacing returns an error as Data Protection sends it: the recommended
// action is in additionalInfo only, the explanation deeper still.
func userFacing(code, message, action, detail string) string {
	return `{"additionalInfo":[{"type":"UserFacingError","info":{"message":"` + message + `","recommendedAction":["` + action + `"],
		"details":null,"code":"` + code + `","target":"","innerError":{"code":"InnerErrorCodeUnavailable","additionalInfo":
		{"DetailedNonLocalisedMessage":"` + detail + `"}},"isRetryable":false,"isUserError":false,"properties":{"ActivityId":"a"}}}],
		"code":"` + code + `","message":"` + message + `","target":null,"details":null}`
}

func TestStart_PutWithAStatusURLOnlyIsNotDone(t *testing.T) {
	t.Parallel()
	a := newAzure(t, answers(201, `{"properties":{"provisioningState":"Provisioning","currentProtectionState":"ConfiguringProtection"}}`,
		"Azure-AsyncOperation", "https://management.azure.com/subscriptions/s/x?t=1&c=2&s=3&h=4"))
	s, err := lro.Start(t.Context(), a.client, arm.Request{Method: http.MethodPut, Path: "/subscriptions/s"})
	require.NoError(t, err)
	require.False(t, s.Done)
	require.Empty(t, s.Tracking.ResultURL)
	require.Equal(t, "https://management.azure.com/subscriptions/s/x?t=1&c=2&s=3&h=4", s.Tracking.StatusURL)
}

func TestTrack_InprogressRunsWithoutRetryAfter(t *testing.T) {
	t.Parallel()
	azure, tracking := operations(t, answers(200, inProgress), nil)
	tracking.ResultURL = ""
	p, err := lro.Track(t.Context(), azure.client, tracking)
	require.NoError(t, err)
	require.Equal(t, lro.Progress{State: lro.Running}, p)
}

func TestTrack_KeepsAJobIDThatVanishes(t *testing.T) {
	t.Parallel()
	azure, tracking := operations(t, answers(200, withJob), nil)
	p, err := lro.Track(t.Context(), azure.client, tracking)
	require.NoError(t, err)
	require.Equal(t, "j", p.JobID)
	require.Equal(t, "j", p.NewTracking.JobID)
	for _, later := range []operation.Tracking{*p.NewTracking, {ResultURL: tracking.ResultURL, JobID: fullJobID}} {
		p, err := lro.Track(t.Context(), oneAnswer{&arm.Answer{Status: 204, Header: http.Header{}}}, later)
		require.NoError(t, err)
		require.Equal(t, lro.Succeeded, p.State)
		require.Empty(t, p.JobID)
		require.Nil(t, p.NewTracking, "the known job ID is kept")
	}
}

func TestTrack_LocationWithoutAStatusHasSucceeded(t *testing.T) {
	t.Parallel()
	for _, body := range []string{``, `{"objectType":"OperationJobExtendedInfo"}`} {
		azure, tracking := operations(t, nil, answers(200, body, "Retry-After", "10"))
		tracking.StatusURL = ""
		p, err := lro.Track(t.Context(), azure.client, tracking)
		require.NoError(t, err)
		require.Equal(t, lro.Succeeded, p.State)
		require.Empty(t, p.JobID)
		require.Equal(t, 10*time.Second, p.RetryAfter, "a final answer may have one too")
	}
}

func TestTrack_IgnoresTheStatusURLOfALocation(t *testing.T) {
	t.Parallel()
	var a *azure
	a = newAzure(t, func(w http.ResponseWriter, r *http.Request) {
		answers(200, `{"jobId":"`+fullJobID+`","objectType":"OperationJobExtendedInfo"}`, "Azure-AsyncOperation", a.URL+"/locations/l/operationStatus/x?s=2")(w, r)
	})
	p, err := lro.Track(t.Context(), a.client, operation.Tracking{ResultURL: a.URL + "/locations/l/operationResults/x?s=1"})
	require.NoError(t, err)
	require.Equal(t, lro.Succeeded, p.State)
	require.Empty(t, p.NewTracking.StatusURL)
	require.Equal(t, "j", p.NewTracking.JobID)
}

func TestTrack_FailedValidationNamesTheMissingPermission(t *testing.T) {
	t.Parallel()
	const detail = "The client 'a8b2' does not have authorization to perform action 'Microsoft.Authorization/roleAssignments/read'."
	body := userFacing("UserErrorMissingRequiredPermissions", "Appropriate permissions to perform the operation is missing.",
		"Grant appropriate permissions and retry the operation.", detail)
	azure, tracking := operations(t, answers(200, `{"status":"Failed","error":`+body+`,"endTime":"2021-07-07T12:49:22Z"}`), nil)
	p, err := lro.Track(t.Context(), azure.client, tracking)
	require.NoError(t, err)
	require.Equal(t, lro.Failed, p.State)
	require.Equal(t, "UserErrorMissingRequiredPermissions", p.Err.Code)
	require.Equal(t, operation.UserAction, p.Err.Class)
	require.Equal(t, []string{"Grant appropriate permissions and retry the operation."}, p.Err.RecommendedAction)
	require.Equal(t, "Appropriate permissions to perform the operation is missing. ("+detail+")", p.Err.Message)
}
