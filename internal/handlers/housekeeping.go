package handlers

import (
	"context"
	"log/slog"
	"time"

	"azbackupflow/internal/state"
)

// Housekeeping removes what is older than operators want to keep.
type Housekeeping struct {
	// Expire removes a portion of what is older than the time.
	Expire func(ctx context.Context, before time.Time, most int) (state.Expired, error)
	// Keep is how long ended operations and refusals are kept.
	Keep time.Duration
	Now  func() time.Time
	Log  *slog.Logger
}

// portion is how many operations one sweep removes at most: with a sweep every
// five minutes 57,600 a day.
const portion = 200

// HousekeepingLimit bounds the time that one sweep spends on it.
const HousekeepingLimit = 30 * time.Second

// Run removes one portion. What it has no time for is removed by the next
// sweep.
func (h Housekeeping) Run(ctx context.Context) error {
	if h.Expire == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, HousekeepingLimit)
	defer cancel()
	done, err := h.Expire(ctx, h.Now().Add(-h.Keep), portion)
	if done != (state.Expired{}) {
		h.Log.InfoContext(ctx, "removed what is old", "operations", done.Operations, "refusals", done.Rejected, "locks", done.Locks, "more", done.More, "keep", h.Keep)
	}
	return err
}
