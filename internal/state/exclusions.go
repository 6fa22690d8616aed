package state

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"
)

// Exclusion says that a resource is not to be protected automatically: a
// person deleted or stopped its protection on purpose.
type Exclusion struct {
	// ResourceID is the datasource: a file share's, server's or machine's
	// resource id. Ids are compared without regard to casing.
	ResourceID string `json:"resourceId"`
	// OperationID is the operation that recorded it.
	OperationID string    `json:"operationId"`
	At          time.Time `json:"at"`
}

// exclusionPartition holds all exclusions: each is a decision of a person.
const exclusionPartition = "exclusion"

// Exclude records an exclusion. It may be repeated; the last one counts.
func (s *Store) Exclude(ctx context.Context, x Exclusion) error {
	doing := "exclude " + x.ResourceID
	record, err := encode(x, recordLimit)
	if err != nil {
		return failed(doing, err)
	}
	e := entity{"PartitionKey": exclusionPartition, "RowKey": encodeKey(strings.ToLower(x.ResourceID))}
	e.time("at", x.At)
	e.text("resourceId", x.ResourceID)
	e.record("exclusion", record)
	encoded, err := e.encode()
	if err != nil {
		return failed(doing, err)
	}
	if err := s.EnsureTables(ctx); err != nil {
		return failed(doing, err)
	}
	if err := upsert(ctx, s.exclusions, encoded); err != nil {
		return failed(doing, err)
	}
	return nil
}

// Include forgets an exclusion. It may be repeated, and there need be none.
func (s *Store) Include(ctx context.Context, resourceID string) error {
	doing := "include " + resourceID
	if err := s.EnsureTables(ctx); err != nil {
		return failed(doing, err)
	}
	_, err := s.exclusions.DeleteEntity(ctx, exclusionPartition, encodeKey(strings.ToLower(resourceID)), nil)
	if err != nil && !hasCode(err, aztables.ResourceNotFound) {
		return failed(doing, err)
	}
	return nil
}

// Excluded reads the exclusion of a resource; found is false if there is none.
func (s *Store) Excluded(ctx context.Context, resourceID string) (x Exclusion, found bool, err error) {
	doing := "read the exclusion of " + resourceID
	text, err := s.point(ctx, s.exclusions, exclusionPartition, encodeKey(strings.ToLower(resourceID)))
	if missing(err) {
		return Exclusion{}, false, nil
	}
	if err != nil {
		return Exclusion{}, false, failed(doing, err)
	}
	if x, err = exclusionOf(text); err != nil {
		return x, false, failed(doing, err)
	}
	return x, true, nil
}

// Exclusions yields all exclusions, in no particular order.
func (s *Store) Exclusions(ctx context.Context) iter.Seq2[Exclusion, error] {
	return func(yield func(Exclusion, error) bool) {
		filter := fmt.Sprintf("PartitionKey eq '%s'", exclusionPartition)
		for text, err := range s.entities(ctx, s.exclusions, &aztables.ListEntitiesOptions{Filter: to.Ptr(filter)}) {
			var x Exclusion
			if err == nil {
				x, err = exclusionOf(text)
			}
			if err != nil {
				yield(Exclusion{}, failed("list exclusions", err))
				return
			}
			if !yield(x, nil) {
				return
			}
		}
	}
}

func exclusionOf(text []byte) (Exclusion, error) {
	var x Exclusion
	record, err := recordOf(text, "exclusion")
	if err != nil {
		return x, err
	}
	if err := json.Unmarshal(record, &x); err != nil {
		return x, fmt.Errorf("read stored exclusion: %w", err)
	}
	return x, nil
}
