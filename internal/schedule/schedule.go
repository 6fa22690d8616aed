// Package schedule starts operations at wall-clock times of a time zone. What
// runs when is declared in schedules.yaml; a timer looks once a minute.
//
// Each run is keyed by schedule, local date and time, and item, so that the
// same run asked for twice, by a repeated timer, a restart or a second host, is
// one operation. What was handled is kept in a row per schedule, so that a run
// that was missed is known.
package schedule

import (
	"bytes"
	"encoding/json"
	"hash/fnv"
	"time"

	"azbackupflow/internal/request"
)

// Missed says what becomes of runs that came due while nobody looked.
type Missed string

// The policies for missed runs.
const (
	// MissedSkip leaves them out.
	MissedSkip Missed = "skip"
	// MissedOne runs the newest: it makes good for all.
	MissedOne Missed = "one"
	// MissedAll runs all, up to a limit.
	MissedAll Missed = "all"
)

// Overlap says what becomes of a run whose predecessor still runs.
type Overlap string

// The policies for overlapping runs.
const (
	// OverlapSkip leaves it out.
	OverlapSkip Overlap = "skip"
	// OverlapQueue starts it when the predecessor has ended; of several that
	// wait for it, the newest.
	OverlapQueue Overlap = "queue"
	// OverlapAllow starts it all the same.
	OverlapAllow Overlap = "allow"
)

// Schedule is one entry of schedules.yaml.
type Schedule struct {
	Name    string
	Timing  Timing
	Enabled bool
	Missed  Missed
	// MissedLimit bounds how many missed runs MissedAll makes good.
	MissedLimit int
	Overlap     Overlap
	// Jitter is how far the starts of a run are spread.
	Jitter  time.Duration
	Request request.Request
	// Select says for which items; nil means the request as it is.
	Select *Selection
}

// Item is one thing that a run is started for.
type Item struct {
	// ID is the resource id of a protected item or backup instance; empty for
	// a request without a selection.
	ID string `json:"id,omitempty"`
	// Instance: it is a backup instance of a Backup vault.
	Instance bool `json:"instance,omitempty"`
	// Name is for people and for patterns.
	Name string `json:"name,omitempty"`
}

// Labels that every run has.
const (
	labelSchedule = "schedule"
	labelSlot     = "slot"
)

// requestFor is the request that a run starts for an item.
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

// key is the same for the same run, whoever starts it.
func (s Schedule) key(slot string, item Item) string {
	return "schedule:" + s.Name + ":" + slot + ":" + item.key()
}

// delay is how long after its slot an item's run begins: the same whoever
// computes it, and spread evenly over the jitter.
func (s Schedule) delay(slot string, item Item) time.Duration {
	if s.Jitter <= 0 {
		return 0
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(s.key(slot, item))) // never fails
	// FNV's low bits mix best.
	return time.Duration(h.Sum64()%uint64(s.Jitter/time.Millisecond+1)) * time.Millisecond //nolint:gosec // G115: below the jitter
}
