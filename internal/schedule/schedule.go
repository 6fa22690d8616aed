// Package schedule starts operations at wall-clock times of a time zone, as
// schedules.yaml declares. A timer calls it once a minute.
//
// The key of each run consists of the schedule's name, the local date and time,
// and the item, so that a run that is started twice (by a repeated timer, after
// a restart, or by a second host) is one operation. One record per schedule
// holds how far the schedule has run, so that missed runs are detected.
//
// The package may not know how records are stored, how the steps of an operation
// run, or what calls it.
package schedule

import (
	"bytes"
	"encoding/json"
	"hash/fnv"
	"time"

	"azbackupflow/internal/request"
)

// Missed is the policy for runs that came due while no host was running.
type Missed string

// The policies for missed runs.
const (
	// MissedSkip skips all of them.
	MissedSkip Missed = "skip"
	// MissedOne starts only the newest.
	MissedOne Missed = "one"
	// MissedAll starts all of them, up to a limit.
	MissedAll Missed = "all"
)

// Overlap is the policy for a run whose previous run has not ended.
type Overlap string

// The policies for overlapping runs.
const (
	// OverlapSkip skips the run.
	OverlapSkip Overlap = "skip"
	// OverlapQueue starts the run when the previous one has ended. If several
	// runs wait, only the newest is started.
	OverlapQueue Overlap = "queue"
	// OverlapAllow starts the run at once.
	OverlapAllow Overlap = "allow"
)

// Schedule is one entry of schedules.yaml.
type Schedule struct {
	Name    string
	Timing  Timing
	Enabled bool
	Missed  Missed
	// MissedLimit bounds how many missed runs MissedAll starts.
	MissedLimit int
	Overlap     Overlap
	// Jitter is the time over which the starts of a run are spread.
	Jitter  time.Duration
	Request request.Request
	// Select selects the items to start the request for; nil starts the request
	// as it is.
	Select *Selection
}

// Item is a protected item or backup instance that a run is started for.
type Item struct {
	// ID is the resource ID; empty for a request without a selection.
	ID string `json:"id,omitempty"`
	// Instance is set for a backup instance of a Backup vault.
	Instance bool `json:"instance,omitempty"`
	// Name is the name that patterns match.
	Name string `json:"name,omitempty"`
}

// Labels of every operation that a schedule starts.
const (
	labelSchedule = "schedule"
	labelSlot     = "slot"
)

// requestFor returns the request that a run starts for an item.
func (s Schedule) requestFor(slot string, item Item) (request.Request, error) {
	r := s.Request
	r.Key = s.key(slot, item)
	r.Labels = map[string]string{labelSchedule: s.Name, labelSlot: slot}
	for name, value := range s.Request.Labels {
		r.Labels[name] = value
	}
	if item.ID == "" {
		return r, nil
	}
	members := map[string]json.RawMessage{}
	d := json.NewDecoder(bytes.NewReader(s.Request.Parameters))
	if err := d.Decode(&members); err != nil {
		return r, err
	}
	field := "itemId"
	if item.Instance {
		field = "backupInstanceId"
	}
	id, err := json.Marshal(item.ID)
	if err != nil {
		return r, err
	}
	members[field] = id
	r.Parameters, err = json.Marshal(members)
	return r, err
}

// key returns the idempotency key of a run for an item.
func (s Schedule) key(slot string, item Item) string {
	return s.runKey(slot, item.key())
}

// runKey returns the idempotency key of a run for the item with the given key.
func (s Schedule) runKey(slot, item string) string {
	return "schedule:" + s.Name + ":" + slot + ":" + item
}

// delay returns how long after its slot an item's run starts. It is derived from
// the key, so that every host computes the same delay, and spread evenly over
// the jitter.
func (s Schedule) delay(slot string, item Item) time.Duration {
	if s.Jitter <= 0 {
		return 0
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(s.key(slot, item))) // never fails
	// The low bits of FNV are mixed best.
	return time.Duration(h.Sum64()%uint64(s.Jitter/time.Millisecond+1)) * time.Millisecond //nolint:gosec // G115: below the jitter
}
