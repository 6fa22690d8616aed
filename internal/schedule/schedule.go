// Package schedule starts operations at wall-clock times of a time zone, as
// schedules.yaml and drills.yaml declare. A timer calls it once a minute.
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
	"context"
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

// Kind names the file that declares a schedule. It separates the keys and records of schedules of
// the same name.
type Kind string

// The kinds of schedules.
const (
	// Backups are the schedules of schedules.yaml.
	Backups Kind = "schedule"
	// Drills are the restore drills of drills.yaml.
	Drills Kind = "drill"
)

// Plan chooses the items of each run, in place of a selection.
type Plan interface {
	// Items returns the items of a run. The runner stores them before it starts the
	// first one, so that a run that is continued has the same items. slot is the name
	// of the run. running reports whether the operation of an earlier run for the item
	// is in progress. left is the number of items that the run leaves out because it
	// may not start more.
	Items(ctx context.Context, slot string, running func(Item) bool) (items []Item, left int, err error)
	// Parameters returns the parameters of the request for an item.
	Parameters(slot string, item Item) (json.RawMessage, error)
}

// Schedule is one entry of schedules.yaml or drills.yaml.
type Schedule struct {
	Kind    Kind
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
	// Plan chooses the items; nil uses Select.
	Plan Plan
}

// Item is a protected item or backup instance that a run is started for.
type Item struct {
	// ID is the resource ID; empty for a request without a selection.
	ID string `json:"id,omitempty"`
	// Instance is set for a backup instance of a Backup vault.
	Instance bool `json:"instance,omitempty"`
	// Name is the name that patterns match.
	Name string `json:"name,omitempty"`
	// Tags are the tags of the item's source, if a plan read them.
	Tags map[string]string `json:"tags,omitempty"`
	// After is how long after its run the item starts, if a plan spreads its items.
	After time.Duration `json:"after,omitempty"`
}

// labelSlot is the label of every operation that a schedule starts, in addition to
// the schedule's name under its kind.
const labelSlot = "slot"

// requestFor returns the request that a run starts for an item.
func (s Schedule) requestFor(slot string, item Item) (request.Request, error) {
	r := s.Request
	r.Key = s.key(slot, item)
	r.Labels = map[string]string{string(s.Kind): s.Name, labelSlot: slot}
	for name, value := range s.Request.Labels {
		r.Labels[name] = value
	}
	if s.Plan != nil && item.ID != "" {
		var err error
		r.Parameters, err = s.Plan.Parameters(slot, item)
		return r, err
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
	return string(s.Kind) + ":" + s.Name + ":" + slot + ":" + item
}

// delay returns how long after its slot an item's run starts. Without a plan's delay,
// it is derived from the key, so that every host computes the same delay, and spread
// evenly over the jitter.
func (s Schedule) delay(slot string, item Item) time.Duration {
	if s.Jitter <= 0 {
		return item.After
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(s.key(slot, item))) // never fails
	// The low bits of FNV are mixed best.
	return time.Duration(h.Sum64()%uint64(s.Jitter/time.Millisecond+1)) * time.Millisecond //nolint:gosec // G115: below the jitter
}
