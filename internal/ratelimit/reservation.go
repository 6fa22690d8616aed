package ratelimit

import "time"

// Reservation is the permission to send one call. Call Done exactly once, after
// the call. All methods accept a nil Reservation.
type Reservation struct {
	limiter *Limiter
	target  target
	// keys are those of the bucket and, if there is one, of the quota.
	keys []string
}

// Observation holds the facts of an answer about limits.
type Observation struct {
	// Remaining holds the values of the x-ms-ratelimit-remaining-* headers, by
	// the rest of the header's name.
	Remaining map[string]int
	// Region is the region from which Resource Manager answered; empty if
	// unknown.
	Region string
	// Throttled holds the facts of a 429; nil for other answers.
	Throttled *Throttling
	// Failed reports that the call failed, for any reason.
	Failed bool
}

// Done records the facts of the call's answer.
func (r *Reservation) Done(o Observation) {
	if r == nil {
		return
	}
	l := r.limiter
	now := l.cfg.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	if o.Region != "" {
		l.region = o.Region
	}
	throttled := ""
	if o.Throttled != nil {
		throttled = r.keys[0]
		if o.Throttled.PerAction {
			throttled = r.keys[len(r.keys)-1]
		}
	}
	for _, key := range r.keys {
		e := l.entry(key, now)
		e.inFlight = max(0, e.inFlight-1)
		e.rate.spent++
		remaining, known := o.Remaining[r.target.remainingHeader(e.Quota)]
		switch {
		case key == throttled:
			e.rate = rateMeter{}
			e.ObserveThrottling(now, *o.Throttled, l.cfg.Assumptions)
		case known && remaining >= 0:
			e.measureRate(now, float64(remaining), l.cfg.Assumptions)
			e.ObserveRemaining(now, float64(remaining), float64(e.inFlight), l.cfg.Assumptions)
		case !o.Failed:
			e.ObserveSuccess(now, l.cfg.Assumptions)
		}
	}
}

// rateMeter measures a bucket's refill rate between two answers that report the
// number of remaining calls.
type rateMeter struct {
	since     time.Time
	remaining float64
	spent     float64
}

// measureRate compares the number of remaining calls with the last one.
func (e *entry) measureRate(now time.Time, remaining float64, s Assumptions) {
	if e.Quota {
		return
	}
	elapsed := now.Sub(e.rate.since)
	if !e.rate.since.IsZero() && elapsed < s.Measure {
		return
	}
	if !e.rate.since.IsZero() && elapsed < s.Refill {
		e.ObserveRate((remaining-e.rate.remaining+e.rate.spent)/elapsed.Seconds(), remaining+1 >= e.Limit)
	}
	e.rate = rateMeter{since: now, remaining: remaining}
}
