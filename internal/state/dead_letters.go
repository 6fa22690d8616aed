package state

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"
)

// ErrNoRefusal says that there is no such refusal.
var ErrNoRefusal = errors.New("there is no such refused request")

// longestWhole is how much of a refused request is kept beside the refusal, so
// that it can be sent again: as much as a message may have.
const longestWhole = 256 << 10

// listedColumns are those of a refusal without the whole request.
const listedColumns = "PartitionKey,RowKey,refusal,refusal2,refusal3"

// Handle names the refusal to people and programs.
func (r Refusal) Handle() string { return string(PositionOf(r.At, r.ID)) }

// whole is the part of the request that Shortened leaves out, empty if it
// leaves out nothing, or if there is too much to keep: what has to be escaped
// takes up to six times its place.
func (r Refusal) whole() string {
	if len(r.Body) <= longestBody || len(r.Body) > longestWhole {
		return ""
	}
	if escaped, err := json.Marshal(r.Body); err != nil || len(escaped) > 2*longestWhole {
		return ""
	}
	return r.Body
}

// Refusal gives one refusal by its handle, with the whole request where it was
// kept; ErrNoRefusal if there is none.
func (s *Store) Refusal(ctx context.Context, handle string) (Refusal, error) {
	doing := "load refusal " + handle
	if err := checkHandle(handle); err != nil {
		return Refusal{}, fmt.Errorf("%s: %w", doing, err)
	}
	if err := s.EnsureTables(ctx); err != nil {
		return Refusal{}, failed(doing, err)
	}
	answer, err := s.refusals.GetEntity(ctx, refusalPartition, handle, nil)
	if missing(err) {
		return Refusal{}, fmt.Errorf("%s: %w", doing, ErrNoRefusal)
	}
	if err != nil {
		return Refusal{}, failed(doing, err)
	}
	r, err := refusalOf(answer.Value)
	if err != nil {
		return Refusal{}, failed(doing, err)
	}
	if body, err := recordOf(answer.Value, "whole"); err == nil {
		r.Body = string(body)
	}
	return r, nil
}

// RemoveRefusal forgets one refusal. It may be repeated.
func (s *Store) RemoveRefusal(ctx context.Context, handle string) error {
	doing := "remove refusal " + handle
	if err := checkHandle(handle); err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	if err := s.EnsureTables(ctx); err != nil {
		return failed(doing, err)
	}
	_, err := s.refusals.DeleteEntity(ctx, refusalPartition, handle, &aztables.DeleteEntityOptions{})
	if err != nil && !missing(err) {
		return failed(doing, err)
	}
	return nil
}

// RemoveRefusals forgets refusals of before the time, at most so many; more
// says that there may be others.
func (s *Store) RemoveRefusals(ctx context.Context, before time.Time, most int) (removed int, more bool, err error) {
	if err := s.EnsureTables(ctx); err != nil {
		return 0, false, failed("remove refusals", err)
	}
	removed, err = s.expireRefusals(ctx, before, most)
	if err != nil {
		return removed, true, failed("remove refusals", err)
	}
	return removed, removed >= most, nil
}

// checkHandle refuses what cannot be a handle, such as a text that would break
// out of a row key.
func checkHandle(handle string) error {
	if _, err := ParseContinue(Position(handle).Continue()); handle == "" || err != nil {
		return ErrNoRefusal
	}
	return nil
}
