package flow_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/local/armsim"
)

// Every failure of the request for a backup, for every kind of item, ends with
// one backup: the operation ends with that backup's job.
func TestReconcile_FindsABackupWhoseAnswerWasLost(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		effect armsim.Effect
		// sent is how often the request is sent.
		sent int
		// passes are the steps that the flow visits in addition to the usual
		// ones.
		passes []string
	}{
		"the answer is lost":         {armsim.ResetAfter(), 1, nil},
		"the request is lost":        {armsim.ResetBefore(), 2, nil},
		"a gateway answers":          {armsim.AnswerError(502, "InvalidGatewayHost", "bad gateway", nil), 2, nil},
		"it is throttled":            {armsim.AnswerError(429, "TooManyRequests", "slowly", nil), 2, nil},
		"the status is gone at once": {armsim.ExpiredStatus(), 1, []string{"find-backup-job"}},
		"no failure, for comparison": {armsim.Delay(0), 1, nil},
	} {
		for friendlyName, more := range map[string]object{
			"testshare": nil, "vm1": nil, "orders": {"backupType": "Full"}, "SYSTEMDB": {"backupType": "Full"},
		} {
			t.Run(name+", "+friendlyName, func(t *testing.T) {
				t.Parallel()
				r, sim := simulated(t, protectedWorld("schedule1"))
				parameters := object{"itemId": itemOf(t, sim, friendlyName).ID}
				for k, v := range more {
					parameters[k] = v
				}
				sim.Inject(armsim.Rule{Kind: "POST backup", Times: 1, Effect: c.effect})
				op := r.succeeds("backup-now", parameters)
				require.Len(t, requests(sim, "POST backup"), c.sent, "%v", r.story(op.ID))
				made := sim.Backups()
				require.Len(t, made, 1)
				require.Equal(t, made[0].JobID, op.Learned["jobId"])
				require.Subset(t, r.path(op.ID), append([]string{"trigger-backup", "await-backup-job"}, c.passes...))
			})
		}
	}
}
