package flow_test

import (
	"net/http"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/flow"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

// A host that is 90 s ahead must still find its own job, also with the first
// list of its process: Azure filters by its own clock.
func TestReconcile_WindowContainsTheJobOfAHostThatIsAhead(t *testing.T) {
	t.Parallel()
	for name, ahead := range map[string]time.Duration{"90 s": 90 * time.Second, "8 minutes": 8 * time.Minute, "an hour": time.Hour, "slow by an hour": -time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			azures := morning().Add(-ahead)
			started := azures.Add(time.Second)
			job := backupJob("j1", started.Sub(morning()), nil)
			azure := &stub{t: t}
			azure.answer = func(r *http.Request) reply {
				answer := list()
				if start, end, _ := window(t, r); !started.Before(start) && !started.After(end) {
					answer = list(job)
				}
				answer.header = http.Header{"Date": {azures.Format(http.TimeFormat)}}
				return answer
			}
			op := operation.Operation{Progress: operation.Progress{Step: "trigger-backup"}, AzureState: operation.AzureState{Learned: learnedShare(), Claim: &operation.Claim{AttemptID: attempt, ClaimedAt: morning()}}}
			finding, err := azure.one("backup-now", "trigger-backup").Reconcile(t.Context(), step.Call{Operation: op, Now: morning()})
			require.NoError(t, err)
			require.Equal(t, operation.Found, finding.Result)
		})
	}
}

// window returns the window of time of a list of jobs; ok is false for other
// requests.
func window(t *testing.T, r *http.Request) (start, end time.Time, ok bool) {
	t.Helper()
	times := filterTime.FindAllString(r.URL.Query().Get("$filter"), -1)
	if len(times) != 2 {
		return start, end, false
	}
	start, err := time.Parse("2006-01-02 03:04:05 PM", times[0])
	require.NoError(t, err)
	end, err = time.Parse("2006-01-02 03:04:05 PM", times[1])
	require.NoError(t, err)
	return start, end, true
}

var filterTime = regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [AP]M`)

// Deleting must not hit an item that was protected again after it was read, also
// if the host's clock is ahead of Azure's.
func TestDeleteProtection_SeesAJobOfAzuresClock(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		ahead, after time.Duration
		again        bool
	}{
		"ahead, protected again":          {90 * time.Second, 5 * time.Second, true},
		"ahead, protected before":         {90 * time.Second, -5 * time.Second, false},
		"behind, protected again":         {-90 * time.Second, 5 * time.Second, true},
		"behind, protected before":        {-90 * time.Second, -5 * time.Second, false},
		"the same clock, protected again": {0, time.Second, true},
		"the same clock, before":          {0, -time.Second, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			azures := morning().Add(-c.ahead)
			started := azures.Add(c.after)
			job := backupJob("j1", started.Sub(morning()), object{"operation": "ConfigureBackup"})
			date := http.Header{"Date": {azures.Format(http.TimeFormat)}}
			azure := &stub{t: t, allows: flow.Guardrails{Delete: true}}
			deleted := false
			azure.answer = func(r *http.Request) reply {
				if r.Method == http.MethodDelete {
					deleted = true
					return reply{status: http.StatusAccepted, header: date}
				}
				if start, end, ok := window(t, r); ok {
					answer := list()
					if !started.Before(start) && !started.After(end) {
						answer = list(job, backupJob("j2", 0, object{"operation": "Backup"}))
					}
					answer.header = date
					return answer
				}
				return reply{status: http.StatusOK, body: shareItem(nil), header: date}
			}
			known := learnedShare()
			known["readAt"], known["policyId"] = morning().Format(time.RFC3339Nano), demoVault+"/backupPolicies/schedule1"
			_, err := azure.run("delete-protection", "delete-item", operation.Operation{AzureState: operation.AzureState{Learned: known}})
			require.Equal(t, !c.again, deleted)
			if c.again {
				requireError(t, err, "ChangedMeanwhile", operation.Fatal)
				return
			}
			require.NoError(t, err)
		})
	}
}
