package ratelimit

import (
	"math"
	"time"

	"azbackupflow/internal/operation"
)

// Allowance counts the calls of one kind that Azure still allows: a bucket or a
// quota. It is a plain value without a clock: times are arguments. Its JSON
// form is stored in the shared row.
type Allowance struct {
	// Quota marks a provider's quota; otherwise the allowance is a bucket.
	Quota bool `json:"quota,omitempty"`
	// Limit is the number of calls in a full allowance: the highest number that
	// Azure reported as remaining, or the limit that a 429 named. Zero means
	// unknown.
	Limit float64 `json:"limit,omitempty"`
	// Remaining is how many calls were left at UpdatedAt, without those in
	// flight.
	Remaining float64   `json:"remaining"`
	UpdatedAt time.Time `json:"updatedAt,omitzero"`

	// RefillRate is how many calls per second a bucket gets back; zero means
	// unknown.
	RefillRate float64 `json:"refillRate,omitempty"`
	// RateReduced reports that a 429 lowered the rate before. It is then raised
	// in smaller steps.
	RateReduced bool `json:"rateReduced,omitempty"`

	// Window is a quota's interval; zero means unknown. ResetAt is the latest
	// time of the next reset. ResetGuessed reports that Azure did not name it.
	Window       time.Duration `json:"window,omitempty"`
	ResetAt      time.Time     `json:"resetAt,omitzero"`
	ResetGuessed bool          `json:"resetGuessed,omitempty"`

	// ThrottledAt is the time of the last 429, BlockedUntil the end of the wait
	// that it requested.
	ThrottledAt  time.Time `json:"throttledAt,omitzero"`
	BlockedUntil time.Time `json:"blockedUntil,omitzero"`
	// LastSlots holds the last reserved slot of each priority.
	LastSlots [operation.PriorityOther + 1]time.Time `json:"lastSlots,omitzero"`
}

// Assumptions are used for what Azure has not reported yet.
type Assumptions struct {
	// Window is the interval of a quota. Refill is how long an empty bucket
	// takes to fill.
	Window, Refill time.Duration
	// Probe is the interval between calls that test whether a spent quota was
	// reset, if Azure did not say when.
	Probe time.Duration
	// Measure is the shortest time over which a bucket's rate is measured.
	Measure time.Duration
	// SpeedFactor divides the intervals that 429s name; see
	// settings.SpeedFactor.
	SpeedFactor float64
}

// DefaultAssumptions returns the assumptions for a speed factor, which is 1 in
// Azure. The longest interval that Azure Backup was observed to use is an hour.
func DefaultAssumptions(speedFactor float64) Assumptions {
	if speedFactor <= 0 {
		speedFactor = 1
	}
	scaled := func(d time.Duration) time.Duration { return time.Duration(float64(d) / speedFactor) }
	return Assumptions{
		Window: scaled(time.Hour), Refill: scaled(time.Minute), Probe: scaled(time.Minute), Measure: scaled(2 * time.Second),
		SpeedFactor: speedFactor,
	}
}

// reservedShare is the share of an allowance that a priority leaves to higher
// priorities.
func reservedShare(p operation.Priority) float64 {
	switch p {
	case operation.PriorityRestore:
		return 0
	case operation.PriorityFollow:
		return 0.05
	case operation.PriorityProtect:
		return 0.15
	case operation.PriorityBackup:
		return 0.25
	case operation.PriorityOther:
	}
	return 0.3
}

// reserved is how many calls a priority leaves to higher priorities.
func (a *Allowance) reserved(p operation.Priority) float64 {
	return min(reservedShare(p)*a.Limit, a.Limit-1)
}

// remaining returns how many calls are left at a time; infinite if the limit is
// unknown.
func (a *Allowance) remaining(now time.Time, s Assumptions) float64 {
	if a.Limit == 0 {
		return math.Inf(1)
	}
	if a.Quota {
		if !now.Before(a.ResetAt) {
			return a.Limit
		}
		return a.Remaining
	}
	return min(a.Limit, a.Remaining+max(0, now.Sub(a.UpdatedAt).Seconds())*a.rate(s))
}

// rate returns how many calls per second a bucket gets back.
func (a *Allowance) rate(s Assumptions) float64 {
	switch {
	case a.RefillRate > 0:
		return a.RefillRate
	case a.Limit > 0:
		return a.Limit / s.Refill.Seconds()
	}
	return 1 / s.Measure.Seconds()
}

// window returns the interval of a quota.
func (a *Allowance) window(s Assumptions) time.Duration {
	if a.Window > 0 {
		return a.Window
	}
	return s.Window
}

// Low reports whether the allowance is running low, or has reserved slots.
func (a *Allowance) Low(now time.Time, s Assumptions) bool {
	if now.Before(a.BlockedUntil) || a.remaining(now, s) < a.Limit/3 {
		return true
	}
	return a.lastSlot(operation.PriorityOther).After(now)
}

// Spend counts a call that is about to be sent.
func (a *Allowance) Spend(now time.Time, s Assumptions) {
	if a.Limit == 0 {
		return
	}
	remaining := a.remaining(now, s)
	if a.Quota && !now.Before(a.ResetAt) {
		a.ResetAt, a.ResetGuessed = now.Add(a.window(s)), a.Window == 0
	}
	a.Remaining, a.UpdatedAt = remaining-1, now
}

// Spacing returns the interval between batches of n calls at which the
// allowance lasts until its reset. It leaves a quarter of a quota to others.
func (a *Allowance) Spacing(now time.Time, n float64, s Assumptions) time.Duration {
	if a.Limit == 0 {
		return 0
	}
	if !a.Quota {
		return seconds(2 * n / a.rate(s))
	}
	untilReset := a.ResetAt.Sub(now)
	if untilReset <= 0 {
		untilReset = a.window(s)
	}
	available := a.remaining(now, s) - a.Limit/4
	return time.Duration(min(float64(untilReset), float64(untilReset)*n/max(available, 1)))
}

// Merge combines what two instances know of one allowance: the later answer,
// every wait, and every reserved slot.
func Merge(a, b Allowance) Allowance {
	if b.UpdatedAt.After(a.UpdatedAt) {
		a, b = b, a
	}
	if a.Limit == 0 {
		a.Limit = b.Limit
	}
	if a.RefillRate == 0 {
		a.RefillRate = b.RefillRate
	}
	if a.Window == 0 {
		a.Window = b.Window
	}
	if a.ResetAt.IsZero() || a.ResetGuessed && !b.ResetGuessed && b.ResetAt.After(a.UpdatedAt) {
		a.ResetAt, a.ResetGuessed = b.ResetAt, b.ResetGuessed
	}
	a.RateReduced = a.RateReduced || b.RateReduced
	a.ThrottledAt = latest(a.ThrottledAt, b.ThrottledAt)
	a.BlockedUntil = latest(a.BlockedUntil, b.BlockedUntil)
	for p := range a.LastSlots {
		a.LastSlots[p] = latest(a.LastSlots[p], b.LastSlots[p])
	}
	return a
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

func latest(times ...time.Time) (last time.Time) {
	for _, t := range times {
		if t.After(last) {
			last = t
		}
	}
	return last
}
