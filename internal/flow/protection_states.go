package flow

import (
	"azbackupflow/internal/arm/dataprotection"
	"azbackupflow/internal/arm/recoveryservices"
)

// treatment names the work of a flow on a protected item or a backup instance.
type treatment string

const (
	// proceed: the flow does its work.
	proceed treatment = "proceeds"
	// finished: the flow has nothing to do.
	finished treatment = "has nothing to do"
	// await: the flow waits until Azure has finished its own work.
	await treatment = "waits"
	// repair: the flow configures the protection again.
	repair treatment = "configures it again"
	// reject: the flow ends with an error that names what helps.
	reject treatment = "is rejected"
)

// treatments holds what each flow does in one state. Protected items are not
// restored by any flow, so their restore is empty.
type treatments struct {
	protect, backup, restore, stop, suspend, resume, change, remove treatment
}

// stateSoftDeleted is the row of protected items that are soft-deleted. Azure
// reports them as ProtectionStopped; only other fields tell them apart.
const stateSoftDeleted = "soft-deleted"

// itemStates returns what flows do with a protected item, by its
// protectionState.
func itemStates() map[string]treatments {
	working := treatments{protect: finished, backup: proceed, stop: proceed, suspend: proceed, resume: finished, change: proceed, remove: proceed}
	failing := treatments{protect: finished, backup: proceed, stop: proceed, suspend: proceed, resume: proceed, change: proceed, remove: proceed}
	stopped := treatments{protect: reject, backup: reject, stop: finished, suspend: reject, resume: proceed, change: reject, remove: proceed}
	suspended := treatments{protect: reject, backup: reject, stop: proceed, suspend: finished, resume: proceed, change: reject, remove: proceed}
	deleted := treatments{protect: reject, backup: reject, stop: reject, suspend: reject, resume: reject, change: reject, remove: finished}
	return map[string]treatments{
		recoveryservices.StateIRPending:         working,
		recoveryservices.StateProtected:         working,
		recoveryservices.StateProtectionError:   failing,
		recoveryservices.StateProtectionPaused:  failing,
		recoveryservices.StateInvalid:           failing,
		recoveryservices.StateProtectionStopped: stopped,
		recoveryservices.StateBackupsSuspended:  suspended,
		stateSoftDeleted:                        deleted,
	}
}

// instanceStates returns what flows do with a backup instance, by its
// currentProtectionState.
func instanceStates() map[string]treatments {
	failed := treatments{protect: repair, backup: proceed, restore: proceed, stop: proceed, suspend: proceed, resume: reject, change: proceed, remove: proceed}
	changing := treatments{protect: await, backup: proceed, restore: proceed, stop: proceed, suspend: proceed, resume: await, change: await, remove: proceed}
	configured := treatments{protect: finished, backup: proceed, restore: proceed, stop: proceed, suspend: proceed, resume: finished, change: proceed, remove: proceed}
	stopped := treatments{protect: reject, backup: reject, restore: proceed, stop: finished, suspend: reject, resume: proceed, change: reject, remove: proceed}
	suspended := treatments{protect: reject, backup: reject, restore: proceed, stop: proceed, suspend: finished, resume: proceed, change: reject, remove: proceed}
	deleted := treatments{protect: reject, backup: reject, restore: reject, stop: reject, suspend: reject, resume: reject, change: reject, remove: finished}
	return map[string]treatments{
		dataprotection.StateNotProtected:                failed,
		dataprotection.StateConfiguringProtectionFailed: failed,
		dataprotection.StateProtectionError:             failed,
		dataprotection.StateInvalid:                     failed,
		dataprotection.StateConfiguringProtection:       changing,
		dataprotection.StateUpdatingProtection:          changing,
		dataprotection.StateProtectionConfigured:        configured,
		dataprotection.StateProtectionStopped:           stopped,
		dataprotection.StateBackupsSuspended:            suspended,
		dataprotection.StateBackupSchedulesSuspended:    suspended,
		dataprotection.StateRetentionSchedulesSuspended: suspended,
		dataprotection.StateSoftDeleting:                deleted,
		dataprotection.StateSoftDeleted:                 deleted,
	}
}

// unknownItem is the row of states that the description of the API lacks: Azure
// decides, and protect does not write over them. No such state counts as stopped or
// resumed: these flows write, and wait for a state that they know.
func unknownItem() treatments {
	return treatments{protect: finished, backup: proceed, stop: proceed, suspend: proceed, resume: proceed, change: proceed, remove: proceed}
}

// unknownInstance is unknownItem for backup instances; protect waits for a state
// that it knows.
func unknownInstance() treatments {
	return treatments{protect: await, backup: proceed, restore: proceed, stop: proceed, suspend: proceed, resume: proceed, change: proceed, remove: proceed}
}

// treatItem returns what flows do with the item.
func treatItem(i recoveryservices.ProtectedItem) treatments {
	state := i.ProtectionState
	if i.SoftDeleted {
		state = stateSoftDeleted
	}
	if row, ok := itemStates()[state]; ok {
		return row
	}
	return unknownItem()
}

// treatInstance returns what flows do with the backup instance.
func treatInstance(i dataprotection.Instance) treatments {
	if row, ok := instanceStates()[i.CurrentProtectionState]; ok {
		return row
	}
	return unknownInstance()
}
