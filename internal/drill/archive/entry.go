package archive

import (
	"slices"
	"strconv"
	"time"

	"azbackupflow/internal/drill/evidence"
)

// Entry describes a document in a list. It comes from the metadata of the
// stored object, which is not signed: only the document itself is a proof.
type Entry struct {
	// ID is the ID of the drill, Name the name of the stored object, Location where
	// people find it.
	ID, Name, Location string
	// Drill is the name of the drill in drills.yaml, Run its local start time.
	Drill, Run string
	VaultID    string
	ItemID     string
	ItemType   string
	ItemName   string
	// Started and Ended are the times of the drill.
	Started, Ended time.Time
	Result         evidence.Result
	// RestoreTime and PointAge are the measured objectives, in ISO 8601; empty if not
	// measured.
	RestoreTime, PointAge string
	// CleanUpFailed is set if restored data may still exist.
	CleanUpFailed bool
	// KeepUntil is when the document may be deleted.
	KeepUntil time.Time
}

// entryOf returns the entry of a document without its place.
func entryOf(e evidence.Evidence, keepUntil time.Time) Entry {
	entry := Entry{
		ID: e.ID, Drill: e.Drill.Name, Run: e.Drill.Run,
		VaultID: e.Item.VaultID, ItemID: e.Item.ID, ItemType: e.Item.Type, ItemName: e.Item.Name,
		Started: e.Started.UTC(), Ended: e.Ended.UTC(), Result: e.Result, KeepUntil: keepUntil.UTC().Truncate(time.Second),
		CleanUpFailed: slices.ContainsFunc(e.Phases, func(p evidence.Phase) bool {
			return p.Name == evidence.CleanUp && p.Result != evidence.PhaseSucceeded
		}),
	}
	if o := e.Objectives.RTO; o != nil {
		entry.RestoreTime = o.Measured
	}
	if o := e.Objectives.RPO; o != nil {
		entry.PointAge = o.Measured
	}
	return entry
}

// metadata returns the entry as metadata of its object.
func (e Entry) metadata() map[string]string {
	return map[string]string{
		"id": e.ID, "drill": e.Drill, "run": e.Run, "vaultid": e.VaultID, "itemid": e.ItemID, "itemtype": e.ItemType, "itemname": e.ItemName,
		"started": e.Started.Format(time.RFC3339Nano), "ended": e.Ended.Format(time.RFC3339Nano), "result": string(e.Result),
		"restoretime": e.RestoreTime, "pointage": e.PointAge,
		"cleanupfailed": strconv.FormatBool(e.CleanUpFailed), "keepuntil": e.KeepUntil.Format(time.RFC3339),
	}
}

// parseMetadata returns the entry in the metadata of an object; false if it is
// incomplete.
func parseMetadata(m map[string]string) (e Entry, ok bool) {
	e = Entry{
		ID: m["id"], Drill: m["drill"], Run: m["run"], VaultID: m["vaultid"], ItemID: m["itemid"], ItemType: m["itemtype"], ItemName: m["itemname"],
		Result: evidence.Result(m["result"]), RestoreTime: m["restoretime"], PointAge: m["pointage"],
	}
	var errs [4]error
	e.Started, errs[0] = time.Parse(time.RFC3339Nano, m["started"])
	e.Ended, errs[1] = time.Parse(time.RFC3339Nano, m["ended"])
	e.KeepUntil, errs[2] = time.Parse(time.RFC3339, m["keepuntil"])
	e.CleanUpFailed, errs[3] = strconv.ParseBool(m["cleanupfailed"])
	complete := !slices.ContainsFunc(errs[:], func(err error) bool { return err != nil })
	return e, complete && e.ID != "" && e.ItemID != "" && e.Result != ""
}

// entry returns the entry of a document that was read. The document decides; of the
// metadata only the end of the retention is used.
func (a *Archive) entry(o Object, e evidence.Evidence) Entry {
	stored, _ := parseMetadata(o.Metadata)
	entry := entryOf(e, stored.KeepUntil)
	entry.Name, entry.Location = o.Name, a.c.Store.Location(o.Name)
	return entry
}
