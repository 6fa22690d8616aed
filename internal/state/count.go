package state

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"

	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/parallel"
	"azbackupflow/internal/request"
)

// CountEnded counts the finalized operations that were created at since or later
// by flow and final status. It reads the live markers, then the statuses at the same time, at most
// limit index entries and no rows; complete is false if there are more. Operations that ended long
// before this method existed count under an empty flow.
func (s *Store) CountEnded(ctx context.Context, since time.Time, limit int) (counts operation.Counts, complete bool, err error) {
	live, err := s.liveIDs(ctx)
	if err != nil {
		return nil, false, failed("count operations", err)
	}
	counts = operation.Counts{}
	var mu sync.Mutex
	read := 0
	add := func(status operation.Status, text []byte) error {
		mu.Lock()
		defer mu.Unlock()
		if read == limit {
			return errEnough
		}
		read++
		// A list names an unreadable entry. That of a retried operation is of its earlier end.
		if p, err := pointerOf(text); err == nil && !live[p.ID] {
			counts.Add(p.Flow, status)
		}
		return nil
	}
	_, end := bounds(since, time.Time{})
	group, ctx := parallel.WithContext(ctx)
	for _, status := range operation.Statuses() {
		if status.Terminal() {
			group.Go(func() error { return s.eachEnded(ctx, status, end, add) })
		}
	}
	switch err := group.Wait(); {
	case errors.Is(err, errEnough):
		return counts, false, nil
	case err != nil:
		return nil, false, failed("count operations", err)
	}
	return counts, true, nil
}

// errEnough ends a count at its limit.
var errEnough = errors.New("enough operations were counted")

// eachEnded passes the index entries of one final status on, newest first, up to a row key.
func (s *Store) eachEnded(ctx context.Context, status operation.Status, end string, add func(operation.Status, []byte) error) error {
	for text, err := range s.listed(ctx, endedList(status), "", end, to.Ptr[int32](1000)) {
		if err != nil {
			return err
		}
		if err := add(status, text); err != nil {
			return err
		}
	}
	return nil
}

// ListBulk returns the operations that a bulk has started, newest first. It reads
// the rows of operations that are live or not finalized only.
func (s *Store) ListBulk(ctx context.Context, key string) ([]operation.Member, error) {
	action := "list bulk " + key
	live, err := s.liveIDs(ctx)
	if err != nil {
		return nil, failed(action, err)
	}
	var members []operation.Member
	var unknown []int
	for text, err := range s.listed(ctx, bulkList(key), "", "", to.Ptr[int32](1000)) {
		if err != nil {
			return nil, failed(action, err)
		}
		p, err := pointerOf(text)
		if err != nil {
			continue
		}
		if p.Ended == "" || live[p.ID] { // a marker may announce a retry
			unknown = append(unknown, len(members))
		}
		members = append(members, operation.Member{ID: p.ID, Status: p.Ended})
	}
	if err := s.loadMembers(ctx, members, unknown); err != nil {
		return nil, failed(action, err)
	}
	return existingMembers(members), nil
}

// liveIDs returns the operations that have a readable live marker.
func (s *Store) liveIDs(ctx context.Context) (map[string]bool, error) {
	live := map[string]bool{}
	for marker, err := range s.ListLive(ctx) {
		if operation.IsUnreadable(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		live[marker.ID] = true
	}
	return live, nil
}

// loadMembers sets the status of some members to that of their rows. It is empty
// if there is no readable row.
func (s *Store) loadMembers(ctx context.Context, members []operation.Member, which []int) error {
	group, ctx := parallel.WithContext(ctx)
	group.SetLimit(maxConcurrent)
	for _, i := range which {
		group.Go(func() error {
			members[i].Status = ""
			row, err := s.Load(ctx, members[i].ID)
			switch {
			case errors.Is(err, engine.ErrNotFound), operation.IsUnreadable(err):
				return nil
			case err != nil:
				return err
			}
			members[i].Status = row.Operation.Status
			return nil
		})
	}
	return group.Wait()
}

// existingMembers returns the members that have a status, each once: an
// interrupted Create may have left a second entry.
func existingMembers(members []operation.Member) []operation.Member {
	var found []operation.Member
	seen := map[string]bool{}
	for _, m := range members {
		if m.Status != "" && !seen[m.ID] {
			seen[m.ID] = true
			found = append(found, m)
		}
	}
	return found
}

// expireBulks deletes the records of bulks that were last changed before the
// given time, at most limit of them.
func (s *Store) expireBulks(ctx context.Context, before time.Time, limit int) error {
	deleted := 0
	for row, err := range s.ListShared(ctx, request.BulkRecords) {
		if err != nil || deleted == limit {
			return err
		}
		if !row.bulkBefore(before) {
			continue
		}
		if _, err := s.shared.DeleteEntity(ctx, sharedPartition(request.BulkRecords, row.Key), sharedKey, nil); err != nil && !missing(err) {
			return err
		}
		deleted++
	}
	return nil
}
