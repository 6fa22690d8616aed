package e2e

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/api"
	"azbackupflow/internal/local/armsim"
	"azbackupflow/internal/local/stack"
)

// ending describes how work that Azure had accepted ends, and the resulting
// state of the operation.
type ending struct {
	name string
	from stage
	// prepare arranges the ending.
	prepare func(*local, site)
	status  api.Status
	// step is the step where the operation ends, code the code of its error.
	step, code string
	// asked counts the requests by kind, all the backups that Azure accepts.
	asked map[string]int
	all   int
	check func(*testing.T, api.Operation)
}

// ends sets the outcome of the next work of this kind at the site.
func ends(o armsim.Outcome) func(*local, site) {
	return func(l *local, s site) {
		switch o.Operation {
		case "Refresh":
			o.Item = s.vault.Name
		case "Register", "Inquire":
			o.Item = s.account.Name
		default:
			o.Item = s.share
		}
		l.ARM.AddOutcome(o)
	}
}

const advice = "Look into the storage account's log."

func endings() []ending {
	return []ending{
		{
			name: "discovery fails for a while", from: undiscovered, status: api.Succeeded, step: "await-backup-job",
			prepare: ends(armsim.Outcome{Operation: "Refresh", OperationCode: "CloudInternalError", OperationMessage: "try later"}),
			asked:   map[string]int{"POST refreshContainers": 2, "PUT protectionContainers": 1}, all: 1,
		},
		{
			name: "registration fails for a while", from: undiscovered, status: api.Succeeded, step: "await-backup-job",
			prepare: ends(armsim.Outcome{Operation: "Register", OperationCode: "ServiceUnavailable", OperationMessage: "try later"}),
			asked:   map[string]int{"PUT protectionContainers": 2, "POST inquire": 1}, all: 1,
		},
		{
			name: "registration fails permanently", from: undiscovered, status: api.Failed, step: "await-registration", code: "UserErrorStorageAccountNotFound",
			prepare: ends(armsim.Outcome{Operation: "Register", OperationCode: "UserErrorStorageAccountNotFound", OperationMessage: "The account is gone."}),
			asked:   map[string]int{"PUT protectionContainers": 1, "POST inquire": 0},
			check: func(t *testing.T, v api.Operation) {
				require.Equal(t, "The account is gone.", v.Error.Message)
				require.NotEmpty(t, v.Error.RecommendedAction)
			},
		},
		{
			name: "inquiry fails for a while", from: registered, status: api.Succeeded, step: "await-backup-job",
			prepare: ends(armsim.Outcome{Operation: "Inquire", OperationCode: "CloudInternalError", OperationMessage: "try later"}),
			asked:   map[string]int{"POST inquire": 2, "PUT protectedItems": 1}, all: 1,
		},
		{
			name: "protection fails for a while", from: registered, status: api.Succeeded, step: "await-backup-job",
			prepare: ends(armsim.Outcome{Operation: "ConfigureBackup", OperationCode: "CloudInternalError", OperationMessage: "try later"}),
			asked:   map[string]int{"PUT protectedItems": 2}, all: 1,
		},
		{
			name: "protection's job fails", from: registered, status: api.Failed, step: "await-protection-job", code: "400123",
			prepare: ends(armsim.Outcome{Operation: "ConfigureBackup", JobStatus: "Failed", ErrorCode: 400123, ErrorText: "The share cannot be protected.", Recommendation: advice}),
			asked:   map[string]int{"PUT protectedItems": 1, "POST backup": 0},
			check:   explained("The share cannot be protected."),
		},
		{
			name: "the start of a backup fails for a while", from: protected, status: api.Succeeded, step: "await-backup-job",
			prepare: ends(armsim.Outcome{OperationCode: "CloudInternalError", OperationMessage: "try later"}),
			// The first request was accepted without effect; it has no job.
			asked: map[string]int{"POST backup": 2}, all: 2,
		},
		{
			name: "the start of a backup fails permanently", from: protected, status: api.Failed, step: "await-backup", code: "UserErrorStorageAccountInternetRoutingNotSupported",
			prepare: ends(armsim.Outcome{OperationCode: "UserErrorStorageAccountInternetRoutingNotSupported", OperationMessage: "Change the routing."}),
			asked:   map[string]int{"POST backup": 1}, all: 1,
			check: func(t *testing.T, v api.Operation) { require.NotEmpty(t, v.Error.RecommendedAction) },
		},
		{
			name: "an unknown code", from: protected, status: api.Failed, step: "await-backup", code: "UserErrorNeverHeardOf",
			prepare: ends(armsim.Outcome{OperationCode: "UserErrorNeverHeardOf", OperationMessage: "No."}),
			asked:   map[string]int{"POST backup": 1}, all: 1,
		},
		{
			name: "a backup's job fails", from: protected, status: api.Failed, step: "await-backup-job", code: "400124",
			prepare: ends(armsim.Outcome{JobStatus: "Failed", ErrorCode: 400124, ErrorText: "The snapshot could not be taken.", Recommendation: advice}),
			asked:   map[string]int{"POST backup": 1}, all: 1,
			check: explained("The snapshot could not be taken."),
		},
		{
			name: "a backup's job fails for a while", from: protected, status: api.Failed, step: "await-backup-job",
			code:    "FileshareBackupFailedWithAzureRpRequestThrottling",
			prepare: ends(armsim.Outcome{JobStatus: "Failed", ErrorCode: 400125, ErrorText: "Too busy (FileshareBackupFailedWithAzureRpRequestThrottling)."}),
			asked:   map[string]int{"POST backup": 1}, all: 1,
			check: func(t *testing.T, v api.Operation) {
				require.Equal(t, v.JobID, v.Learned["failedJobs"])
				require.NotEmpty(t, v.Error.RecommendedAction)
			},
		},
		{
			name: "a backup's job completes with warnings", from: protected, status: api.SucceededWithWarnings, step: "await-backup-job",
			prepare: ends(armsim.Outcome{JobStatus: "CompletedWithWarnings", ErrorCode: 400126, ErrorText: "Some files were left out."}),
			asked:   map[string]int{"POST backup": 1}, all: 1,
			check: func(t *testing.T, v api.Operation) {
				require.Equal(t, []string{"Some files were left out."}, v.Warnings)
				require.Nil(t, v.Error)
			},
		},
		{
			name: "a backup's job is cancelled in the vault", from: protected, status: api.Failed, step: "await-backup-job", code: "JobCancelled",
			prepare: ends(armsim.Outcome{JobStatus: "Cancelled"}),
			asked:   map[string]int{"POST backup": 1}, all: 1,
		},
		{
			name: "the share was deleted", from: protected, status: api.Failed, step: "await-backup-job", code: "FileShareNotFound",
			prepare: func(l *local, s site) { require.NoError(l.t, l.ARM.DeleteShare(s.account.ID(), s.share)) },
			asked:   map[string]int{"POST backup": 1}, all: 1,
			check: func(t *testing.T, v api.Operation) { require.NotEmpty(t, v.Error.RecommendedAction) },
		},
		{
			name: "another backup of the share is running", from: protected, status: api.Succeeded, step: "await-backup-job",
			prepare: func(l *local, s site) {
				l.goesWrong(s, "POST backup", armsim.AnswerError(http.StatusConflict, "UserErrorBackupOperationInProgress", "Another backup is running.", nil))
			},
			asked: map[string]int{"POST backup": 2}, all: 1,
		},
		{
			name: "registration's status URL expires before its end", from: undiscovered, status: api.Succeeded, step: "await-backup-job",
			prepare: func(l *local, s site) {
				ends(armsim.Outcome{Operation: "Register", OperationKeepsRunning: true})(l, s)
				l.goesWrong(s, "PUT protectionContainers", armsim.ExpiredStatus())
			},
			asked: map[string]int{"PUT protectionContainers": 2}, all: 1,
		},
	}
}

