package dataprotection

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/arm/backupjob"
	"azbackupflow/internal/arm/resourceid"
)

func FuzzAnswers(f *testing.F) {
	f.Add(`{"id":"/x/backupJobs/j","properties":{"status":"Failed","errorDetails":[{"code":5,"details":[{}]},null,[]],"extendedInfo":{"subTasks":[{}],"warningDetails":[{"warning":"x"}]}}}`)
	f.Add(`{"properties":{"currentProtectionState":"ProtectionError","protectionErrorDetails":[{"innerError":{}}],"protectionStatus":{"errorDetails":"x"},"deletionInfo":{"deletionTime":"0001-01-01T00:00:00"}}}`)
	f.Add(`{"properties":{"recoveryPointDataStoresDetails":[{"type":null}],"recoveryPointTime":5}}`)
	f.Add(`{"properties":{"policyRules":[{"objectType":"AzureBackupRule","trigger":{"taggingCriteria":[{}]}}]}}`)
	f.Fuzz(func(t *testing.T, body string) {
		var job jobBody
		if json.Unmarshal([]byte(body), &job) == nil {
			j := job.job()
			ended := j.State() == backupjob.Failed || j.State() == backupjob.Cancelled
			require.Equal(t, ended, j.Failure() != nil)
			require.Equal(t, j.State() == backupjob.CompletedWithWarnings, len(j.Warnings()) > 0)
			require.GreaterOrEqual(t, j.StartTime.Year(), 1)
		}
		var instance instanceBody
		if json.Unmarshal([]byte(body), &instance) == nil {
			i := instance.deleted()
			if e := i.Failure(); e != nil {
				require.NotEmpty(t, e.Class)
			}
			require.NotEqual(t, time.Local, i.DeletionTime.Location())
		}
		var point recoveryPointBody
		if json.Unmarshal([]byte(body), &point) == nil {
			p := point.point()
			for _, d := range p.DataStores {
				_, ok := p.In(d.Type)
				require.True(t, ok)
			}
		}
		var policy policyBody
		if json.Unmarshal([]byte(body), &policy) == nil {
			policy.policy()
		}
	})
}

func FuzzAnIDThatIsTakenNamesItself(f *testing.F) {
	f.Add(demoInstance().String())
	f.Add(demoServer)
	f.Add(demoDatabase)
	f.Add("/providers/.0/0/0/0")
	f.Fuzz(func(t *testing.T, id string) {
		if i, err := ParseInstanceID(id); err == nil {
			require.True(t, resourceid.Equal(i.String(), id), i.String())
			again, err := ParseInstanceID(i.String())
			require.NoError(t, err)
			require.Equal(t, i, again)
		}
		ds, set, err := datasourceOf(id, "")
		if err == nil {
			require.Equal(t, id, ds.ResourceID)
			require.NotEmpty(t, ds.ResourceName)
			require.True(t, set == nil || len(set.ResourceID) < len(id))
		}
	})
}
