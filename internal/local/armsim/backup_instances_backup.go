package armsim

import (
	"net/http"
	"strings"
	"time"
)

// pointPrecedes is the time from a recovery point to the end of its job;
// recorded 45 s.
const pointPrecedes = 45 * time.Second

// backUpInstance answers POST backup of a backup instance.
func (s *Simulator) backUpInstance(c *call) (answer, *armError) {
	var b struct {
		Options *struct {
			RuleName string `json:"ruleName"`
			Trigger  *struct {
				RetentionTag string `json:"retentionTagOverride"`
			} `json:"triggerOption"`
		} `json:"backupRuleOptions"`
	}
	if err := c.decodeShaped(shape{"backupRuleOptions": {"ruleName": nil, "triggerOption": {"retentionTagOverride": nil}}}, &b); err != nil {
		return answer{}, err
	}
	i, missing := c.findInstance()
	if missing != nil {
		return answer{}, missing
	}
	switch {
	case b.Options == nil:
		return answer{}, invalidField("backupRuleOptions", "it is missing")
	case b.Options.Trigger == nil:
		return answer{}, invalidField("backupRuleOptions.triggerOption", "it is missing")
	case i.continuous():
		return answer{}, invalidField("backupRuleOptions.ruleName", "the policy %q backs up continuously and has no rule", i.policy)
	case !strings.EqualFold(b.Options.RuleName, i.source.kind.Rules[0]):
		return answer{}, invalidField("backupRuleOptions.ruleName", "the policy %q has no rule %q", i.policy, b.Options.RuleName)
	case b.Options.Trigger.RetentionTag != "" && !strings.EqualFold(b.Options.Trigger.RetentionTag, defaultRetention):
		return answer{}, invalidField("backupRuleOptions.triggerOption.retentionTagOverride", "the policy %q has no tag %q", i.policy, b.Options.Trigger.RetentionTag)
	case i.state != protectionConfigured:
		return answer{}, s.wrongState(c, i)
	case i.running != nil:
		return answer{}, newUserError(codeBackupInProgress, "", "").withActivity(s.activity(c)).rejection(http.StatusConflict)
	}
	out := s.outcome(operationBackup, i.name, i.friendly, i.source.name)
	var j *instanceJob
	if out.userError() == nil {
		j = s.startInstanceBackupJob(c, i, out)
	}
	o := s.startInstance(c, s.config.Durations.InstanceBackupOperation, out, func(o *instanceOperation, _ time.Time) *userError {
		o.job = j
		return nil
	}, nil)
	made := Backup{
		Time: c.now, Vault: c.backupVault.ID(), Item: i.name, FriendlyName: i.friendly,
		OperationID: o.name, ActivityID: c.clientID, RuleName: b.Options.RuleName,
	}
	if j != nil {
		made.JobID = j.id
	}
	s.backups = append(s.backups, made)
	return s.acceptedInstance(c, o, instanceRetryAfter), nil
}

// startInstanceBackupJob starts the job of a backup, which creates a recovery
// point. A backup of a deleted server fails (the code is a choice).
func (s *Simulator) startInstanceBackupJob(c *call, i *instance, out *Outcome) *instanceJob {
	j := &instanceJob{operation: operationBackup, instance: i}
	i.running = j
	return s.startInstanceJob(c, j, s.config.Durations.InstanceBackup, out, func(at time.Time) *userError {
		d, known := s.world.datasource(i.source.id, i.source.kind.Type)
		if !known || d.gone {
			return newUserError(codeNoDatabase, "", "")
		}
		j.made = &recoveryPoint{
			id: strings.ReplaceAll(s.random.guid(), "-", ""), storeID: s.random.guid(), time: at.Add(-s.scaled(pointPrecedes)),
			store: i.store(), policy: j.policy, version: d.version,
		}
		i.points = append(i.points, j.made)
		return nil
	}, func() { i.running = nil })
}

// wrongState rejects an operation that the state of the instance does not
// allow. This is a choice.
func (s *Simulator) wrongState(c *call, i *instance) *armError {
	return newUserError("UserErrorOperationNotAllowedInCurrentState",
		"The operation is not allowed while the backup instance's protection state is "+i.state+".",
		"Wait until the protection is configured, or resume it.").withActivity(s.activity(c)).rejection(http.StatusBadRequest)
}

// findInstance returns the backup instance that the path names.
func (c *call) findInstance() (*instance, *armError) {
	i := c.backupVault.instance(c.path.names[1])
	if i == nil {
		return nil, c.notFound(2)
	}
	return i, nil
}
