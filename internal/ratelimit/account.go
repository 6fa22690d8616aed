package ratelimit

import (
	"math"
	"time"

	"azbackupflow/internal/operation"
)

// Account is what is known of one bucket or quota. It is a plain value without
// a clock: times come in as arguments. Its JSON form is that of the shared row.
type Account struct {
	// Quota tells a provider's count from a bucket.
	Quota bool `json:"quota,omitempty"`
	// Limit is how many calls there are when nothing was spent: the most that
	// Azure ever said was left, or what a 429 named. Zero is not known.
	Limit float64 `json:"limit,omitempty"`
	// Left is how many were left at At, what is under way counted as spent.
	Left float64   `json:"left"`
	At   time.Time `json:"at,omitzero"`

	// Rate is how many calls a second a bucket gets back; zero is not known.
	Rate float64 `json:"rate,omitempty"`
	// Steady: the rate was too high once, so it is raised carefully.
	Steady bool `json:"steady,omitempty"`

	// Window is a quota's interval; zero is not known. Reset is when the count
	// starts anew at the latest, and Guessed that nobody said so.
	Window  time.Duration `json:"window,omitempty"`
	Reset   time.Time     `json:"reset,omitzero"`
	Guessed bool          `json:"guessed,omitempty"`

	// Refused is when Azure last refused a call, Blocked until when it asked
	// for patience.
	Refused time.Time `json:"refused,omitzero"`
	Blocked time.Time `json:"blocked,omitzero"`
	// Tails are the last places given away, by priority.
	Tails [operation.PriorityOther + 1]time.Time `json:"tails,omitzero"`
}

// Assumptions are what is taken for true until Azure has said better.
type Assumptions struct {
	// Window is the interval of a quota, Refill how long an empty bucket takes
	// to be full.
	Window, Refill time.Duration
	// Probe is how long to wait before asking whether a spent quota has come
	// back, where Azure did not say when.
	Probe time.Duration
	// Measure is the shortest time over which a bucket's rate is measured.
	Measure time.Duration
	// Speed divides the intervals that refusals name; see settings.Speed.
	Speed float64
}

// Assume gives the assumptions at a speed; 1 in Azure. The longest interval
// that Azure Backup was seen to count in is an hour.
func Assume(speed float64) Assumptions {
	if speed <= 0 {
		speed = 1
	}
	by := func(d time.Duration) time.Duration { return time.Duration(float64(d) / speed) }
	return Assumptions{Window: by(time.Hour), Refill: by(time.Minute), Probe: by(time.Minute), Measure: by(2 * time.Second), Speed: speed}
}

// kept is the share of an account that a priority leaves to higher ones.
func kept(p operation.Priority) float64 {
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

// left is how many calls are left at a time; infinite where nothing is known.
func (a *Account) left(now time.Time, s Assumptions) float64 {
	if a.Limit == 0 {
		return math.Inf(1)
	}
	if a.Quota {
		if !now.Before(a.Reset) {
			return a.Limit
		}
		return a.Left
	}
	return min(a.Limit, a.Left+max(0, now.Sub(a.At).Seconds())*a.rate(s))
}

// rate is how many calls come back in a second.
func (a *Account) rate(s Assumptions) float64 {
	switch {
	case a.Rate > 0:
		return a.Rate
	case a.Limit > 0:
		return a.Limit / s.Refill.Seconds()
	}
	return 1 / s.Measure.Seconds()
}

func (a *Account) window(s Assumptions) time.Duration {
	if a.Window > 0 {
		return a.Window
	}
	return s.Window
}

// Low reports whether the account is running low, or has a queue.
func (a *Account) Low(now time.Time, s Assumptions) bool {
	if now.Before(a.Blocked) || a.left(now, s) < a.Limit/3 {
		return true
	}
	return a.queue(operation.PriorityOther).After(now)
}

// queue is the last place given to a priority or a higher one.
func (a *Account) queue(p operation.Priority) (tail time.Time) {
	for _, t := range a.Tails[:p+1] {
		if t.After(tail) {
			tail = t
		}
	}
	return tail
}

// Ask reports whether a call of the priority may be made now. If not, it gives
// the time of the place that the call is put off to. booked is for a call whose
// place has come.
func (a *Account) Ask(now time.Time, p operation.Priority, booked bool, s Assumptions) (ok bool, at time.Time) {
	left := a.left(now, s)
	floor := min(kept(p)*a.Limit, a.Limit-1)
	blocked := now.Before(a.Blocked)
	if booked && !blocked {
		if left >= 1 {
			return true, now
		}
		if a.Quota && a.Guessed && now.Sub(a.At) >= s.Probe {
			return true, now
		}
		if !a.Quota {
			return false, now.Add(seconds((1 - left) / a.rate(s)))
		}
	}
	if !blocked && !a.queue(p).After(now) && (a.Limit == 0 || left-1 >= floor) {
		return true, now
	}
	at = a.place(now, p, floor+1-left, s)
	a.Tails[p] = at
	return false, at
}

// place is the next place in the queue of a priority. short is how many calls
// are missing.
func (a *Account) place(now time.Time, p operation.Priority, short float64, s Assumptions) time.Time {
	start := latest(now, a.queue(p), a.Blocked)
	if !a.Quota {
		if a.Limit > 0 && short > 0 {
			start = latest(start, now.Add(seconds(short/a.rate(s))))
		}
		return start.Add(seconds(1 / a.rate(s)))
	}
	if a.Guessed || a.Limit == 0 {
		return start.Add(s.Probe)
	}
	// The first quarter of each interval has a place for each of its calls: as
	// many as the priority may take of them.
	window := a.window(s)
	each := seconds(window.Seconds() / 4 / a.Limit)
	room := seconds((a.Limit - min(kept(p)*a.Limit, a.Limit-1)) * each.Seconds())
	begins := a.Reset
	for {
		start = latest(start, begins)
		if at := start.Add(each); !at.After(begins.Add(room)) {
			return at
		}
		begins = begins.Add(window)
	}
}

// Spend counts a call that is about to be made.
func (a *Account) Spend(now time.Time, s Assumptions) {
	if a.Limit == 0 {
		return
	}
	left := a.left(now, s)
	if a.Quota && !now.Before(a.Reset) {
		a.Reset, a.Guessed = now.Add(a.window(s)), a.Window == 0
	}
	a.Left, a.At = left-1, now
}

// Pace is how far apart calls of n each may be so that they last until the
// quota's count starts anew. A quarter of the quota is left to others.
func (a *Account) Pace(now time.Time, n float64, s Assumptions) time.Duration {
	if a.Limit == 0 {
		return 0
	}
	if !a.Quota {
		return seconds(2 * n / a.rate(s))
	}
	until := a.Reset.Sub(now)
	if until <= 0 {
		until = a.window(s)
	}
	room := a.left(now, s) - a.Limit/4
	return time.Duration(min(float64(until), float64(until)*n/max(room, 1)))
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
