package request

import (
	"slices"
	"strings"
	"time"

	"azbackupflow/internal/operation"
)

// BulkRecords is the kind of the shared rows that hold a BulkRecord for each
// bulk key.
const BulkRecords = "bulk"

// maxRecordedTargets limits the targets of a record, so that it fits its row.
const maxRecordedTargets = 20_000

// BulkRecord holds the facts of a bulk that its operations do not hold. Bulks with
// the same key have one record.
type BulkRecord struct {
	Key       string    `json:"key"`
	Flow      string    `json:"flow"`
	CreatedAt time.Time `json:"createdAt"`
	UpdatedAt time.Time `json:"updatedAt"`
	// Cause names who sent the first bulk with the key, and why.
	Cause operation.Cause `json:"cause,omitzero"`
	// Targets are the digests of all targets, Rejected those of targets that were
	// rejected, some of which may have started later. Both are sorted.
	Targets  []string `json:"targets"`
	Rejected []string `json:"rejected,omitempty"`
	// Truncated reports that the bulk has more targets than the record holds.
	Truncated bool `json:"truncated,omitempty"`
}

// Digest returns the part of a target's key that distinguishes it from the other
// targets of its bulk; empty if the key is not that of a target.
func Digest(bulkKey, key string) string {
	digest, ok := strings.CutPrefix(key, bulkKey+"/")
	if !ok || len(digest) != digestLength {
		return ""
	}
	return digest
}

// TargetKey returns the key of the operation of the target with a digest.
func TargetKey(bulkKey, digest string) string { return bulkKey + "/" + digest }

// Keys returns the keys of a bulk's targets, in order. It skips targets that are
// not objects.
func (b Bulk) Keys() []string {
	var keys []string
	for i := range b.Targets {
		if target, err := readValue(b.Targets[i]); err == nil {
			if _, isObject := target.(map[string]any); isObject {
				if key, err := b.keyOf(target); err == nil {
					keys = append(keys, key)
				}
			}
		}
	}
	return keys
}

// With returns the record with further targets, and whether that changes it.
func (r BulkRecord) With(accepted, rejected []string) (_ BulkRecord, changed bool) {
	targets := merge(r.Targets, accepted)
	if len(targets) > maxRecordedTargets {
		targets, r.Truncated = r.Targets, true
	}
	refused := merge(r.Rejected, rejected)
	changed = len(targets) != len(r.Targets) || len(refused) != len(r.Rejected)
	r.Targets, r.Rejected = targets, refused
	return r, changed
}

// merge returns the sorted union of a sorted list and further entries.
func merge(sorted, more []string) []string {
	all := append(slices.Clone(sorted), more...)
	slices.Sort(all)
	return slices.Compact(all)
}
