package handlers

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"azbackupflow/internal/customhandler"
	"azbackupflow/internal/engine"
)

// Sweeper checks every live operation.
type Sweeper interface {
	Sweep(context.Context) (engine.SweepResult, error)
}

// Expired counts the records that Retention.Expire deleted.
type Expired struct {
	Operations, Rejected, Removals, Locks int
	// More reports that older records may remain.
	More bool
}

// Retention deletes old records.
type Retention struct {
	// Expire deletes at most limit records that are older than before.
	Expire func(ctx context.Context, before time.Time, limit int) (Expired, error)
	// Evidence deletes at most limit documents of drills whose own retention has ended;
	// nil if the app has no archive.
	Evidence func(ctx context.Context, limit int) (deleted int, more bool, err error)
	// Keep is the age at which records are deleted.
	Keep time.Duration
	Now  func() time.Time
	Log  *slog.Logger
}

// maxExpired limits the operations that one sweep deletes. A sweep every five
// minutes deletes at most 57,600 a day.
const maxExpired = 200

// MaxRetentionTime limits the time that one sweep spends on retention.
const MaxRetentionTime = 30 * time.Second

// Sweep handles the timer. It wakes operations whose message was lost, and then
// deletes a portion of the old records. The next sweep retries what failed.
func Sweep(s Sweeper, r Retention) customhandler.Handler {
	return func(ctx context.Context, _ customhandler.Invocation) (customhandler.Result, error) {
		_, err := s.Sweep(ctx)
		return customhandler.Result{}, errors.Join(err, r.apply(ctx))
	}
}

// apply deletes one portion. The next sweep continues.
func (r Retention) apply(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, MaxRetentionTime)
	defer cancel()
	done, err := r.Expire(ctx, r.Now().Add(-r.Keep), maxExpired)
	if done != (Expired{}) {
		r.Log.InfoContext(ctx, "old records deleted", "operations", done.Operations, "rejected", done.Rejected, "removals", done.Removals, "locks", done.Locks, "more", done.More, "keep", r.Keep)
	}
	return errors.Join(err, r.applyToEvidence(ctx))
}

// evidenceHour is the hour of the day (UTC) in which expired evidence is deleted: the
// whole archive is listed for it.
const evidenceHour = 3

// applyToEvidence deletes one portion of the expired evidence, in one hour of the day.
func (r Retention) applyToEvidence(ctx context.Context) error {
	if r.Evidence == nil || r.Now().UTC().Hour() != evidenceHour {
		return nil
	}
	deleted, more, err := r.Evidence(ctx, maxExpired)
	if deleted > 0 {
		r.Log.InfoContext(ctx, "expired evidence deleted", "documents", deleted, "more", more)
	}
	return err
}
