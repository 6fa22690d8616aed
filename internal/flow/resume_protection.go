package flow

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"azbackupflow/internal/arm/dataprotection"
	"azbackupflow/internal/arm/lro"
	"azbackupflow/internal/arm/recoveryservices"
	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

// ResumeProtection asks for the protection of something to go on that was
// stopped with its backups kept.
type ResumeProtection struct {
	Target
	// Policy is the name of the policy of the vault to put a protected item
	// under, or its resource id; a backup instance still has its own.
	Policy string `json:"policy,omitempty"`
}

func checkResumeProtection(raw json.RawMessage) (json.RawMessage, error) {
	var p ResumeProtection
	if err := step.Decode(raw, &p, "parameters"); err != nil {
		return nil, err
	}
	var c checks
	c.target(p.Target)
	switch {
	case p.BackupInstanceID != "" && p.Policy != "":
		c.add("policy", "is given for a backup instance", "nothing: it goes on under its own policy")
	case p.ItemID != "":
		if id, err := recoveryservices.ParseItemID(p.ItemID); err == nil {
			p.Policy = c.policy("policy", p.Policy, id.Vault)
		}
	case p.FileShare != nil:
		if vault, err := resourceid.ParseVaultID(p.FileShare.VaultID, resourceid.RecoveryServicesVault); err == nil {
			p.Policy = c.policy("policy", p.Policy, vault)
		}
	}
	return c.done(p)
}

// resumeProtection lets protection go on that was stopped.
// Sources: ProtectedItems - Create Or Update, Backup Instances - Resume
// Protection and Resume Backups.
func (a azure) resumeProtection() step.Flow {
	return step.Flow{
		Name: "resume-protection", Version: 1, Item: targetKey,
		Summary:  "let protection go on that was stopped with its backups kept",
		Deadline: 12 * time.Hour,
		Priority: operation.PriorityProtect,
		Check:    checkResumeProtection,
		Steps: []step.Step{
			{Name: "find-item", Effect: step.Read, Run: a.findTarget},
			{Name: "read-item", Effect: step.Read, Run: a.readTarget},
			{Name: "resume-item", Effect: step.Idempotent, Run: a.resumeItem},
			a.awaitOperation("await-resume", awaited{retry: "resume-item", job: "await-resume-job", gone: "confirm-resumed", what: "resuming protection"}),
			awaitJob("await-resume-job", awaitedJob{read: a.serviceJob(itemVault), retry: "resume-item"}),
			{Name: "confirm-resumed", Effect: step.Read, Run: a.confirmResumed},
			{Name: "read-instance", Effect: step.Read, Run: a.readTargetInstance},
			{Name: "resume-instance", Effect: step.Repeatable, Run: a.resumeInstance},
			a.awaitOperation("await-instance-resume", awaited{retry: "resume-instance", what: "resuming protection"}),
			{Name: "confirm-instance-resumed", Effect: step.Read, Run: a.confirmInstanceResumed},
			{Name: "include", Effect: step.Idempotent, Run: a.include},
		},
	}
}

func (a azure) resumeItem(ctx context.Context, c step.Call) (operation.Outcome, error) {
	var p ResumeProtection
	if err := json.Unmarshal(c.Operation.Parameters, &p); err != nil {
		return operation.Outcome{}, fatal("ParametersUnreadable", err.Error())
	}
	item, err := a.foundItem(ctx, c)
	if err != nil {
		return operation.Outcome{}, err
	}
	vault, err := itemVault(c)
	if err != nil {
		return operation.Outcome{}, err
	}
	stopped := item.ProtectionState == recoveryservices.StateProtectionStopped
	switch {
	case item.SoftDeleted:
		return operation.Outcome{}, usable(item)
	case !stopped && resourceid.Equal(item.PolicyID, vault.PolicyID(p.Policy)):
		return skipTo("confirm-resumed", "protection is not stopped"), nil
	case !stopped:
		return operation.Outcome{}, fatal("ProtectedByAnotherPolicy", item.FriendlyName+" is protected, under the policy "+item.PolicyID,
			"Change the item's policy in the vault yourself, if that is what you want.")
	}
	submitted, err := a.recoveryServices(c).ResumeProtection(ctx, item, vault.PolicyID(p.Policy))
	if err != nil {
		return operation.Outcome{}, err
	}
	return accepted(submitted, "protection is being resumed"), nil
}

func (a azure) confirmResumed(ctx context.Context, c step.Call) (operation.Outcome, error) {
	item, err := a.foundItem(ctx, c)
	if err != nil {
		return operation.Outcome{}, err
	}
	if item.ProtectionState == recoveryservices.StateProtectionStopped {
		return operation.Outcome{Kind: operation.Wait, Pace: operation.PaceJob, Note: "the item is still " + item.ProtectionState}, nil
	}
	return skipTo("include", "protected again, under the policy "+item.PolicyID[strings.LastIndexByte(item.PolicyID, '/')+1:]), nil
}

func (a azure) resumeInstance(ctx context.Context, c step.Call) (operation.Outcome, error) {
	instance, id, err := a.targetInstance(ctx, c)
	if err != nil {
		return operation.Outcome{}, err
	}
	var submitted lro.Submission
	switch instance.CurrentProtectionState {
	case dataprotection.StateSoftDeleted, dataprotection.StateSoftDeleting:
		return operation.Outcome{}, unusable(instance)
	case dataprotection.StateProtectionStopped:
		submitted, err = a.dataProtection(c).ResumeProtection(ctx, id)
	case dataprotection.StateBackupSchedulesSuspended, dataprotection.StateRetentionSchedulesSuspended:
		submitted, err = a.dataProtection(c).ResumeBackups(ctx, id)
	default:
		return skipTo("confirm-instance-resumed", "protection is not stopped"), nil
	}
	if err != nil {
		return operation.Outcome{}, err
	}
	return accepted(submitted, "protection is being resumed"), nil
}

func (a azure) confirmInstanceResumed(ctx context.Context, c step.Call) (operation.Outcome, error) {
	instance, _, err := a.targetInstance(ctx, c)
	if err != nil {
		return operation.Outcome{}, err
	}
	switch instance.CurrentProtectionState {
	case dataprotection.StateProtectionConfigured:
		return next("protected again"), nil
	case dataprotection.StateProtectionError, dataprotection.StateConfiguringProtectionFailed:
		return operation.Outcome{}, final(broken(instance))
	}
	return operation.Outcome{Kind: operation.Wait, Pace: operation.PaceJob, Note: "the instance is " + instance.CurrentProtectionState}, nil
}

// include forgets an exclusion: a person wants the datasource protected.
func (a azure) include(ctx context.Context, c step.Call) (operation.Outcome, error) {
	source := datasource(c)
	if c.DryRun != nil {
		return operation.Outcome{Kind: operation.Finish, Note: source + " would no longer be excluded from automatic protection"}, nil
	}
	if err := a.Include(ctx, source); err != nil {
		return operation.Outcome{}, &operation.Error{Code: "ExclusionNotRecorded", Class: operation.Transient, Message: err.Error()}
	}
	return operation.Outcome{Kind: operation.Finish, Note: source + " is protected, and no longer excluded from automatic protection"}, nil
}
