package ratelimit

import (
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
)

// Known describes one allowance, as far as it is known.
type Known struct {
	// Key is the Reservation of operations that wait for the allowance.
	Key string
	// Quota marks a provider's quota; otherwise the allowance is a bucket.
	Quota bool
	// Name is the display name.
	Name string
	// Subscription is set for both. Provider is set for buckets, Scope and Action
	// for quotas.
	Subscription, Provider, Scope, Action string
	// Limit is zero if it is unknown; Remaining is then zero too.
	Limit, Remaining int
	// Window is the interval of a quota; zero means unknown.
	Window                             time.Duration
	ResetAt, ThrottledAt, BlockedUntil time.Time
}

// Known returns what is known of all allowances, ordered by key. shared holds the
// shared rows by key; rows that cannot be read are skipped.
func (l *Limiter) Known(shared map[string][]byte) []Known {
	now := l.cfg.Now()
	all := map[string]Allowance{}
	for key, raw := range shared {
		var a Allowance
		if json.Unmarshal(raw, &a) == nil {
			all[key] = a
		}
	}
	l.mu.Lock()
	for key, e := range l.allowances {
		if other, ok := all[key]; ok && other.Quota == e.Quota {
			all[key] = Merge(e.Allowance, other)
		} else {
			all[key] = e.Allowance
		}
	}
	l.mu.Unlock()
	var found []Known
	for _, key := range slices.Sorted(maps.Keys(all)) {
		if k, ok := describe(key); ok {
			found = append(found, k.with(all[key], now, l.cfg.Assumptions))
		}
	}
	return found
}

// describe parses the key of an allowance.
func describe(key string) (Known, bool) {
	if rest, ok := strings.CutPrefix(key, quotaPrefix); ok {
		scope, action, ok := strings.Cut(rest, " ")
		parts := strings.Split(scope, "/")
		if !ok || len(parts) < 3 {
			return Known{}, false
		}
		return Known{Key: key, Quota: true, Name: target{action: action}.quotaName(), Subscription: parts[2], Scope: scope, Action: action}, true
	}
	parts := strings.Split(key, " ")
	if len(parts) != 6 || parts[0] != "bucket" {
		return Known{}, false
	}
	return Known{Key: key, Name: target{verb: parts[5]}.bucketName(), Subscription: parts[1], Provider: parts[4]}, true
}

func (k Known) with(a Allowance, now time.Time, s Assumptions) Known {
	if a.Limit > 0 {
		k.Limit = int(math.Round(a.Limit))
		k.Remaining = min(max(int(math.Floor(a.remaining(now, s))), 0), k.Limit)
	}
	k.Window, k.ThrottledAt = a.Window, a.ThrottledAt
	if a.ResetAt.After(now) {
		k.ResetAt = a.ResetAt
	}
	if a.BlockedUntil.After(now) {
		k.BlockedUntil = a.BlockedUntil
	}
	return k
}
