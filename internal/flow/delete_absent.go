package flow

import (
	"context"
	"errors"
	"maps"

	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/arm/dataprotection"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

// The first steps of delete-protection succeed with a note if the item does not
// exist, as Azure answers 204. Each step reads the vault first, so that a wrong
// vault is still an error.

func (a azure) findDeletedStep() step.Step {
	s := a.findTargetStep(with(a.findDeleted))
	s.Calls = append(s.Calls, "Vaults_Get")
	s.Then = "a share that is not protected continues with `exclude`, with a note. A backup instance continues with `read-instance`"
	return s
}

func (a azure) readDeletedItemStep() step.Step {
	s := a.readItemStep()
	s.Run = a.readDeletedItem
	s.Calls = append(s.Calls, "Vaults_Get")
	s.Then = "an item that is not there ends the operation successfully, with a note"
	return s
}

func (a azure) readDeletedInstanceStep() step.Step {
	s := a.readInstanceStep()
	s.Run = with(a.readDeletedInstance)
	s.Calls = append(s.Calls, "BackupVaults_Get")
	s.Then = "an instance that is not there ends the operation successfully, with a note; so does one that is soft-deleted already"
	return s
}

func (a azure) findDeleted(ctx context.Context, c step.Call, t Target) (operation.Outcome, error) {
	out, err := a.findTarget(ctx, c, t)
	if !isNotProtected(err) {
		return out, err
	}
	vault, err := t.FileShare.vault()
	if err != nil {
		return operation.Outcome{}, err
	}
	if _, err := a.recoveryServices(c).GetVault(ctx, vault); err != nil {
		return operation.Outcome{}, err
	}
	return learn(skipTo("exclude", "the vault does not protect the share; nothing was deleted"), map[string]string{
		learnedEnd: "gone", learnedExcluded: shareResource(t.FileShare.StorageAccountID, t.FileShare.Name),
	}), nil
}

func (a azure) readDeletedItem(ctx context.Context, c step.Call) (operation.Outcome, error) {
	out, err := a.readTarget(ctx, c)
	if !isNotProtected(err) {
		return out, err
	}
	vault, err := itemVault(c)
	if err != nil {
		return operation.Outcome{}, err
	}
	if _, err := a.recoveryServices(c).GetVault(ctx, vault); err != nil {
		return operation.Outcome{}, err
	}
	return nothingDeleted(c, "the vault has no such item; nothing was deleted"), nil
}

func (a azure) readDeletedInstance(ctx context.Context, c step.Call, t Target) (operation.Outcome, error) {
	id, err := dataprotection.ParseInstanceID(t.BackupInstanceID)
	if err != nil {
		return operation.Outcome{}, unreadable(err)
	}
	out, err := a.readTargetInstance(ctx, c, t)
	if err == nil || !isNotProtected(err) && !hasCode(err, codeInstanceSoftDeleted) {
		return out, err
	}
	deleted, err := a.dataProtection(c).GetDeletedInstance(ctx, id)
	switch {
	case err == nil:
		facts := map[string]string{learnedEnd: "soft-deleted", learnedInstance: id.String()}
		maps.Copy(facts, map[string]string{learnedName: deleted.FriendlyName, learnedSource: deleted.DatasourceID})
		return learn(skipTo("exclude", "the instance was soft-deleted before"+purgedOn(deleted.ScheduledPurgeTime)), facts), nil
	case !azerr.IsNotFound(err):
		return operation.Outcome{}, err
	}
	if _, err := a.dataProtection(c).GetVault(ctx, id.Vault); err != nil {
		return operation.Outcome{}, err
	}
	return nothingDeleted(c, "the vault has no such backup instance; nothing was deleted"), nil
}

// nothingDeleted ends the operation. It first excludes the datasource, if known,
// from automatic protection.
func nothingDeleted(c step.Call, note string) operation.Outcome {
	out := finish(note)
	if datasource(c) != "" {
		out = skipTo("exclude", note)
	}
	return learn(out, map[string]string{learnedEnd: "gone"})
}

const (
	codeNotProtected        = "NotProtected"
	codeInstanceSoftDeleted = "InstanceSoftDeleted"
)

func isNotProtected(err error) bool { return hasCode(err, codeNotProtected) }

func hasCode(err error, code string) bool {
	var known *operation.Error
	return errors.As(err, &known) && known.Code == code
}
