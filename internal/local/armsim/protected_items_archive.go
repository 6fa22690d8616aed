package armsim

import (
	"strings"
	"time"
)

// operationRehydrate is the operation of the job of a restore from the archive tier.
const operationRehydrate = "RestoreWithRehydrate"

// rehydration is the part of a restore's body that copies an archived recovery point.
type rehydration struct{ RehydrationPriority, RehydrationRetentionDuration string }

// ArchivePoints moves the recovery points of the items of a name to the archive tier,
// as a policy with tiering does. It returns how many there are.
func (s *Simulator) ArchivePoints(friendlyName string) (moved int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.world.events.advance(s.config.Now())
	for _, v := range s.world.vaults {
		for _, k := range v.containers {
			for _, i := range k.items {
				for n := range i.points {
					if strings.EqualFold(i.friendly, friendlyName) {
						i.points[n].archived = true
						moved++
					}
				}
			}
		}
	}
	return moved
}

// tiers returns the tiers of a recovery point. Others are those that it has while it
// is not archived.
func (p itemPoint) tiers(others ...any) []any {
	if p.archived {
		return []any{map[string]any{"type": "HardenedRP", "status": "Deleted"}, map[string]any{"type": "ArchivedRP", "status": "Valid"}}
	}
	return others
}

// rehydrated checks the body of a restore against the tier of its recovery point. It
// returns the body of the restore after the rehydration, the operation of the job,
// and the extra time.
func (s *Simulator) rehydrated(point itemPoint, p *itemRestoreProperties) (after *itemRestoreProperties, operation string, extra time.Duration, err *armError) {
	plain := strings.NewReplacer("WithRehydrationRequest", "Request", "WithRehydrateRequest", "Request").Replace(p.ObjectType)
	switch {
	case !point.archived && plain != p.ObjectType:
		return nil, "", 0, invalidInput("properties.objectType", "%q is for recovery points of the archive tier", p.ObjectType)
	case !point.archived:
		return p, operationRestore, 0, nil
	case plain == p.ObjectType:
		return nil, "", 0, invalidInput("properties.objectType", "the recovery point is in the archive tier and must be rehydrated")
	case p.RecoveryPointRehydrationInfo == nil:
		return nil, "", 0, invalidInput("properties.recoveryPointRehydrationInfo", "it is missing")
	case p.RecoveryPointRehydrationInfo.RehydrationPriority != "Standard" && p.RecoveryPointRehydrationInfo.RehydrationPriority != "High":
		return nil, "", 0, invalidInput("properties.recoveryPointRehydrationInfo.rehydrationPriority", "%q is neither Standard nor High", p.RecoveryPointRehydrationInfo.RehydrationPriority)
	}
	copied := *p
	copied.ObjectType = plain
	return &copied, operationRehydrate, s.config.Durations.Rehydrate, nil
}
