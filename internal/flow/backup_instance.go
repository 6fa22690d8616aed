package flow

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"azbackupflow/internal/arm/dataprotection"
	"azbackupflow/internal/arm/lro"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

// BackupRule says by which of its policy's rules a backup instance is backed
// up.
type BackupRule struct {
	// Name is such as BackupWeekly; without one, the policy's only rule.
	Name string `json:"name,omitempty"`
	// RetentionTag is the retention rule to keep the backup by; without one,
	// the rule's default.
	RetentionTag string `json:"retentionTag,omitempty"`
}

const learnedRule = "backupRule"

// instanceBackupSteps back up a backup instance of a Backup vault on demand.
// Source: Backup Instances - Adhoc Backup.
func (a azure) instanceBackupSteps() []step.Step {
	return append([]step.Step{
		{Name: "read-instance", Effect: step.Read, Run: a.readBackedUp},
		{Name: "pick-rule", Effect: step.Read, Run: a.pickRule},
	}, a.onceSteps(started{
		start: "trigger-instance-backup", await: "await-instance-backup", find: "find-instance-job", follow: "await-instance-job",
		what: "backup", code: "BackupUnclear",
		ask: func(ctx context.Context, c step.Call) (lro.Submission, error) {
			p, err := backupParameters(c)
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
		},
		// The list names each job's instance, and only the instance's are asked
		// for.
		candidates: a.instanceJobs(dataprotection.CategoryBackup, func(context.Context, step.Call, dataprotection.Job) (match, error) { return sameItem, nil }),
		read:       a.instanceJob,
	})...)
}

func (a azure) readBackedUp(ctx context.Context, c step.Call) (operation.Outcome, error) {
	p, err := backupParameters(c)
	if err != nil {
		return operation.Outcome{}, err
	}
	instance, err := a.readInstance(ctx, c, p.BackupInstanceID)
	if err != nil {
		return operation.Outcome{}, err
	}
	if err := unusable(instance); err != nil {
		return operation.Outcome{}, err
	}
	return learn(next(instance.FriendlyName+" is a "+instance.DatasourceType), factsOfInstance(instance)), nil
}

// pickRule checks the rule that was asked for against the policy.
func (a azure) pickRule(ctx context.Context, c step.Call) (operation.Outcome, error) {
	p, err := backupParameters(c)
	if err != nil {
		return operation.Outcome{}, err
	}
	id, err := foundInstance(c)
	if err != nil {
		return operation.Outcome{}, err
	}
	policyID := c.Operation.Learned[learnedPolicy]
	policy, err := a.dataProtection(c).GetPolicy(ctx, id.Vault, policyID[strings.LastIndexByte(policyID, '/')+1:])
	if err != nil {
		return operation.Outcome{}, err
	}
	names := make([]string, len(policy.BackupRules))
	for i, rule := range policy.BackupRules {
		names[i] = rule.Name
	}
	want := BackupRule{}
	if p.Rule != nil {
		want = *p.Rule
	}
	at := slices.Index(names, want.Name)
	if want.Name == "" && len(names) == 1 {
		at = 0
	}
	if at < 0 {
		return operation.Outcome{}, fatal("RuleNotFound", fmt.Sprintf("parameters.rule.name: %q is not a rule of policy %s", want.Name, policy.Name),
			"Ask again with one of "+strings.Join(names, ", ")+".")
	}
	rule := policy.BackupRules[at]
	if want.RetentionTag != "" && !slices.Contains(rule.RetentionTags, want.RetentionTag) {
		return operation.Outcome{}, fatal("RetentionTagNotFound", fmt.Sprintf("parameters.rule.retentionTag: rule %s has no retention tag %q", rule.Name, want.RetentionTag),
			"Ask again with one of "+strings.Join(rule.RetentionTags, ", ")+", or with none.")
	}
	return learn(next("by the rule "+rule.Name), map[string]string{learnedRule: rule.Name}), nil
}
