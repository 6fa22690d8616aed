package flow

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
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
	// item; empty means the policy that the item had when azbackupflow stopped it.
	// A backup instance keeps its own policy.
	Policy string `json:"policy,omitempty"`
}

func checkResumeProtection(c *checks, p *ResumeProtection) {
	c.target(p.Target)
	if p.Policy == "" {
		return
	}
	switch {
	case p.BackupInstanceID != "":
		c.add("policy", "is set for a backup instance", "no policy: a backup instance keeps its own")
	case p.ItemID != "":
		if id, err := recoveryservices.ParseItemID(p.ItemID); err == nil {
			p.Policy = c.policy("policy", p.Policy, id.Vault)
		}
	case p.FileShare != nil:
		if vault, err := p.FileShare.vault(); err == nil {
			p.Policy = c.policy("policy", p.Policy, vault)
		}
	}
}

func resumeParameters() schema.Parameters {
	rules := schema.Object{"oneOf": oneTarget()}
	maps.Copy(rules, schema.Object{"if": schema.Given("backupInstanceId"), "then": schema.Missing("policy")})
	return schema.Parameters{
		Type: reflect.TypeFor[ResumeProtection](), Rules: rules,
		Fields: targetFields().With(schema.Fields{"policy": {
			When: "only with `itemId` and `fileShare`", Rule: policyRule(),
			Meaning: "name of a policy of the vault, or its resource ID. Default: the policy that the item had when azbackupflow stopped it",
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
			Summary:    "resume protection that was stopped with its backups kept",
			Deadline:   12 * time.Hour,
			Priority:   operation.PriorityProtect,
			Check:      check(checkResumeProtection),
			GuardedFor: a.resumeIsGuarded(check(checkResumeProtection)),
			Steps:      a.resumeChange().steps(a),
		},
		Role:       roles.Protect,
		Parameters: resumeParameters,
		Intro: "Resumes protection that was stopped with its backups kept, and ends the exclusion from automatic protection. A protected item gets " +
			"the policy that it had when azbackupflow stopped it.",
		Notes: "The recorded policy counts only while nothing else has backed the item up since. " +
			"A shorter policy deletes recovery points. So a request for another policy, or for any policy of an item that something else stopped, is " +
			"guarded: over HTTP it needs the app role `Operations.Restore`; see [security.md](security.md).",
		Examples: []Example{{
			File: "resume-protection", About: "file share testshare", Key: "resume-testshare", Deadline: "PT12H", Labels: team("files"),
			Parameters: ResumeProtection{Target: Target{FileShare: exampleFileShare()}},
			After:      []string{"stop-protection"}, Cost: "a file share",
		}},
	}
}

// resumeChange describes how protection is resumed.
func (a azure) resumeChange() protectionChange {
	return protectionChange{
		verb: "resume", done: "resumed", what: "resuming protection", treats: ofResume, note: "protected again",
		item: step.Step{
			Name: "resume-item", Effect: step.Idempotent, Run: a.changeItem("protection is being resumed", ofResume, a.resumeItem),
			Calls: []string{"ProtectedItems_Get", "ProtectedItems_CreateOrUpdate"},
			Asks:  "writes the item with the policy",
			Then:  "an item that the vault backs up continues with `confirm-resumed`. An item with another policy is reported and not changed. Without a policy in the request, an item that something else stopped is rejected",
		},
		confirm: itemResumed, unconfirmed: notResumed,
		instance: step.Step{
			Name: "resume-instance", Effect: step.Repeatable, Run: a.changeInstance("protection is being resumed", ofResume, a.resumeInstance),
			Calls: []string{"BackupInstances_Get", "BackupInstances_ResumeProtection"},
			Asks:  "resumes the protection of a stopped or suspended instance",
		},
		record: a.includeStep(),
	}
}

func (a azure) resumeItem(ctx context.Context, c step.Call, item recoveryservices.ProtectedItem, by treatment) (lro.Submission, *operation.Outcome, error) {
	policy, err := a.policyToResume(ctx, c, item)
	if err != nil {
		return lro.Submission{}, nil, err
	}
	facts := map[string]string{learnedResumed: policy}
	switch {
	case by == finished && (policy == "" || resourceid.Equal(item.PolicyID, policy)):
		out := learn(skipTo("confirm-resumed", "protection is not stopped"), facts)
		return lro.Submission{}, &out, nil
	case !isStopped(item) && item.PolicyID != "" && !resourceid.Equal(item.PolicyID, policy):
		return lro.Submission{}, nil, anotherPolicy(item)
	case policy == "":
		return lro.Submission{}, nil, fatal("PolicyNotRecorded", "the policy that "+item.FriendlyName+" had is unknown: azbackupflow did not stop its protection",
			nameThePolicy)
	}
	submitted, err := a.recoveryServices(c).ResumeProtection(ctx, item, policy)
	out, err := accepted(submitted, err, "protection is being resumed with the policy "+resourceid.LastName(policy))
	if err != nil {
		return lro.Submission{}, nil, err
	}
	out = learn(out, facts)
	return lro.Submission{}, &out, nil
}

// learnedResumed is the policy that a resumed item gets.
const learnedResumed = "resumedPolicyId"

// policyToResume returns the requested policy, else the policy that the item
// still has or had when it was stopped; empty if that is unknown.
func (a azure) policyToResume(ctx context.Context, c step.Call, item recoveryservices.ProtectedItem) (string, error) {
	p, err := parametersOf[ResumeProtection](c)
	if err != nil {
		return "", err
	}
	vault, err := itemVault(c)
	if err != nil {
		return "", err
	}
	if p.Policy == "" && item.PolicyID != "" {
		return item.PolicyID, nil
	}
	known := []string{c.Operation.Learned[learnedItem], c.Operation.Learned[learnedExcluded]}
	recorded, err := a.recordedPolicy(ctx, known...)
	if err != nil {
		return "", err
	}
	policy := recorded.id
	if p.Policy != "" {
		policy = vault.PolicyID(p.Policy)
		if changed, err := a.forgottenSince(ctx, c, recorded, known); changed || err != nil {
			return "", cmp.Or(err, policyNotRecorded(item))
		}
	}
	if recorded.id != "" && isStopped(item) && resourceid.Equal(policy, recorded.id) && item.LastBackupTime.After(recorded.at) {
		return "", a.staleRecord(ctx, c, item, known)
	}
	return policy, nil
}

// staleRecord forgets the recorded policy of an item that was backed up after it
// was recorded: something else resumed the item in the meantime, perhaps with a
// policy that keeps its backups longer. The next request that names a policy is
// then guarded.
func (a azure) staleRecord(ctx context.Context, c step.Call, item recoveryservices.ProtectedItem, recorded []string) error {
	if err := a.forgetPolicy(ctx, c, recorded...); err != nil {
		return err
	}
	return policyNotRecorded(item)
}

func policyNotRecorded(item recoveryservices.ProtectedItem) error {
	return fatal("PolicyNotRecorded", "the policy that "+item.FriendlyName+" had is unknown: something else protected it after azbackupflow had stopped it",
		nameThePolicy)
}

// forgottenSince reports whether the recorded policy may have been forgotten after the
// request, or its retry, was accepted: then the request may have been accepted as one
// that is not guarded.
func (a azure) forgottenSince(ctx context.Context, c step.Call, recorded policyRecord, resourceIDs []string) (bool, error) {
	if recorded.id != "" {
		return false, nil
	}
	for _, id := range resourceIDs {
		x, err := a.excluded(ctx, id)
		if err != nil {
			return false, err
		}
		if x.At.After(laterOf(c.Operation.CreatedAt, c.Operation.RetriedAt)) {
			return true, nil
		}
	}
	return false, nil
}

const nameThePolicy = "Name the policy in parameters.policy. Over HTTP that needs the app role Operations.Restore."

// resumeIsGuarded returns a function that reports whether a request names another
// policy than the recorded one: a shorter policy deletes recovery points. normalize is
// the Check of the flow, whose parameters contain those of ResumeProtection.
func (a azure) resumeIsGuarded(normalize func(json.RawMessage) (json.RawMessage, error)) func(context.Context, json.RawMessage) (bool, error) {
	return func(ctx context.Context, raw json.RawMessage) (bool, error) {
		normal, invalid := normalize(raw)
		if invalid != nil {
			return false, nil // the flow's Check rejects it, with a better error
		}
		var p ResumeProtection
		if err := json.Unmarshal(normal, &p); err != nil {
			return true, unreadable(err)
		}
		return a.namesAnotherPolicy(ctx, p)
	}
}

func (a azure) namesAnotherPolicy(ctx context.Context, p ResumeProtection) (bool, error) {
	if p.Policy == "" {
		return false, nil
	}
	resource := p.ItemID
	if p.FileShare != nil {
		resource = shareResource(p.FileShare.StorageAccountID, p.FileShare.Name)
	}
	recorded, err := a.recordedPolicy(ctx, resource)
	if err != nil {
		return true, err
	}
	vault, err := p.vault()
	if err != nil {
		return true, err
	}
	return !resourceid.Equal(recorded.id, vault.PolicyID(p.Policy)), nil
}

// vault returns the vault of a protected item.
func (p ResumeProtection) vault() (resourceid.VaultID, error) {
	if p.FileShare != nil {
		return p.FileShare.vault()
	}
	id, err := recoveryservices.ParseItemID(p.ItemID)
	if err != nil {
		return resourceid.VaultID{}, unreadable(err)
	}
	return id.Vault, nil
}

func anotherPolicy(i recoveryservices.ProtectedItem) *operation.Error {
	return fatal("ProtectedByAnotherPolicy", i.FriendlyName+" is protected, under the policy "+i.PolicyID,
		"To change the policy of the item, change it in the vault.")
}

// itemResumed returns a note about an item that the vault backs up again, with the
// policy that it is to have.
func itemResumed(c step.Call, i recoveryservices.ProtectedItem) (note string, err error) {
	want := c.Operation.Learned[learnedResumed]
	switch {
	case i.PolicyID == "":
		return "", notYet("PolicyNotVisible", "the vault does not show the policy of "+i.FriendlyName+" yet", lookAtItem)
	case want != "" && !resourceid.Equal(i.PolicyID, want):
		return "", anotherPolicy(i)
	}
	return "protected again, under the policy " + resourceid.LastName(i.PolicyID), nil
}

const lookAtItem = "Look at the item in the vault."

// notResumed returns the error of an item that the vault reports as neither
// stopped nor backed up. Azure may need some time; if the state remains, someone
// must look at it.
func notResumed(i recoveryservices.ProtectedItem) *operation.Error {
	if isStopped(i) {
		return nil
	}
	return notYet("ProtectionNotResumed", fmt.Sprintf("the vault reports %s as %q after its protection was resumed", i.FriendlyName, i.ProtectionState),
		lookAtItem+" A backup with the flow backup-now shows whether it can be backed up.")
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

// isStopped reports whether somebody ended the backups of the item.
func isStopped(i recoveryservices.ProtectedItem) bool {
	return i.ProtectionState == recoveryservices.StateProtectionStopped || i.ProtectionState == recoveryservices.StateBackupsSuspended
}

func ofResume(t treatments) treatment { return t.resume }
