package readiness

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"azbackupflow/internal/api"
)

// next adds the commands that improve the state.
func (v *judgement) next(protected bool) {
	i := v.item
	command := func(words ...string) { v.item.Next = append(v.item.Next, Command(words...)) }
	switch {
	case protected:
		if i.State == api.ReadinessObjectivesMissed && !strings.HasPrefix(i.Reasons[0], "the newest drill") || i.BackupFailed != "" || i.FailedBackups > 0 {
			command("start", "backup-now", "--item", i.ItemID, "--wait")
		}
		if i.State != api.ReadinessProven {
			command("drills", "list")
		}
	case i.ItemID != "" && i.ProtectionState == "SoftDeleted":
		command("start", "undelete", "--item", i.ItemID, "--wait")
	case i.ItemID != "" && stopped(i.ProtectionState):
		command("start", "resume-protection", "--item", i.ItemID, "--wait")
	case i.ItemID != "" && i.ProtectionState == "IRPending":
		command("start", "backup-now", "--item", i.ItemID, "--wait")
	case i.ItemID != "":
		command("items", "list", i.VaultID)
	case i.RuleOutcome == outcomeProtect && i.ProtectCommand != "":
		v.item.Next = append(v.item.Next, i.ProtectCommand)
	default:
		command("protect", "explain", i.ResourceID)
	}
}

// ProtectCommand returns the command that starts a flow with these parameters; empty
// if a parameter is neither a text, a number nor true or false.
func ProtectCommand(flow string, parameters map[string]any) string {
	words := []string{"start", flow}
	for _, name := range slices.Sorted(maps.Keys(parameters)) {
		switch value := parameters[name].(type) {
		case string, float64, bool:
			words = append(words, "--set", fmt.Sprintf("%s=%v", name, value))
		case map[string]any:
			if len(value) > 0 {
				return ""
			}
		default:
			return ""
		}
	}
	if flow == "" {
		return ""
	}
	return Command(append(words, "--wait")...)
}

// stopped reports whether the protection was ended and can be resumed.
func stopped(state string) bool {
	switch state {
	case "ProtectionStopped", "BackupsSuspended", "ProtectionPaused", "SuspendBackups", "StopProtection":
		return true
	}
	return false
}

// ended reports whether the protection was stopped or deleted. Any other state, also an
// unknown one, means that the item was protected again.
func ended(state string) bool {
	switch state {
	case "BackupSchedulesSuspended", "RetentionSchedulesSuspended", "SoftDeleting", "SoftDeleted", "NotProtected":
		return true
	}
	return stopped(state)
}

// Command returns a command of azbackupflow for a POSIX shell. Words that the shell
// would change are quoted.
func Command(words ...string) string {
	quoted := make([]string, len(words))
	for n, w := range words {
		quoted[n] = w
		if w == "" || strings.Trim(w, safe) != "" {
			quoted[n] = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
	}
	return "azbackupflow " + strings.Join(quoted, " ")
}

// safe are the characters that a shell does not change.
const safe = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:@%+,="
