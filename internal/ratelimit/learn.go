package ratelimit

import (
	"regexp"
	"strconv"
	"time"

	"azbackupflow/internal/operation"
)

// Compiled once: what a refusal says in its text.
var (
	limitText    = regexp.MustCompile(`limit of '?(\d{1,9})'?`)
	intervalText = regexp.MustCompile(`interval '?(?:(\d{1,3})\.)?(\d{1,2}):(\d{2}):(\d{2})`)
)

// Told takes over what Azure says is left; underway calls were not counted yet
// when it said so.
func (a *Account) Told(now time.Time, left, underway float64, s Assumptions) {
	if a.Quota {
		anew := a.Limit == 0 || left > a.left(now, s)+underway+a.Limit/20+1
		if left+1 > a.Limit {
			a.Limit = left + 1
		}
		if anew || !now.Before(a.Reset) {
			// The count started anew at some time since the last answer.
			a.Reset, a.Guessed = now.Add(a.window(s)), a.Window == 0
		}
	} else if left+1 > a.Limit {
		a.Limit = left + 1
	}
	a.Left, a.At = left-underway, now
}

// Measured takes over a rate at which a bucket got calls back. It is only the
// least that it can be: others spend meanwhile, and a bucket that is full gets
// nothing back.
func (a *Account) Measured(rate float64, full bool) {
	switch {
	case rate <= 0:
	case full:
		a.Rate = max(a.Rate, rate)
	case a.Rate == 0:
		a.Rate = rate
	case rate > a.Rate:
		a.Rate = (a.Rate + rate) / 2
	default:
		a.Rate = (19*a.Rate + rate) / 20
	}
}

// Went is an answer that says nothing of what is left, of a bucket that has
// refused calls before: its rate is tried out.
func (a *Account) Went(now time.Time, s Assumptions) {
	if a.Quota || a.Refused.IsZero() || a.Limit == 0 || a.left(now, s) > a.Limit/2 {
		return
	}
	faster := 1.02
	if a.Steady {
		faster = 1.002
	}
	rate := a.rate(s) * faster
	a.Left, a.At, a.Rate = a.left(now, s), now, rate
}

// Refusal is what a 429 says.
type Refusal struct {
	// Limit and Window are zero where it does not say.
	Limit  float64
	Window time.Duration
	// Wait is its Retry-After, or the wait that its text names.
	Wait time.Duration
}

// Refuse takes over a 429.
func (a *Account) Refuse(now time.Time, r Refusal, s Assumptions) {
	again := now.Sub(a.Refused) > s.Measure
	if r.Limit > 0 {
		a.Limit = r.Limit
	}
	if a.Quota {
		a.refuseQuota(now, r, s)
	} else {
		a.Blocked = latest(a.Blocked, now.Add(max(r.Wait, s.Measure/2)))
		switch {
		case a.Rate == 0:
			a.Rate = a.rate(s)
		case again:
			a.Rate *= 0.7
			a.Steady = !a.Refused.IsZero()
		}
	}
	a.Left, a.At, a.Refused = 0, now, now
}

func (a *Account) refuseQuota(now time.Time, r Refusal, s Assumptions) {
	if r.Window > 0 {
		a.Window = time.Duration(float64(r.Window) / s.Speed)
	}
	if r.Wait > 0 {
		a.Reset, a.Guessed = now.Add(r.Wait), false
		return
	}
	a.Blocked = now.Add(s.Probe)
	if !now.Before(a.Reset) {
		a.Reset, a.Guessed = now.Add(a.window(s)), true
	}
}

// refusalOf reads a 429's text, such as "… exceeded the limit of '150' for time
// interval '01:00:00'. Please try again after '324' seconds" (recorded).
func refusalOf(e *operation.Error) Refusal {
	r := Refusal{Wait: e.RetryAfter}
	if m := limitText.FindStringSubmatch(e.Message); m != nil {
		r.Limit, _ = strconv.ParseFloat(m[1], 64)
	}
	if m := intervalText.FindStringSubmatch(e.Message); m != nil {
		for i, unit := range []time.Duration{24 * time.Hour, time.Hour, time.Minute, time.Second} {
			n, _ := strconv.Atoi(m[i+1])
			r.Window += time.Duration(n) * unit
		}
	}
	return r
}

// Merge puts together what two instances know of one account: the later answer
// counts, every block, and every place that was given away.
func Merge(a, b Account) Account {
	if b.At.After(a.At) {
		a, b = b, a
	}
	if a.Limit == 0 {
		a.Limit = b.Limit
	}
	if a.Rate == 0 {
		a.Rate = b.Rate
	}
	if a.Window == 0 {
		a.Window = b.Window
	}
	if a.Reset.IsZero() || a.Guessed && !b.Guessed && b.Reset.After(a.At) {
		a.Reset, a.Guessed = b.Reset, b.Guessed
	}
	a.Steady = a.Steady || b.Steady
	a.Refused = latest(a.Refused, b.Refused)
	a.Blocked = latest(a.Blocked, b.Blocked)
	for p := range a.Tails {
		a.Tails[p] = latest(a.Tails[p], b.Tails[p])
	}
	return a
}
