package ratelimit

import "time"

// ObserveRemaining records what Azure reports as remaining. inFlight calls were
// not counted yet.
func (a *Allowance) ObserveRemaining(now time.Time, remaining, inFlight float64, s Assumptions) {
	if !a.Quota {
		a.Limit = max(a.Limit, remaining+1)
		a.Remaining, a.UpdatedAt = remaining-inFlight, now
		return
	}
	wasReset := a.Limit == 0 || remaining > a.remaining(now, s)+inFlight+a.Limit/20+1
	a.Limit = max(a.Limit, remaining+1)
	if wasReset || !now.Before(a.ResetAt) {
		// The quota was reset at some time since the last answer.
		a.ResetAt, a.ResetGuessed = now.Add(a.window(s)), a.Window == 0
	}
	a.Remaining, a.UpdatedAt = remaining-inFlight, now
}

// ObserveRate records a measured refill rate of a bucket. It is a lower bound:
// other clients spend calls in the meantime, and a full bucket does not refill.
func (a *Allowance) ObserveRate(rate float64, full bool) {
	switch {
	case rate <= 0:
	case full:
		a.RefillRate = max(a.RefillRate, rate)
	case a.RefillRate == 0:
		a.RefillRate = rate
	case rate > a.RefillRate:
		a.RefillRate = (a.RefillRate + rate) / 2
	default:
		a.RefillRate = (19*a.RefillRate + rate) / 20
	}
}

// ObserveSuccess records an answer without a number of remaining calls. If the
// bucket has been throttled before, its rate is raised a little.
func (a *Allowance) ObserveSuccess(now time.Time, s Assumptions) {
	if a.Quota || a.ThrottledAt.IsZero() || a.Limit == 0 || a.remaining(now, s) > a.Limit/2 {
		return
	}
	faster := 1.02
	if a.RateReduced {
		faster = 1.002
	}
	rate := a.rate(s) * faster
	a.Remaining, a.UpdatedAt, a.RefillRate = a.remaining(now, s), now, rate
}

// Throttling holds the facts of a 429.
type Throttling struct {
	// PerAction reports that a provider's quota was exceeded, not Resource
	// Manager's bucket.
	PerAction bool
	// Limit and Window are zero if the answer does not name them.
	Limit  float64
	Window time.Duration
	// Wait is how long to wait; zero if the answer does not say.
	Wait time.Duration
}

// ObserveThrottling records a 429.
func (a *Allowance) ObserveThrottling(now time.Time, t Throttling, s Assumptions) {
	if t.Limit > 0 {
		a.Limit = t.Limit
	}
	if a.Quota {
		a.throttleQuota(now, t, s)
	} else {
		a.throttleBucket(now, t, s)
	}
	a.Remaining, a.UpdatedAt, a.ThrottledAt = 0, now, now
}

// throttleBucket lowers the refill rate, once per burst of 429s.
func (a *Allowance) throttleBucket(now time.Time, t Throttling, s Assumptions) {
	a.BlockedUntil = latest(a.BlockedUntil, now.Add(max(t.Wait, s.Measure/2)))
	switch {
	case a.RefillRate == 0:
		a.RefillRate = a.rate(s)
	case now.Sub(a.ThrottledAt) > s.Measure:
		a.RefillRate *= 0.7
		a.RateReduced = !a.ThrottledAt.IsZero()
	}
}

// throttleQuota records the interval and the next reset.
func (a *Allowance) throttleQuota(now time.Time, t Throttling, s Assumptions) {
	if t.Window > 0 {
		a.Window = time.Duration(float64(t.Window) / s.SpeedFactor)
	}
	if t.Wait > 0 {
		a.ResetAt, a.ResetGuessed = now.Add(t.Wait), false
		return
	}
	a.BlockedUntil = now.Add(s.Probe)
	if !now.Before(a.ResetAt) {
		a.ResetAt, a.ResetGuessed = now.Add(a.window(s)), true
	}
}
