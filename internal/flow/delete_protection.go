package flow

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"azbackupflow/internal/arm/recoveryservices"
	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

// checkDeleteProtection refuses every deletion unless an operator has allowed
// deleting.
func (a azure) checkDeleteProtection(raw json.RawMessage) (json.RawMessage, error) {
	parameters, err := checkTarget(raw)
	if !a.Guardrails.Delete {
		return parameters, &step.Invalid{Fields: []step.FieldError{{
			Field: "flow", Problem: "delete-protection is not allowed here", Want: "another flow, such as stop-protection; an operator allows it by the setting " + settingDelete,
		}}}
	}
	return parameters, err
}

// checkTarget checks parameters that are a target and nothing else.
func checkTarget(raw json.RawMessage) (json.RawMessage, error) {
	var t Target
	if err := step.Decode(raw, &t, "parameters"); err != nil {
		return nil, err
	}
	var c checks
	c.target(t)
	return c.done(t)
}

// deleteProtection stops protection and deletes the backups.
// Sources: ProtectedItems - Delete, Backup Instances - Delete.
func (a azure) deleteProtection() step.Flow {
	return step.Flow{
		Name: "delete-protection", Version: 1, Item: targetKey,
		Summary:  "stop protection and delete the backups, until they are gone or soft-deleted",
		Guarded:  true,
		Deadline: 24 * time.Hour,
		Check:    a.checkDeleteProtection,
		Steps: append(append([]step.Step{
			{Name: "find-item", Effect: step.Read, Run: a.findTarget},
			{Name: "read-item", Effect: step.Read, Run: a.readTarget},
			{Name: "check-vault", Effect: step.Read, Run: a.checkVault},
			{Name: "delete-item", Effect: step.Idempotent, Run: a.deleteItem},
			a.awaitOperation("await-deletion", awaited{retry: "delete-item", job: "await-deletion-job", gone: "confirm-gone", what: "the deletion"}),
			awaitJob("await-deletion-job", awaitedJob{read: a.serviceJob(itemVault), retry: "delete-item"}),
			{Name: "confirm-gone", Effect: step.Read, Run: a.confirmGone},
		}, a.deleteInstanceSteps()...), step.Step{Name: "exclude", Effect: step.Idempotent, Run: a.exclude}),
	}
}

// findTarget finds the item of a file share by its name; what was given by id
// needs no finding.
func (a azure) findTarget(ctx context.Context, c step.Call) (operation.Outcome, error) {
	t, err := targetOf(c)
	if err != nil {
		return operation.Outcome{}, err
	}
	return a.find(ctx, c, t)
}

func (a azure) find(ctx context.Context, c step.Call, t Target) (operation.Outcome, error) {
	if t.BackupInstanceID != "" {
		return skipTo("read-instance", "the backup instance is given by its id"), nil
	}
	if t.FileShare == nil {
		return learn(next("the item is given by its id"), map[string]string{learnedItem: t.ItemID}), nil
	}
	vault, err := resourceid.ParseVaultID(t.FileShare.VaultID, resourceid.RecoveryServicesVault)
	if err != nil {
		return operation.Outcome{}, fatal("ParametersUnreadable", err.Error())
	}
	item, found, err := a.findShare(ctx, c, share{vault: vault, account: t.FileShare.StorageAccountID, name: t.FileShare.Name})
	if err != nil {
		return operation.Outcome{}, err
	}
	if !found {
		return operation.Outcome{}, fatal("NotProtected",
			fmt.Sprintf("vault %s does not protect file share %s of %s", vault.Name, t.FileShare.Name, t.FileShare.StorageAccountID),
			"Protect the share first, with the flow protect-file-share.")
	}
	return learn(next("the vault protects the share as "+item.Name), factsOf(item)), nil
}

// readTarget reads what the item is now, to tell later whether it still is.
func (a azure) readTarget(ctx context.Context, c step.Call) (operation.Outcome, error) {
	item, err := a.foundItem(ctx, c)
	if err != nil {
		return operation.Outcome{}, err
	}
	facts := factsOf(item)
	delete(facts, learnedItem)
	facts[learnedReadAt] = c.Now.UTC().Format(time.RFC3339Nano)
	if item.Type == recoveryservices.ItemAzureFileShare {
		facts[learnedExcluded] = shareResource(item.SourceResourceID, item.FriendlyName)
	}
	return learn(next(item.FriendlyName+" is "+item.ProtectionState), facts), nil
}

// learnedReadAt is when this operation first read the item.
const learnedReadAt = "readAt"

// foundItem reads the item that an earlier step found.
func (a azure) foundItem(ctx context.Context, c step.Call) (recoveryservices.ProtectedItem, error) {
	id := c.Operation.Learned[learnedItem]
	item, err := a.recoveryServices(c).GetProtectedItem(ctx, id)
	if isNotFound(err) {
		return item, fatal("NotProtected", "the vault has no such protected item: "+id,
			"Check parameters.itemId: `az backup item list` lists the vault's items with their ids.")
	}
	return item, err
}

// checkVault refuses, in words and before anything is tried, what an immutable
// vault or a Resource Guard would refuse.
func (a azure) checkVault(ctx context.Context, c step.Call) (operation.Outcome, error) {
	id, err := itemVault(c)
	if err != nil {
		return operation.Outcome{}, err
	}
	vault, err := a.recoveryServices(c).GetVault(ctx, id)
	switch {
	case err != nil:
		return operation.Outcome{}, err
	case vault.Immutable():
		return operation.Outcome{}, immutable(id.Name)
	case vault.ProtectedByResourceGuard():
		return operation.Outcome{}, guarded(id.Name)
	}
	return next(afterDeletion(vault.SoftDeletes(), vault.SoftDeleteRetentionDays)), nil
}

