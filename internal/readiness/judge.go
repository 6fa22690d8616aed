package readiness

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"azbackupflow/internal/api"
	"azbackupflow/internal/drill/evidence"
)

// Config configures a Judge. Now and MaxProofAge are required.
type Config struct {
	Now time.Time
	// MaxProofAge is the age from which a drill proves nothing.
	MaxProofAge time.Duration
	// MaxPointAge is the maximum age of the newest backup; 0 means unlimited.
	MaxPointAge time.Duration
}

// Judge decides about resources.
type Judge struct{ c Config }

// New returns a Judge.
func New(c Config) (*Judge, error) {
	if c.Now.IsZero() || c.MaxProofAge <= 0 || c.MaxPointAge < 0 {
		return nil, errors.New("readiness: Now, a positive MaxProofAge and a MaxPointAge of at least 0 are required")
	}
	return &Judge{c: c}, nil
}

// Assess returns the resource with its state, the reasons, and what to do next, which
// follow from its other fields. Whatever is unknown counts against the resource.
func (j *Judge) Assess(item api.ReadinessItem) api.ReadinessItem {
	v := judgement{item: item}
	v.item.State, v.item.Reasons, v.item.Next = "", nil, []string{}
	protected := v.protection()
	if v.item.State == api.ReadinessExcluded {
		return v.item
	}
	if item.ItemID != "" {
		j.judgeBackup(&v)
		j.judgeDrill(&v)
	}
	v.next(protected)
	return v.item
}

// judgement collects the reasons for a state.
type judgement struct{ item api.ReadinessItem }

// add adds a reason. Of several states, the highest rank counts, and its first
// reason comes first.
func (v *judgement) add(s api.ReadinessState, format string, args ...any) {
	reason := fmt.Sprintf(format, args...)
	if rank(s) > rank(v.item.State) {
		v.item.State = s
		v.item.Reasons = append([]string{reason}, v.item.Reasons...)
		return
	}
	v.item.Reasons = append(v.item.Reasons, reason)
}

// note adds a reason that does not change the state.
func (v *judgement) note(format string, args ...any) {
	v.item.Reasons = append(v.item.Reasons, fmt.Sprintf(format, args...))
}

// rank orders the states.
func rank(s api.ReadinessState) int {
	switch s {
	case api.ReadinessProven:
		return 1
	case api.ReadinessNotProven:
		return 2
	case api.ReadinessObjectivesMissed:
		return 3
	case api.ReadinessNotProtected:
		return 4
	case api.ReadinessExcluded:
		return 5
	}
	return 0
}

// Protected reports whether Azure backs the resource up: its protection state is
// Protected or ProtectionConfigured.
func Protected(item api.ReadinessItem) bool {
	return item.ItemID != "" && (item.ProtectionState == "Protected" || item.ProtectionState == "ProtectionConfigured")
}

// Outcomes of protection rules.
const (
	outcomeProtect = "protect"
	outcomeExclude = "exclude"
)

// protection judges whether the resource is backed up, or not on purpose.
func (v *judgement) protection() (protected bool) {
	i := v.item
	unprotected := i.ItemID == "" || ended(i.ProtectionState)
	switch {
	case Protected(i):
		if i.RuleOutcome == outcomeExclude {
			v.note("the rule %s excludes it, but it is protected", i.Rule)
		}
		return true
	case unprotected && i.ExcludedBy != "":
		v.add(api.ReadinessExcluded, "a user ended its protection with operation %s", i.ExcludedBy)
	case unprotected && i.RuleOutcome == outcomeExclude:
		v.add(api.ReadinessExcluded, "the rule %s excludes it", i.Rule)
	case i.ItemID != "" && i.ProtectionState == "":
		v.add(api.ReadinessNotProtected, "Azure reports no protection state")
	case i.ItemID != "":
		v.add(api.ReadinessNotProtected, "the protection state is %s", i.ProtectionState)
	case i.RuleOutcome == outcomeProtect:
		v.add(api.ReadinessNotProtected, "the rule %s protects it, but no vault of the report does", i.Rule)
	default:
		v.add(api.ReadinessNotProtected, "no rule matches it, and no vault of the report protects it")
	}
	return false
}

// NewestBackup returns the time of the newest backup that is known: of a recovery
// point, or of a backup that succeeded. It is nil if neither is known.
func NewestBackup(i api.ReadinessItem) *time.Time {
	if i.LastRecoveryPoint == nil || i.LastBackup != nil && i.LastBackup.After(*i.LastRecoveryPoint) {
		return i.LastBackup
	}
	return i.LastRecoveryPoint
}

// backupKnown reports whether the time of the newest backup is known, and not in the
// future.
func backupKnown(i api.ReadinessItem, now time.Time) bool {
	newest := NewestBackup(i)
	return newest != nil && !newest.After(now.Add(maxClockSkew))
}

// judgeBackup compares the age of the newest backup with its maximum.
func (j *Judge) judgeBackup(v *judgement) {
	newest := NewestBackup(v.item)
	switch {
	case j.c.MaxPointAge == 0:
	case newest == nil:
		v.add(api.ReadinessNotProven, "the time of the last backup is unknown")
	case !backupKnown(v.item, j.c.Now):
		v.add(api.ReadinessNotProven, "the time of the last backup is in the future")
	case j.c.Now.Sub(*newest) > j.c.MaxPointAge:
		v.add(api.ReadinessObjectivesMissed, "the last backup is %s old, more than %s", age(j.c.Now.Sub(*newest)), age(j.c.MaxPointAge))
	}
	switch i := v.item; {
	case i.FailedBackups > 0:
		v.note("%d backups failed since the last one that succeeded", i.FailedBackups)
	case i.BackupFailed != "":
		v.note("the last backup or the protection failed: %s", i.BackupFailed)
	}
}

// maxClockSkew is how far Azure's clock may be ahead of ours.
const maxClockSkew = 5 * time.Minute

func (j *Judge) judgeDrill(v *judgement) {
	d := v.item.Drill
	if d == nil {
		v.add(api.ReadinessNotProven, "there is no evidence of a drill")
		return
	}
	switch since := j.c.Now.Sub(d.Started); {
	case since < -maxClockSkew:
		v.add(api.ReadinessNotProven, "the newest drill starts in the future")
	case since > j.c.MaxProofAge:
		v.add(api.ReadinessNotProven, "the newest drill started %s ago", age(since))
	case !d.Verified:
		v.add(api.ReadinessNotProven, "the evidence of the newest drill is not verified: it was changed, or an earlier key signed it")
	case d.Result == string(evidence.Proven):
		v.add(api.ReadinessProven, "the newest drill is Proven")
	case d.Result == string(evidence.ObjectivesMissed):
		v.add(api.ReadinessObjectivesMissed, "the newest drill missed an objective")
	default:
		v.add(api.ReadinessNotProven, "the newest drill is %s", d.Result)
	}
}

// age formats an age in hours, or in days from two days on.
func age(d time.Duration) string {
	if hours := int(d.Hours()); hours < 48 {
		return fmt.Sprintf("%d hours", hours)
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}

// Key returns the key by which resources and items are compared: Azure ignores the
// casing of resource IDs.
func Key(id string) string { return strings.ToLower(strings.TrimRight(id, "/")) }
