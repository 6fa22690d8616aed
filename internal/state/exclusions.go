package state

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"

	"azbackupflow/internal/autoprotect/decision"
	"azbackupflow/internal/operation"
)

// exclusionPartition holds all exclusions. There are few, because each is the
// decision of an operator.
const exclusionPartition = "exclusion"

// SaveExclusion stores an exclusion, replacing the previous one of the same
// resource.
func (s *Store) SaveExclusion(ctx context.Context, x decision.Exclusion) error {
	action := "save exclusion of " + x.ResourceID
	record, err := encode(x, recordLimit)
	if err != nil {
		return failed(action, err)
	}
	e := entity{"PartitionKey": exclusionPartition, "RowKey": ResourceKey(x.ResourceID)}
	e.time("at", x.At)
	e.text("resourceId", x.ResourceID)
	e.record("exclusion", record)
	return s.put(ctx, action, s.exclusions, e)
}

// LoadExclusion returns the exclusion of a resource and whether there is one. The
// error is *operation.Unreadable if there is one that cannot be read.
func (s *Store) LoadExclusion(ctx context.Context, resourceID string) (x decision.Exclusion, found bool, err error) {
	action := "load exclusion of " + resourceID
	text, err := s.point(ctx, s.exclusions, exclusionPartition, ResourceKey(resourceID))
	if missing(err) {
		return decision.Exclusion{}, false, nil
	}
	if err != nil {
		return decision.Exclusion{}, false, failed(action, err)
	}
	if x, err = exclusionOf(text); err != nil {
		return x, false, failed(action, &operation.Unreadable{Record: resourceID, Err: err})
	}
	return x, true, nil
}

// ListExclusions returns all exclusions, in no order. Of one that cannot be read it
// returns only the resource ID.
func (s *Store) ListExclusions(ctx context.Context) ([]decision.Exclusion, error) {
	const action = "list exclusions"
	filter := fmt.Sprintf("PartitionKey eq '%s'", exclusionPartition)
	var all []decision.Exclusion
	for text, err := range s.entities(ctx, s.exclusions, &aztables.ListEntitiesOptions{Filter: to.Ptr(filter)}) {
		if err != nil {
			return nil, failed(action, err)
		}
		x, err := exclusionOf(text)
		if err != nil || x.ResourceID == "" {
			x = unreadableExclusion(text)
		}
		if x.ResourceID != "" {
			all = append(all, x)
		}
	}
	return all, nil
}

// DeleteExclusion deletes the exclusion of a resource. It succeeds if there is
// none.
func (s *Store) DeleteExclusion(ctx context.Context, resourceID string) error {
	action := "delete exclusion of " + resourceID
	if err := s.EnsureTables(ctx); err != nil {
		return failed(action, err)
	}
	_, err := s.exclusions.DeleteEntity(ctx, exclusionPartition, ResourceKey(resourceID), nil)
	if err != nil && !hasCode(err, aztables.ResourceNotFound) {
		return failed(action, err)
	}
	return nil
}

// unreadableExclusion returns what the other columns of a row say. The resource ID
// is empty if it was too long for the row's key.
func unreadableExclusion(text []byte) (x decision.Exclusion) {
	var row struct {
		RowKey     string
		ResourceID string `json:"resourceId"`
	}
	_ = json.Unmarshal(text, &row) // a column of another type stays empty
	x.ResourceID = row.ResourceID
	if id, ok := decodeKey(row.RowKey); ok && x.ResourceID == "" {
		x.ResourceID = id
	}
	return x
}

func exclusionOf(text []byte) (decision.Exclusion, error) {
	var x decision.Exclusion
	record, err := recordOf(text, "exclusion")
	if err != nil {
		return x, err
	}
	if err := json.Unmarshal(record, &x); err != nil {
		return x, fmt.Errorf("decode exclusion: %w", err)
	}
	return x, nil
}
