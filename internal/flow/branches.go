package flow

import (
	"encoding/json"

	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

// onlyIf limits steps to the operations that can take them.
func onlyIf(runs func(operation.Operation) bool, steps ...step.Step) []step.Step {
	limited := make([]step.Step, len(steps))
	for i, s := range steps {
		if before := s.Runs; before != nil {
			s.Runs = func(op operation.Operation) bool { return before(op) && runs(op) }
		} else {
			s.Runs = runs
		}
		limited[i] = s
	}
	return limited
}

// whenCanceled reports whether a cancel request was recorded.
func whenCanceled(op operation.Operation) bool {
	return op.CancelRequested || op.Status == operation.Canceled
}

// whose returns a condition on the parameters. Parameters that cannot be read meet
// every condition: then nothing is known.
func whose[P any](holds func(P) bool) func(operation.Operation) bool {
	return func(op operation.Operation) bool {
		var p P
		return json.Unmarshal(op.Parameters, &p) != nil || holds(p)
	}
}

// ofItems and ofInstances limit steps to the protected items of a Recovery Services
// vault, and to the backup instances of a Backup vault.
func ofItems(steps ...step.Step) []step.Step {
	return onlyIf(whose(func(t Target) bool { return t.BackupInstanceID == "" }), steps...)
}

func ofInstances(steps ...step.Step) []step.Step {
	return onlyIf(whose(func(t Target) bool { return t.BackupInstanceID != "" }), steps...)
}

// withFirstBackup limits steps to requests for a first backup.
func withFirstBackup(steps ...step.Step) []step.Step {
	type parameters struct {
		FirstBackup *FirstBackup `json:"firstBackup"`
	}
	return onlyIf(whose(func(p parameters) bool { return p.FirstBackup != nil }), steps...)
}
