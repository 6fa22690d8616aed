package ratelimit

import (
	"context"
	"encoding/json"
	"time"

	"azbackupflow/internal/operation"
)

// Shelf keeps small rows that instances share. state.SharedRows is one.
type Shelf interface {
	// Get gives a row and its ETag; both are empty where there is none.
	Load(ctx context.Context, key string) (value []byte, etag string, err error)
	// Put writes a row if it still has the ETag, an empty one meaning that
	// there is no row yet. done is false where another was faster.
	Save(ctx context.Context, key string, value []byte, etag string) (newETag string, done bool, err error)
}

const (
	// shareTries bounds how often a row is read anew that others keep writing,
	// shareTime how long that may take, and awayTime how long the rows are left
	// alone after they could not be reached: steps must not wait for them.
	shareTries = 4
	shareTime  = 3 * time.Second
	awayTime   = 30 * time.Second
	// mostPlaces bounds the places that an instance takes at once.
	mostPlaces = 8
)

// askShared asks the account that all instances share. Where its row cannot be
// reached, what this instance knows must do.
func (l *Ledger) askShared(ctx context.Context, key string, known Account, p operation.Priority) (a Account, ok bool, at time.Time, places []time.Time) {
	ctx, cancel := context.WithTimeout(ctx, shareTime)
	defer cancel()
	var err error
	for range shareTries {
		var raw []byte
		var etag string
		if raw, etag, err = l.cfg.Shelf.Load(ctx, key); err != nil {
			break
		}
		a = known
		var shared Account
		if len(raw) > 0 && json.Unmarshal(raw, &shared) == nil && shared.Quota == known.Quota {
			a = Merge(known, shared)
		}
		now := l.cfg.Clock()
		ok, at = a.Ask(now, p, false, l.cfg.Assume)
		places = nil
		if ok {
			a.Spend(now, l.cfg.Assume)
		} else {
			places = a.more(now, p, l.cfg.Assume)
		}
		var text []byte
		if text, err = json.Marshal(a); err != nil {
			break
		}
		var done bool
		if _, done, err = l.cfg.Shelf.Save(ctx, key, text, etag); err != nil {
			break
		}
		if done {
			return a, ok, at, places
		}
	}
	now := l.cfg.Clock()
	if err != nil {
		l.cfg.Log.WarnContext(ctx, "shared budget is out of reach; going on with this instance's own", "account", key, "error", err)
		l.mu.Lock()
		l.away = now.Add(awayTime)
		l.mu.Unlock()
	}
	a = known
	ok, at = a.Ask(now, p, false, l.cfg.Assume)
	if ok {
		a.Spend(now, l.cfg.Assume)
	}
	return a, ok, at, nil
}

// more takes the places after one that was just given: as many as a bucket has
// in half a second, so that a storm does not write the row for each operation.
// A quota's are too few for that.
func (a *Account) more(now time.Time, p operation.Priority, s Assumptions) (places []time.Time) {
	if a.Quota {
		return nil
	}
	for range int(min(a.rate(s)/2, mostPlaces)) {
		_, at := a.Ask(now, p, false, s)
		if at.Equal(now) {
			break
		}
		places = append(places, at)
	}
	return places
}
