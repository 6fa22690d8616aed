package flow

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"azbackupflow/internal/arm/dataprotection"
	"azbackupflow/internal/arm/lro"
	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

// BackupRule selects the rule of the policy by which a backup instance is backed
// up.
type BackupRule struct {
	// Name is a rule such as BackupWeekly; empty means the policy's only rule.
	Name string `json:"name,omitempty"`
	// RetentionTag is the retention rule for the backup; empty means the rule's
	// default.
	RetentionTag string `json:"retentionTag,omitempty"`
}

const learnedRule = "backupRule"

// instanceBackupSteps returns the steps that back up a backup instance of a
// Backup vault once. Source: Backup Instances - Adhoc Backup.
func (a azure) instanceBackupSteps() []step.Step {
	return append([]step.Step{
		{
			Name: "read-instance", Effect: step.Read, Run: with(a.readBackedUpInstance), Calls: []string{"BackupInstances_Get", "DeletedBackupInstances_Get"},
			Asks: "reads the backup instance", Then: "an instance that was stopped, suspended or deleted is rejected",
		},
		{
			Name: "pick-rule", Effect: step.Read, Run: with(a.pickRule), Calls: []string{"BackupPolicies_Get"},
			Asks: "reads the policy", Then: "a rule that the policy does not have is rejected, and the error names its rules",
		},
	}, a.onceSteps(onceCall{
		start: "trigger-instance-backup", await: "await-instance-backup", find: "find-instance-job", follow: "await-instance-job",
		what: "backup", ambiguous: "BackupUnclear", calls: []string{"BackupInstances_AdhocBackup"}, lists: []string{"Jobs_List"},
		send: a.backUpInstance,
		// The list is filtered by instance.
		candidates: a.instanceJobs(dataprotection.CategoryBackup, func(context.Context, step.Call, dataprotection.Job) (match, error) { return sameItem, nil }),
		job:        a.instanceJob(instanceVault),
	})...)
}

func (a azure) backUpInstance(ctx context.Context, c step.Call) (lro.Submission, error) {
	p, err := parametersOf[BackupNow](c)
	if err != nil {
		return lro.Submission{}, err
	}
	id, err := foundInstance(c)
	if err != nil {
		return lro.Submission{}, err
	}
	options := dataprotection.BackupRuleOptions{RuleName: c.Operation.Learned[learnedRule]}
	if p.Rule != nil {
		options.RetentionTagOverride = p.Rule.RetentionTag
	}
	return a.dataProtection(c).Backup(ctx, id, options, c.AttemptID)
}

func (a azure) readBackedUpInstance(ctx context.Context, c step.Call, p BackupNow) (operation.Outcome, error) {
	instance, err := a.readInstance(ctx, c, p.BackupInstanceID)
	if err != nil {
		return operation.Outcome{}, err
	}
	if err := rejectedInstance(instance, treatInstance(instance).backup); err != nil {
		return operation.Outcome{}, err
	}
	return learn(next(instance.FriendlyName+" is a "+instance.DatasourceType), factsOfInstance(instance)), nil
}

// pickRule checks the requested rule against the policy.
func (a azure) pickRule(ctx context.Context, c step.Call, p BackupNow) (operation.Outcome, error) {
	id, err := foundInstance(c)
	if err != nil {
		return operation.Outcome{}, err
	}
	policy, err := a.dataProtection(c).GetPolicy(ctx, id.Vault, resourceid.LastName(c.Operation.Learned[learnedPolicy]))
	if err != nil {
		return operation.Outcome{}, err
	}
	names := make([]string, len(policy.BackupRules))
	for i, rule := range policy.BackupRules {
		names[i] = rule.Name
	}
	if len(names) == 0 {
		return operation.Outcome{}, fatal("BackupContinuous", "policy "+policy.Name+" backs up "+c.Operation.Learned[learnedName]+" continuously; it has no rule for a backup on demand",
			"Restore to any time with the flow restore-blobs. For backups on demand, protect containers with a policy for vaulted backup.")
	}
	var want BackupRule
	if p.Rule != nil {
		want = *p.Rule
	}
	at := slices.Index(names, want.Name)
	if want.Name == "" && len(names) == 1 {
		at = 0
	}
	if at < 0 {
		return operation.Outcome{}, fatal("RuleNotFound", fmt.Sprintf("parameters.rule.name: rule %q not found in policy %s", want.Name, policy.Name),
			"Send the request again with one of "+strings.Join(names, ", ")+".")
	}
	rule := policy.BackupRules[at]
	if want.RetentionTag != "" && !slices.Contains(rule.RetentionTags, want.RetentionTag) {
		return operation.Outcome{}, fatal("RetentionTagNotFound", fmt.Sprintf("parameters.rule.retentionTag: retention tag %q not found in rule %s", want.RetentionTag, rule.Name),
			"Send the request again with one of "+strings.Join(rule.RetentionTags, ", ")+", or without a retention tag.")
	}
	return learn(next("by the rule "+rule.Name), map[string]string{learnedRule: rule.Name}), nil
}

// instanceJobs lists the jobs of the instance that an earlier step found, since
// about the time. whose decides by a job's details whether the attempt
// may have started it.
func (a azure) instanceJobs(category string, whose func(context.Context, step.Call, dataprotection.Job) (match, error)) candidates {
	return func(ctx context.Context, c step.Call, since time.Time) ([]candidate, error) {
		id, err := foundInstance(c)
		if err != nil {
			return nil, err
		}
		start, _ := a.jobWindow(c, since)
		listed, err := a.dataProtection(c).ListJobs(ctx, id.Vault, dataprotection.JobFilter{
			BackupInstanceID: id.String(), OperationCategory: category, StartedSince: start,
		})
		if err != nil {
			return nil, err
		}
		var jobs []candidate
		for _, job := range listed {
			is, err := whose(ctx, c, job)
			if err != nil {
				return nil, err
			}
			jobs = append(jobs, candidate{name: job.Name, activityID: job.ActivityID, start: job.StartTime, whose: is})
		}
		return jobs, nil
	}
}
