package arm

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/operation"
)

// These tests hold what Data Protection does otherwise than Recovery Services;
// the answers are as recorded or as Learn's pages show them.

const (
	inProgress = `{"id":"/subscriptions/s/x","name":"x","status":"Inprogress","startTime":"2024-06-26T07:49:42.515338Z","endTime":"0001-01-01T00:00:00"}`
	withJob    = `{"status":"Succeeded","endTime":"2024-06-26T07:53:07Z","properties":{"jobId":"/subscriptions/s/resourcegroups/g/providers/Microsoft.DataProtection/BackupVaults/v/backupJobs/j","objectType":"OperationJobExtendedInfo"}}`
	fullJobID  = "/subscriptions/s/resourcegroups/g/providers/Microsoft.DataProtection/BackupVaults/v/backupJobs/j"
)

// userFacing is an error as Data Protection sends it: the recommended action
// stands in additionalInfo only, the telling text deeper still.
func userFacing(code, message, action, detail string) string {
	return `{"additionalInfo":[{"type":"UserFacingError","info":{"message":"` + message + `","recommendedAction":["` + action + `"],
		"details":null,"code":"` + code + `","target":"","innerError":{"code":"InnerErrorCodeUnavailable","additionalInfo":
		{"DetailedNonLocalisedMessage":"` + detail + `"}},"isRetryable":false,"isUserError":false,"properties":{"ActivityId":"a"}}}],
		"code":"` + code + `","message":"` + message + `","target":null,"details":null}`
}

func TestAPutThatIsFollowedByItsStatusURLOnlyIsNotDone(t *testing.T) {
	t.Parallel()
	azure := newAzure(t, answers(201, `{"properties":{"provisioningState":"Provisioning","currentProtectionState":"ConfiguringProtection"}}`,
		"Azure-AsyncOperation", "https://management.azure.com/subscriptions/s/x?t=1&c=2&s=3&h=4"))
	s, err := azure.client(t).Start(t.Context(), Request{Method: http.MethodPut, Path: "/subscriptions/s"})
	require.NoError(t, err)
	require.False(t, s.Done)
	require.Empty(t, s.Tracking.ResultURL)
	require.Equal(t, "https://management.azure.com/subscriptions/s/x?t=1&c=2&s=3&h=4", s.Tracking.StatusURL)
}

func TestAStatusSpeltInprogressRunsAndDoesNotSayWhenToComeAgain(t *testing.T) {
	t.Parallel()
	_, client, tracking := operations(t, answers(200, inProgress), nil)
	tracking.ResultURL = ""
	p, err := client.Track(t.Context(), tracking)
	require.NoError(t, err)
	require.Equal(t, Progress{State: Running}, p)
}

func TestAJobIDThatVanishesIsKept(t *testing.T) {
	t.Parallel()
	_, client, tracking := operations(t, answers(200, withJob), nil)
	p, err := client.Track(t.Context(), tracking)
	require.NoError(t, err)
	require.Equal(t, fullJobID, p.JobID)
	require.Equal(t, fullJobID, p.NewTracking.JobID)
	for _, later := range []operation.Tracking{*p.NewTracking, {ResultURL: tracking.ResultURL, JobID: fullJobID}} {
		p, err := client.read(&Answer{Method: http.MethodGet, Status: 204, Header: http.Header{}}, later, later.StatusURL != "")
		require.NoError(t, err)
		require.Equal(t, Succeeded, p.State)
		require.Empty(t, p.JobID)
		require.Nil(t, p.NewTracking, "what is known of the job stays as it is")
	}
}

func TestALocationThatEndsWithoutAnythingHasSucceeded(t *testing.T) {
	t.Parallel()
	for _, body := range []string{``, `{"objectType":"OperationJobExtendedInfo"}`} {
		_, client, tracking := operations(t, nil, answers(200, body, "Retry-After", "10"))
		tracking.StatusURL = ""
		p, err := client.Track(t.Context(), tracking)
		require.NoError(t, err)
		require.Equal(t, Succeeded, p.State)
		require.Empty(t, p.JobID)
		require.Equal(t, 10*time.Second, p.RetryAfter, "a terminal answer may carry one too")
	}
}

