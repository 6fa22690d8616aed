package armsim

import (
	"slices"
	"time"
)

// stopItem answers a PUT of a protected item whose protectionState is
// ProtectionStopped or BackupsSuspended: backups stop, the data stays, in the
// second case until it expires (from the API documents). An immutable vault
// allows it; a resource guard does not.
func (s *Simulator) stopItem(c *call, b protection, i *item) (answer, *armError) {
	state := b.Properties.ProtectionState
	if state != protectionStopped && state != backupsSuspended {
		return answer{}, invalidInput("properties.protectionState", "%q is neither ProtectionStopped nor BackupsSuspended", state)
	}
	if i == nil {
		return answer{}, itemNotFound()
	}
	if err := i.container.checkSource(b, i.workload); err != nil {
		return answer{}, err
	}
	if b.Properties.PolicyID != "" {
		return answer{}, invalidInput("properties.policyId", "a stopped item has no policy")
	}
	if c.vault.ResourceGuard {
		return answer{}, missingResourceGuardRequest().plain()
	}
	out := s.outcome(operationStop, i.friendly, i.name)
	var j *job
	if out.operationError() == nil {
		j = s.startJob(c, operationStop, i, s.config.Durations.Unprotect, out, func(time.Time) {
			i.state, i.policy = state, ""
		})
	}
	o := s.start(c, 4, s.config.Durations.Unprotect, out, func(o *operation) *armError {
		o.job = j
		o.result = func() any { return s.itemView(i) }
		return nil
	})
	return s.accepted(c, o), nil
}

// undeleteItem answers a PUT of a soft-deleted item with isRehydrate. Recorded:
// the job is named Undelete, and the protection is stopped afterwards.
func (s *Simulator) undeleteItem(c *call, b protection, i *item) (answer, *armError) {
	switch p := b.Properties; {
	case i.purge.IsZero():
		return answer{}, invalidInput("properties.isRehydrate", "the item is not soft-deleted") // a choice
	case p.ProtectionState != protectionStopped || p.PolicyID != "":
		return answer{}, invalidInput("properties.protectionState", "an undeleted item is ProtectionStopped, without a policy")
	}
	if err := i.container.checkSource(b, i.workload); err != nil {
		return answer{}, err
	}
	out := s.outcome(operationUndelete, i.friendly, i.name)
	var j *job
	if out.operationError() == nil {
		j = s.startJob(c, operationUndelete, i, s.config.Durations.Undelete, out, func(time.Time) { i.purge = time.Time{} })
	}
	o := s.start(c, 4, s.config.Durations.Undelete, out, func(o *operation) *armError {
		o.job = j
		return nil
	})
	return s.accepted(c, o), nil
}

// resume protects the item with a policy, even if it was not stopped.
func (i *item) resume(policy string) {
	i.policy = policy
	if i.state != protectionStopped && i.state != backupsSuspended {
		return
	}
	i.state = stateFirstBackupPending
	if !i.lastBackup.IsZero() {
		i.state = stateProtected
	}
}

// removeItem removes an item, or soft-deletes it if the vault has soft delete.
// A soft-deleted item stays in the list of the vault.
func (s *Simulator) removeItem(i *item, at time.Time) {
	k := i.container
	remove := func(at time.Time) {
		if i.purge.After(at) || k.vault.SoftDelete != softDeleteDisabled && i.purge.IsZero() {
			return // undeleted meanwhile
		}
		k.items = slices.DeleteFunc(k.items, func(other *item) bool { return other == i })
		if k.workload == virtualMachine {
			k.vault.containers = slices.DeleteFunc(k.vault.containers, func(other *container) bool { return other == k })
		}
	}
	if k.vault.SoftDelete == softDeleteDisabled {
		remove(at)
		return
	}
	i.state, i.policy = protectionStopped, ""
	i.purge = at.Add(s.scaled(time.Duration(k.vault.SoftDeleteDays) * 24 * time.Hour))
	s.world.events.at(i.purge, remove)
}
