package api

import "time"

// Inventory lists what a vault has.
type Inventory struct {
	Entries []InventoryEntry `json:"entries"`
}

// InventoryEntry is a protected item, a recovery point, something that can be
// protected, a policy, or something soft-deleted.
type InventoryEntry struct {
	// ID is the ID that requests name.
	ID     string `json:"id"`
	Name   string `json:"name"`
	Type   string `json:"type,omitempty"`
	Source string `json:"source,omitempty"`
	State  string `json:"state,omitempty"`
	Policy string `json:"policy,omitempty"`
	Detail string `json:"detail,omitempty"`
	// Time is when a recovery point was made.
	Time *time.Time `json:"time,omitempty"`
	// LastRecoveryPoint is the time of an item's newest recovery point.
	LastRecoveryPoint *time.Time `json:"lastRecoveryPoint,omitempty"`
	// PurgeAt is when Azure deletes it permanently.
	PurgeAt *time.Time `json:"purgeAt,omitempty"`
}
