package flow

import (
	"context"
	"fmt"
	"reflect"
	"time"

	"azbackupflow/internal/arm/dataprotection"
	"azbackupflow/internal/arm/lro"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/roles"
	"azbackupflow/internal/schema"
	"azbackupflow/internal/step"
)

// The two flows of this file are the worked example of docs/development.md. Each
// part between "begin" and "end" is what a file of its own would hold. Only
// tests register them.

// begin count-recovery-points

// CountRecoveryPoints counts the recovery points of a backup instance.
type CountRecoveryPoints struct {
	BackupInstanceID string `json:"backupInstanceId"`
}

func (a azure) countRecoveryPoints() Definition {
	return Definition{
		Flow: step.Flow{
			Name: "count-recovery-points", Version: 1,
			Summary:  "count the recovery points of a backup instance",
			Deadline: time.Hour,
			Check:    check(func(c *checks, p *CountRecoveryPoints) { c.instance("backupInstanceId", p.BackupInstanceID) }),
			Steps: []step.Step{{
				Name: "count", Effect: step.Read, Run: with(a.countPoints),
				Calls: []string{"RecoveryPoints_List"},
				Asks:  "lists the recovery points", Then: "the operation ends with their number in its history",
			}},
		},
		Role: roles.Read,
		Parameters: func() schema.Parameters {
			return schema.Parameters{Type: reflect.TypeFor[CountRecoveryPoints](), Fields: schema.Fields{
				"backupInstanceId": {Required: true, Meaning: "resource ID of the backup instance", Rule: instanceRule()},
			}}
		},
		Intro: "Counts the recovery points of a backup instance. It changes nothing.",
		Examples: []Example{{
			File: "count-recovery-points", About: "empdb11", Key: "count-empdb11", Deadline: "PT1H",
			Parameters: CountRecoveryPoints{BackupInstanceID: exampleInstance}, Cost: "a database",
		}},
	}
}

func (a azure) countPoints(ctx context.Context, c step.Call, p CountRecoveryPoints) (operation.Outcome, error) {
	id, err := dataprotection.ParseInstanceID(p.BackupInstanceID)
	if err != nil {
		return operation.Outcome{}, unreadable(err)
	}
	points, err := a.dataProtection(c).ListRecoveryPoints(ctx, id, dataprotection.RecoveryPointFilter{})
	if err != nil {
		return operation.Outcome{}, err
	}
	return finish(fmt.Sprintf("%s has %d recovery points", id.Name, len(points))), nil
}

// end count-recovery-points

// begin backup-weekly

// BackupWeekly backs up a backup instance by the rule BackupWeekly of its policy.
type BackupWeekly struct {
	BackupInstanceID string `json:"backupInstanceId"`
}

func (a azure) backupWeekly() Definition {
	return Definition{
		Flow: step.Flow{
			Name: "backup-weekly", Version: 1,
			// No other operation changes the instance while this one does.
			Item:     targetKey,
			Summary:  "back up a backup instance by the rule BackupWeekly",
			Deadline: 24 * time.Hour,
			Priority: operation.PriorityBackup,
			Check:    check(func(c *checks, p *BackupWeekly) { c.instance("backupInstanceId", p.BackupInstanceID) }),
			Steps: append([]step.Step{{
				Name: "read-instance", Effect: step.Read, Run: with(a.readWeekly),
				Calls: []string{"BackupInstances_Get"}, Asks: "reads the backup instance",
			}}, a.onceSteps(onceCall{
				start: "trigger", await: "await-start", find: "find-job", follow: "await-job",
				what: "backup", ambiguous: "BackupUnclear",
				calls: []string{"BackupInstances_AdhocBackup"}, send: a.triggerWeekly,
				// A lost answer is reconciled with the jobs of the instance.
				lists:      []string{"Jobs_List"},
				candidates: a.instanceJobs(dataprotection.CategoryBackup, jobOfTheInstance),
				job:        a.instanceJob(instanceVault),
			})...),
		},
		Role: roles.Backup,
		Parameters: func() schema.Parameters {
			return schema.Parameters{Type: reflect.TypeFor[BackupWeekly](), Fields: schema.Fields{
				"backupInstanceId": {Required: true, Meaning: "resource ID of the backup instance", Rule: instanceRule()},
			}}
		},
		Intro: "Backs up a backup instance by the rule `BackupWeekly` of its policy.",
		Examples: []Example{{
			File: "backup-weekly", About: "pgflextestserver", Key: "weekly-pgflextestserver", Deadline: "P1D",
			Parameters: BackupWeekly{BackupInstanceID: exampleBackupVault + "/backupInstances/" + InstanceName(exampleServer)},
			After:      []string{"protect-postgres"}, Cost: "a server",
		}},
	}
}

func (a azure) readWeekly(ctx context.Context, c step.Call, p BackupWeekly) (operation.Outcome, error) {
	instance, err := a.readInstance(ctx, c, p.BackupInstanceID)
	if err != nil {
		return operation.Outcome{}, err
	}
	if err := rejectedInstance(instance, treatInstance(instance).backup); err != nil {
		return operation.Outcome{}, err
	}
	return learn(next(instance.FriendlyName+" can be backed up"), factsOfInstance(instance)), nil
}

func (a azure) triggerWeekly(ctx context.Context, c step.Call) (lro.Submission, error) {
	id, err := foundInstance(c)
	if err != nil {
		return lro.Submission{}, err
	}
	return a.dataProtection(c).Backup(ctx, id, dataprotection.BackupRuleOptions{RuleName: "BackupWeekly"}, c.AttemptID)
}

func jobOfTheInstance(context.Context, step.Call, dataprotection.Job) (match, error) {
	return sameItem, nil // the list is filtered by instance
}

// end backup-weekly

// NewFlows returns the definitions of the worked example.
func NewFlows(cfg Config) ([]Definition, error) {
	a, err := newAzure(cfg)
	if err != nil {
		return nil, err
	}
	return []Definition{a.countRecoveryPoints(), a.backupWeekly()}, nil
}