func TestAStatusURLOfALocationsAnswerIsNotTakenUp(t *testing.T) {
	t.Parallel()
	var azure *azure
	azure = newAzure(t, func(w http.ResponseWriter, r *http.Request) {
		answers(200, `{"jobId":"`+fullJobID+`","objectType":"OperationJobExtendedInfo"}`, "Azure-AsyncOperation", azure.URL+"/locations/l/operationStatus/x?s=2")(w, r)
	})
	p, err := azure.client(t).Track(t.Context(), operation.Tracking{ResultURL: azure.URL + "/locations/l/operationResults/x?s=1"})
	require.NoError(t, err)
	require.Equal(t, Succeeded, p.State)
	require.Empty(t, p.NewTracking.StatusURL)
	require.Equal(t, fullJobID, p.NewTracking.JobID)
}

func TestAFailedValidationTellsWhoLacksWhatAndWhatToDo(t *testing.T) {
	t.Parallel()
	const detail = "The client 'a8b2' does not have authorization to perform action 'Microsoft.Authorization/roleAssignments/read'."
	body := userFacing("UserErrorMissingRequiredPermissions", "Appropriate permissions to perform the operation is missing.",
		"Grant appropriate permissions and retry the operation.", detail)
	_, client, tracking := operations(t, answers(200, `{"status":"Failed","error":`+body+`,"endTime":"2021-07-07T12:49:22Z"}`), nil)
	p, err := client.Track(t.Context(), tracking)
	require.NoError(t, err)
	require.Equal(t, Failed, p.State)
	require.Equal(t, "UserErrorMissingRequiredPermissions", p.Err.Code)
	require.Equal(t, operation.UserAction, p.Err.Class)
	require.Equal(t, []string{"Grant appropriate permissions and retry the operation."}, p.Err.RecommendedAction)
	require.Equal(t, "Appropriate permissions to perform the operation is missing. ("+detail+")", p.Err.Message)
}

func TestWhatIsProtectedAlreadyTellsWhere(t *testing.T) {
	t.Parallel()
	const where = "Datasource is already protected under the Backup vault /subscriptions/s/v."
	e := rejected(400, `{"error":`+userFacing(CodeAlreadyProtected, where, "Delete the backup instance i.", where)+`}`)
	require.Equal(t, CodeAlreadyProtected, e.Code)
	require.Equal(t, operation.Fatal, e.Class)
	require.Equal(t, where, e.Message, "a detail that says the same is not said twice")
	require.Equal(t, []string{"Delete the backup instance i."}, e.RecommendedAction)
}

func TestAnErrorInAFieldIsReadOrNone(t *testing.T) {
	t.Parallel()
	e := FailureIn([]byte(userFacing("UserErrorRestoreToLowerVersion", "m", "a", "from 10 to 9.5")))
	require.Equal(t, "UserErrorRestoreToLowerVersion", e.Code)
	require.Equal(t, "m (from 10 to 9.5)", e.Message)
	require.Equal(t, operation.Fatal, e.Class)
	require.Equal(t, []string{"a"}, e.RecommendedAction)
	for _, none := range []string{``, `null`, `{}`, `[]`, `"x"`, `{"code":null,"message":""}`, `{"isRetryable":true}`} {
		require.Nil(t, FailureIn([]byte(none)), none)
	}
}

func FuzzNoErrorInAFieldPanics(f *testing.F) {
	f.Add(userFacing("A", "m", "a", "d"))
	f.Add(`{"innerError":{"additionalInfo":{"DetailedNonLocalisedMessage":5},"embeddedInnerError":{"code":[]}}}`)
	f.Fuzz(func(t *testing.T, body string) {
		if e := FailureIn([]byte(body)); e != nil {
			require.NotEmpty(t, e.Code)
			require.NotEmpty(t, e.Message)
			require.NotEmpty(t, e.Class)
		}
	})
}
