package state

import (
	"context"
	"encoding/json"
	"fmt"

	"azbackupflow/internal/rejected"
)

// removalsPartition holds the records of removals, in the table of rejected
// requests.
const removalsPartition = "removals"

// SaveRemoval stores the record of a removal, replacing one with the same ID.
func (s *Store) SaveRemoval(ctx context.Context, r rejected.Removal) error {
	action := "save removal " + r.ID
	if !rejected.ValidID(r.ID) {
		return fmt.Errorf("%s: invalid ID; use rejected.NewID", action)
	}
	record, err := encode(r, recordLimit)
	if err != nil {
		return failed(action, err)
	}
	e := entity{"PartitionKey": removalsPartition, "RowKey": r.ID}
	e.time("at", r.At)
	e.text("actor", r.By.Actor.String())
	e.text("reason", r.By.Reason)
	e.record("removal", record)
	return s.put(ctx, action, s.rejected, e)
}

// ListRemovals returns one page of the records of removals, newest first. It skips
// and names those whose rows cannot be read. It returns operation.ErrContinue for
// an unknown continuation token.
func (s *Store) ListRemovals(ctx context.Context, q rejected.Query) (page rejected.RemovalPage, err error) {
	page.Continue, err = s.listRejectedRows(ctx, removalsPartition, "PartitionKey,RowKey,removal", q, func(row string, text []byte) {
		r, err := removalOf(text)
		if err != nil {
			page.Unreadable = append(page.Unreadable, row)
			return
		}
		page.Removals = append(page.Removals, r)
	})
	if err != nil {
		return rejected.RemovalPage{}, failed("list removals", err)
	}
	return page, nil
}

func removalOf(text []byte) (rejected.Removal, error) {
	record, err := recordOf(text, "removal")
	if err != nil {
		return rejected.Removal{}, err
	}
	var r rejected.Removal
	if err := json.Unmarshal(record, &r); err != nil {
		return rejected.Removal{}, fmt.Errorf("decode removal: %w", err)
	}
	return r, nil
}
