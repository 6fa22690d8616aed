package readiness

import (
	"azbackupflow/internal/api"
	"azbackupflow/internal/drill/evidence"
)

// Drills holds the newest drill of each item, by Key of the item's ID. Only the
// newest counts: a failed drill makes an earlier proof worthless.
type Drills map[string]api.ReadinessDrill

// NewDrills returns the newest drills of verified evidence.
func NewDrills(all []evidence.Evidence) Drills {
	d := Drills{}
	for _, e := range all {
		one := api.ReadinessDrill{ID: e.ID, Started: e.Started, Result: string(e.Result), Verified: true}
		if e.Objectives.RTO != nil {
			one.RestoreTime = e.Objectives.RTO.Measured
		}
		d.add(Key(e.Item.ID), one)
	}
	return d
}

func (d Drills) add(key string, drill api.ReadinessDrill) {
	if known, ok := d[key]; !ok || drill.Started.After(known.Started) {
		d[key] = drill
	}
}

// Apply returns the item with the newest of its own drill and of these. Of two
// sources of the same drill, the verified one counts.
func (d Drills) Apply(item api.ReadinessItem) api.ReadinessItem {
	if item.ItemID == "" {
		return item
	}
	drill, ok := d[Key(item.ItemID)]
	switch known := item.Drill; {
	case !ok:
	case known == nil, drill.Started.After(known.Started), drill.ID == known.ID && drill.Verified && !known.Verified:
		item.Drill = &drill
	}
	return item
}