// explained checks that the operation has the message and the recommendation of
// the job.
func explained(message string) func(*testing.T, api.Operation) {
	return func(t *testing.T, v api.Operation) {
		t.Helper()
		require.Equal(t, message, v.Error.Message)
		require.Equal(t, []string{advice}, v.Error.RecommendedAction)
	}
}

// TestOperation_EndsWithTheOutcomeOfAzure ends accepted work in many ways. Each
// is the end of the operation too, with Azure's own message, or is retried
// where that helps.
func TestOperation_EndsWithTheOutcomeOfAzure(t *testing.T) {
	t.Parallel()
	world := armsim.DemoWorld()
	var sites []site
	for i, e := range endings() {
		sites = append(sites, newSite(&world, fmt.Sprintf("ends%02d", i), e.from))
	}
	l := startInTurn(t, stack.Config{SpeedFactor: faultSpeed, World: &world, Settings: withoutSweep()})
	var ids []string
	for i, e := range endings() {
		e.prepare(l, sites[i])
		request := sites[i].protect()
		if e.from == protected {
			request = sites[i].backup()
		}
		ids = append(ids, l.begin(request))
	}
	for i, e := range endings() { //nolint:paralleltest // all of them run on one stack already
		t.Run(e.name, func(t *testing.T) {
			l := l.in(t)
			v := l.await(ids[i])
			require.Equalf(t, e.status, v.Status, "%+v\n%s", v.Error, say(l.history(ids[i])))
			require.Equal(t, e.step, v.Step)
			if e.code != "" {
				require.Equal(t, e.code, v.Error.Code)
			} else {
				require.Nil(t, v.Error)
			}
			for kind, n := range e.asked {
				require.Len(t, l.requestsOf(sites[i], kind), n, kind)
			}
			require.Len(t, l.backupsOf(sites[i]), e.all)
			if e.check != nil {
				e.check(t, v)
			}
		})
	}
}
