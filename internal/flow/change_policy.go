package flow

import (
	"context"
	"fmt"
	"reflect"
	"time"

	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/arm/dataprotection"
	"azbackupflow/internal/arm/recoveryservices"
	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/roles"
	"azbackupflow/internal/schema"
	"azbackupflow/internal/step"
)

// ChangePolicy assigns another policy of the same vault to a protected item or a
// backup instance.
type ChangePolicy struct {
	Target
	// Policy is the name or resource ID of the new policy.
	Policy string `json:"policy"`
	// AllowShorterRetention accepts a policy that keeps backups for a shorter
	// time: Azure then deletes backups earlier.
	AllowShorterRetention bool `json:"allowShorterRetention,omitempty"`
}

func checkChangePolicy(c *checks, p *ChangePolicy) {
	c.target(p.Target)
	switch {
	case p.BackupInstanceID != "":
		id, _ := dataprotection.ParseInstanceID(p.BackupInstanceID)
		p.Policy = c.backupPolicy("policy", p.Policy, id.Vault)
	case p.FileShare != nil:
		vault, _ := p.FileShare.vault()
		p.Policy = c.policy("policy", p.Policy, vault)
	default:
		id, _ := recoveryservices.ParseItemID(p.ItemID)
		p.Policy = c.policy("policy", p.Policy, id.Vault)
	}
}

func changePolicyParameters() schema.Parameters {
	return schema.Parameters{
		Type: reflect.TypeFor[ChangePolicy](),
		Fields: targetFields().With(schema.Fields{
			"policy": {
				Required: true, Rule: schema.NotEmpty(),
				Meaning: "name of a policy of the same vault, or its resource ID. It must be for the type of the datasource",
			},
			"allowShorterRetention": {Meaning: "`true`: accept a policy that keeps backups for a shorter time; Azure then deletes backups earlier"},
		}),
		Rules: schema.Object{
			"oneOf": oneTarget(),
			"if":    schema.Given("backupInstanceId"),
			"then":  schema.Object{"properties": schema.Object{"policy": backupPolicyRule()}},
			"else":  schema.Object{"properties": schema.Object{"policy": policyRule()}},
		},
	}
}

// changePolicy assigns another policy to an item.
// Sources: ProtectedItems - Create Or Update, Backup Instances - Create Or
// Update.
func (a azure) changePolicy() Definition {
	return Definition{
		Flow: step.Flow{
			Name: "change-policy", Version: 1, Item: targetKey,
			Summary:  "give a protected item or a backup instance another policy of its vault",
			Deadline: 12 * time.Hour,
			Priority: operation.PriorityProtect,
			Guarded:  true,
			Check:    check(checkChangePolicy),
			Steps: protectionChange{
				verb: "policy-change", done: "changed", what: "the change of the policy",
				itemChecks: []step.Step{a.compareItemPolicyStep()},
				item: step.Step{
					Name: "change-item", Effect: step.Idempotent, Run: a.changeItem("the policy is being changed", ofChange, a.changeItemPolicy),
					Calls: []string{"ProtectedItems_Get", "ProtectedItems_CreateOrUpdate"},
					Asks:  "writes the item with the policy", Then: "an item that already has the policy continues with `confirm-changed`",
				},
				itemDone:       itemHasPolicy,
				instanceChecks: []step.Step{a.compareInstancePolicyStep()},
				instance: step.Step{
					Name: "change-instance", Effect: step.Idempotent, Run: a.changeInstance("the policy is being changed", ofChange, a.changeInstancePolicy),
					Calls: []string{"BackupInstances_Get", "BackupInstances_CreateOrUpdate"},
					Asks:  "reads the instance and writes it back with the policy", Then: "one that already has the policy continues with `confirm-instance-changed`",
				},
				instanceDone: instanceHasPolicy,
			}.steps(a),
		},
		Role:       roles.Delete,
		Parameters: changePolicyParameters,
		Intro: "Gives a protected item or a backup instance another policy of the same vault. `learned.policyChange` says from what to what. It is " +
			"done when the vault reports the policy and the item is protected. Stopped and suspended items are rejected: resume them first.",
		Notes: "A policy that keeps backups for a shorter time deletes backups, so such a policy is rejected (`RetentionShrinks`) unless the request sets " +
			"`allowShorterRetention`. The flow is guarded: over HTTP it needs the app role `Operations.Restore`; see [security.md](security.md).",
		Examples: []Example{{
			File: "change-policy", About: "pgflextestserver", Key: "change-policy-pgflextestserver", Deadline: "PT12H", Labels: team("databases"),
			Cost:       "a server",
			Parameters: ChangePolicy{Target: Target{BackupInstanceID: exampleBackupVault + "/backupInstances/" + InstanceName(exampleServer)}, Policy: "pgflexpol2"},
			After:      []string{"backup-now-postgres"},
		}},
	}
}

func ofChange(t treatments) treatment { return t.change }

// The facts of a change of the policy.
const (
	learnedNewPolicy    = "newPolicyId"
	learnedPolicyChange = "policyChange"
)

// policyChanges returns the outcome of comparing the retention of two policies.
// shorter holds what the new policy keeps for a shorter time.
func policyChanges(p ChangePolicy, from, to, toID string, shorter []string) (operation.Outcome, error) {
	change := fmt.Sprintf("from %s to %s", from, to)
	if len(shorter) > 0 && !p.AllowShorterRetention {
		return operation.Outcome{}, fatal("RetentionShrinks", fmt.Sprintf("parameters.policy: the new policy keeps backups for a shorter time: %s; nothing was changed",
			joinReasons(shorter)), "Name a policy that keeps backups as long, or send the request again with parameters.allowShorterRetention set to true.")
	}
	return learn(next("the policy changes "+change), map[string]string{learnedNewPolicy: toID, learnedPolicyChange: change}), nil
}

// policyNotFound returns the error of a policy that the vault does not have.
func policyNotFound(policy string, vault resourceid.VaultID) *operation.Error {
	command := "az backup policy list"
	if vault.Type == resourceid.BackupVault {
		command = "az dataprotection backup-policy list"
	}
	return fatal("PolicyNotFound", fmt.Sprintf("policy %q not found in vault %q, or not readable", policy, vault.Name),
		"Check the vault and parameters.policy: `"+command+"` lists the vault's policies.")
}

// readInstancePolicy reads a policy of the vault of a backup instance.
func (a azure) readInstancePolicy(ctx context.Context, c step.Call, vault resourceid.VaultID, name string) (dataprotection.Policy, error) {
	policy, err := a.dataProtection(c).GetPolicy(ctx, vault, name)
	if azerr.IsNotFound(err) {
		return policy, policyNotFound(name, vault)
	}
	return policy, err
}
