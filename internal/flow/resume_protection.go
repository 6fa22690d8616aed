package flow

import (
	"context"
	"maps"
	"reflect"
	"time"

	"azbackupflow/internal/arm/dataprotection"
	"azbackupflow/internal/arm/lro"
	"azbackupflow/internal/arm/recoveryservices"
	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/roles"
	"azbackupflow/internal/schema"
	"azbackupflow/internal/step"
)

// ResumeProtection resumes protection that was stopped with its backups kept.
type ResumeProtection struct {
	Target
	// Policy is the name or resource ID of the vault's policy for a protected
	// item; a backup instance keeps its own policy.
	Policy string `json:"policy,omitempty"`
}

func checkResumeProtection(c *checks, p *ResumeProtection) {
	c.target(p.Target)
	switch {
	case p.BackupInstanceID != "" && p.Policy != "":
		c.add("policy", "is set for a backup instance", "no policy: a backup instance keeps its own")
	case p.ItemID != "":
		if id, err := recoveryservices.ParseItemID(p.ItemID); err == nil {
			p.Policy = c.policy("policy", p.Policy, id.Vault)
		}
	case p.FileShare != nil:
		if vault, err := resourceid.ParseVaultID(p.FileShare.VaultID, resourceid.RecoveryServicesVault); err == nil {
			p.Policy = c.policy("policy", p.Policy, vault)
		}
	}
}

func resumeParameters() schema.Parameters {
	rules := schema.Object{"oneOf": oneTarget()}
	maps.Copy(rules, schema.Object{"if": schema.Given("backupInstanceId"), "then": schema.Missing("policy"), "else": schema.Given("policy")})
	return schema.Parameters{
		Type: reflect.TypeFor[ResumeProtection](), Rules: rules,
		Fields: targetFields().With(schema.Fields{"policy": {
			When: "required with `itemId` and `fileShare`", Rule: policyRule(),
			Meaning: "name of a policy of the vault, or its resource ID. A backup instance keeps its own policy",
		}}),
	}
}

// resumeProtection resumes protection that was stopped.
// Sources: ProtectedItems - Create Or Update, Backup Instances - Resume
// Protection.
func (a azure) resumeProtection() Definition {
	return Definition{
		Flow: step.Flow{
			Name: "resume-protection", Version: 1, Item: targetKey,
			Summary:  "resume protection that was stopped with its backups kept",
			Deadline: 12 * time.Hour,
			Priority: operation.PriorityProtect,
			Check:    check(checkResumeProtection),
			Steps: protectionChange{
				verb: "resume", done: "resumed", what: "resuming protection",
				item: step.Step{
					Name: "resume-item", Effect: step.Idempotent, Run: a.changeItem("protection is being resumed", ofResume, a.resumeItem),
					Calls: []string{"ProtectedItems_Get", "ProtectedItems_CreateOrUpdate"},
					Asks:  "writes the item with the policy",
					Then:  "an item that is not stopped continues with `confirm-resumed`. An item with another policy is reported and not changed",
				},
				itemDone: func(i recoveryservices.ProtectedItem) (string, bool) {
					return "protected again, under the policy " + resourceid.LastName(i.PolicyID), itemResumed(i)
				},
				instance: step.Step{
					Name: "resume-instance", Effect: step.Repeatable, Run: a.changeInstance("protection is being resumed", ofResume, a.resumeInstance),
					Calls: []string{"BackupInstances_Get", "BackupInstances_ResumeProtection"},
					Asks:  "resumes the protection of a stopped or suspended instance",
				},
				instanceDone: instanceResumed,
				record:       a.includeStep(),
			}.steps(a),
		},
		Role:       roles.Protect,
		Parameters: resumeParameters,
		Intro:      "Resumes protection that was stopped with its backups kept, and ends the exclusion from automatic protection.",
		Examples: []Example{{
			File: "resume-protection", About: "file share testshare", Key: "resume-testshare", Deadline: "PT12H", Labels: team("files"),
			Parameters: ResumeProtection{Target: Target{FileShare: exampleFileShare()}, Policy: "schedule1"},
			After:      []string{"stop-protection"}, Cost: "a file share",
		}},
	}
}

func (a azure) resumeItem(ctx context.Context, c step.Call, item recoveryservices.ProtectedItem) (lro.Submission, *operation.Outcome, error) {
	p, err := parametersOf[ResumeProtection](c)
	if err != nil {
		return lro.Submission{}, nil, err
	}
	vault, err := itemVault(c)
	if err != nil {
		return lro.Submission{}, nil, err
	}
	policy := vault.PolicyID(p.Policy)
	switch stopped := !itemResumed(item); {
	case !stopped && resourceid.Equal(item.PolicyID, policy):
		return nothingToDo("confirm-resumed", "protection is not stopped")
	case !stopped:
		return lro.Submission{}, nil, fatal("ProtectedByAnotherPolicy", item.FriendlyName+" is protected, under the policy "+item.PolicyID,
			"To change the policy of the item, change it in the vault.")
	}
	submitted, err := a.recoveryServices(c).ResumeProtection(ctx, item, policy)
	return submitted, nil, err
}

// resumeInstance sends resumeProtection for a stopped instance and, as recorded,
// for a suspended one. Azure answers 200 at once if there is nothing to do.
func (a azure) resumeInstance(ctx context.Context, c step.Call, id dataprotection.InstanceID, by treatment) (lro.Submission, *operation.Outcome, error) {
	if by != proceed {
		return nothingToDo("confirm-instance-resumed", "protection is not stopped")
	}
	submitted, err := a.dataProtection(c).ResumeProtection(ctx, id)
	return submitted, nil, err
}

// itemResumed reports whether the vault backs the item up again.
func itemResumed(i recoveryservices.ProtectedItem) bool {
	return i.ProtectionState != recoveryservices.StateProtectionStopped && i.ProtectionState != recoveryservices.StateBackupsSuspended
}

func ofResume(t treatments) treatment { return t.resume }

func instanceResumed(i dataprotection.Instance) (note string, ok bool, err error) {
	switch by := treatInstance(i).resume; by {
	case finished:
		return "protected again", true, nil
	case reject:
		return "", false, rejectedInstance(i, by)
	}
	return "", false, nil
}
