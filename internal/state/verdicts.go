package state

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"
)

// Verdict is what automatic protection last decided about a resource. It holds
// nothing of the event but its id and time.
type Verdict struct {
	// ResourceID is the file share's or server's, or the storage account's
	// where none of its shares could be looked at.
	ResourceID string    `json:"resourceId"`
	At         time.Time `json:"at"`
	// Outcome is a word such as protect, exclude or none; Rule the name of the
	// rule that decided, Reason the why for a person.
	Outcome string `json:"outcome"`
	Rule    string `json:"rule,omitempty"`
	Reason  string `json:"reason"`
	// WouldBe are the dry-run rules that matched, with what they would do.
	WouldBe []string `json:"wouldBe,omitempty"`
	// OperationID is the operation that protects the resource.
	OperationID string `json:"operationId,omitempty"`
	// Source is event or sweep; EventID is the event's id.
	Source  string `json:"source"`
	EventID string `json:"eventId,omitempty"`
}

// ErrNoVerdict says that nothing was decided about a resource.
var ErrNoVerdict = errors.New("there is no verdict")

const verdictRow = "verdict"

// RecordVerdict writes down the last verdict about a resource. It may be
// repeated.
func (s *Store) RecordVerdict(ctx context.Context, v Verdict) error {
	doing := "record the verdict about " + v.ResourceID
	record, err := encode(v, recordLimit)
	if err != nil {
		return failed(doing, err)
	}
	e := entity{"PartitionKey": encodeKey(strings.ToLower(v.ResourceID)), "RowKey": verdictRow}
	e.time("at", v.At)
	e.text("resourceId", v.ResourceID)
	e.text("outcome", v.Outcome)
	e.text("rule", v.Rule)
	e.text("reason", v.Reason)
	e.record("verdict", record)
	encoded, err := e.encode()
	if err != nil {
		return failed(doing, err)
	}
	if err := s.EnsureTables(ctx); err != nil {
		return failed(doing, err)
	}
	if err := upsert(ctx, s.verdicts, encoded); err != nil {
		return failed(doing, err)
	}
	return nil
}

// Verdict reads the last verdict about a resource; ErrNoVerdict if there is
// none.
func (s *Store) Verdict(ctx context.Context, resourceID string) (Verdict, error) {
	doing := "read the verdict about " + resourceID
	text, err := s.point(ctx, s.verdicts, encodeKey(strings.ToLower(resourceID)), verdictRow)
	if missing(err) {
		return Verdict{}, fmt.Errorf("%s: %w", doing, ErrNoVerdict)
	}
	if err != nil {
		return Verdict{}, failed(doing, err)
	}
	record, err := recordOf(text, "verdict")
	if err != nil {
		return Verdict{}, failed(doing, err)
	}
	var v Verdict
	if err := json.Unmarshal(record, &v); err != nil {
		return v, fmt.Errorf("read stored verdict: %w", err)
	}
	return v, nil
}

// point reads one entity.
func (s *Store) point(ctx context.Context, table *aztables.Client, partition, row string) ([]byte, error) {
	if err := s.EnsureTables(ctx); err != nil {
		return nil, err
	}
	answer, err := table.GetEntity(ctx, partition, row, nil)
	if err != nil {
		return nil, err
	}
	return answer.Value, nil
}
