package flow

import (
	"azbackupflow/internal/arm/dataprotection"
	"azbackupflow/internal/arm/recoveryservices"
	"azbackupflow/internal/duration"
	"azbackupflow/internal/schema"
)

// rehydrationFields describe how a recovery point is copied from the archive.
func rehydrationFields() schema.Fields {
	return schema.Fields{
		"rehydration.priority":  {Required: true, Meaning: "`Standard` or `High`", Rule: schema.OneOf(dataprotection.PriorityStandard, dataprotection.PriorityHigh)},
		"rehydration.retention": {Required: true, Meaning: "how long the copy stays in the vault tier, as a duration of days such as `15d` or `P15D`", Rule: schema.Object{"pattern": duration.Pattern}},
	}
}

// itemRehydrationFields describe the rehydration of a recovery point of a Recovery
// Services vault.
func itemRehydrationFields() schema.Fields {
	return rehydrationFields().With(schema.Fields{
		"rehydration": {When: "archive tier only, and required there", Meaning: "an object: restore a recovery point that is only in the archive tier, which Azure copies from there first"},
	})
}

// notesOfItemRehydration precedes the notes of the flows that can restore from the
// archive tier of a Recovery Services vault.
const notesOfItemRehydration = "With `rehydration`, only recovery points that are in the archive tier alone are chosen, also by `latest`; without it, they are never chosen. " +
	"Azure copies such a point to the vault tier first, which takes hours.\n\n"

// item returns the rehydration of a restore of a protected item; nil without one.
// Azure takes ISO 8601 only.
func (r *Rehydration) item() *recoveryservices.Rehydration {
	if r == nil {
		return nil
	}
	o := r.options()
	return &recoveryservices.Rehydration{Priority: o.Priority, RetentionDuration: o.RetentionDuration}
}