func immutable(vault string) *operation.Error {
	return fatal("VaultImmutable", fmt.Sprintf("vault %s is immutable: backups there are not deleted before they expire", vault),
		"Use the flow stop-protection, which keeps them.")
}

func guarded(vault string) *operation.Error {
	return fatal("ResourceGuard", fmt.Sprintf("a Resource Guard protects vault %s: deleting needs a second person's approval", vault),
		"Have the deletion approved and made in the portal; azbackupflow does not go around the guard.")
}

func afterDeletion(soft bool, days string) string {
	if soft {
		return "the vault keeps deleted backups for " + days + " days"
	}
	return "deleted backups will be gone for good"
}

// deleteItem reads the item once more and deletes it only if it is what was
// read before: a delete that comes late must not hit an item that was protected
// anew.
func (a azure) deleteItem(ctx context.Context, c step.Call) (operation.Outcome, error) {
	if !a.Guardrails.Delete {
		return operation.Outcome{}, withdrawn("deleting", settingDelete)
	}
	item, err := a.recoveryServices(c).GetProtectedItem(ctx, c.Operation.Learned[learnedItem])
	if isNotFound(err) || err == nil && item.SoftDeleted {
		return skipTo("confirm-gone", "the item is deleted already"), nil
	}
	if err != nil {
		return operation.Outcome{}, err
	}
	anew, err := a.protectedAnew(ctx, c)
	if err != nil {
		return operation.Outcome{}, err
	}
	known := c.Operation.Learned
	if anew || !resourceid.Equal(item.SourceResourceID, known[learnedSource]) || !resourceid.Equal(item.PolicyID, known[learnedPolicy]) {
		return operation.Outcome{}, changedMeanwhile(item.FriendlyName)
	}
	if err := a.excludeFirst(ctx, c); err != nil {
		return operation.Outcome{}, err
	}
	submitted, err := a.recoveryServices(c).DeleteProtectedItem(ctx, known[learnedItem])
	if err != nil {
		return operation.Outcome{}, err
	}
	return accepted(submitted, "the item is being deleted"), nil
}

// protectedAnew reports whether the item's protection was configured since this
// operation first read it: an item that was deleted and protected again has the
// same id.
func (a azure) protectedAnew(ctx context.Context, c step.Call) (bool, error) {
	since, err := time.Parse(time.RFC3339Nano, c.Operation.Learned[learnedReadAt])
	if err != nil {
		return false, fatal("ItemUnknown", err.Error())
	}
	vault, err := itemVault(c)
	if err != nil {
		return false, err
	}
	jobs, err := a.recoveryServices(c).ListJobs(ctx, vault, recoveryservices.JobFilter{
		Operation: recoveryservices.OperationConfigureBackup, StartTime: since, EndTime: c.Now.Add(time.Minute),
	})
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(jobs, func(j recoveryservices.Job) bool {
		return !j.StartTime.Before(since) && ofItem(j, c.Operation.Learned) != otherItem
	}), nil
}

func changedMeanwhile(name string) *operation.Error {
	return fatal("ChangedMeanwhile", name+" was protected anew, or differently, since this operation looked at it; nothing was deleted",
		"Look at it, and ask again if it is still to be deleted.")
}

// confirmGone ends only when the item is gone or soft-deleted, and says which.
func (a azure) confirmGone(ctx context.Context, c step.Call) (operation.Outcome, error) {
	item, err := a.recoveryServices(c).GetProtectedItem(ctx, c.Operation.Learned[learnedItem])
	switch {
	case isNotFound(err):
		return learn(skipTo("exclude", "the item and its backups are gone"), map[string]string{learnedEnd: "gone"}), nil
	case err != nil:
		return operation.Outcome{}, err
	case item.SoftDeleted:
		return learn(skipTo("exclude", "the item is soft-deleted; its backups are kept for a while"), map[string]string{learnedEnd: "soft-deleted"}), nil
	}
	return operation.Outcome{Kind: operation.Wait, Pace: operation.PaceJob, Note: "the item is still there, " + item.ProtectionState}, nil
}

const (
	// learnedEnd is gone or soft-deleted.
	learnedEnd = "deletion"
	// learnedExcluded is the resource to exclude, where it is not the item's
	// source.
	learnedExcluded = "excludedResourceId"
)

// exclude records that the datasource is not to be protected automatically:
// otherwise the next event would undo what a person decided.
func (a azure) exclude(ctx context.Context, c step.Call) (operation.Outcome, error) {
	source := datasource(c)
	if c.DryRun != nil {
		return operation.Outcome{Kind: operation.Finish, Note: "automatic protection would leave " + source + " alone from then on"}, nil
	}
	if err := a.excludeFirst(ctx, c); err != nil {
		return operation.Outcome{}, err
	}
	return operation.Outcome{Kind: operation.Finish, Note: "automatic protection leaves " + source + " alone from now on"}, nil
}

// excludeFirst records the exclusion before a deletion is asked for, too: who
// cancels the operation after that, or whose operation runs out of time, does
// not find protected anew what Azure has deleted.
func (a azure) excludeFirst(ctx context.Context, c step.Call) error {
	if c.DryRun != nil {
		return nil
	}
	if err := a.Exclude(ctx, datasource(c), c.Operation.ID, c.Now); err != nil {
		return &operation.Error{Code: "ExclusionNotRecorded", Class: operation.Transient, Message: err.Error()}
	}
	return nil
}

// datasource is the resource id of what is protected.
func datasource(c step.Call) string {
	if id := c.Operation.Learned[learnedExcluded]; id != "" {
		return id
	}
	return c.Operation.Learned[learnedSource]
}
