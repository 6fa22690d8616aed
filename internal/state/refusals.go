package state

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"
)

// refusalPartition holds all refusals: they are few, or else someone is at
// work on the sender.
const refusalPartition = "refusal"

// RecordRefusal writes down a refused request. It may be repeated.
func (s *Store) RecordRefusal(ctx context.Context, r Refusal) error {
	doing := "record refusal " + r.ID
	record, err := encode(r.Shortened(), recordLimit)
	if err != nil {
		return failed(doing, err)
	}
	e := entity{"PartitionKey": refusalPartition, "RowKey": string(PositionOf(r.At, r.ID))}
	e.time("at", r.At)
	e.text("source", r.Source)
	e.text("flow", r.Flow)
	e.text("key", r.Key)
	e.text("messageId", r.MessageID)
	e.text("reason", r.Reason)
	e.record("refusal", record)
	if whole := r.whole(); whole != "" {
		e.record("whole", []byte(whole))
	}
	encoded, err := e.encode()
	if err != nil {
		return failed(doing, err)
	}
	if err := s.EnsureTables(ctx); err != nil {
		return failed(doing, err)
	}
	if err := upsert(ctx, s.refusals, encoded); err != nil {
		return failed(doing, err)
	}
	return nil
}

// Refusals gives one page of refused requests, newest first. The error is
// ErrContinue for a Continue of another origin.
func (s *Store) Refusals(ctx context.Context, q RefusalQuery) (RefusalPage, error) {
	after, err := ParseContinue(q.Continue)
	if err != nil {
		return RefusalPage{}, err
	}
	_, end := bounds(q.Since, time.Time{})
	first := ""
	if after != "" {
		first = string(after) + "!"
	}
	var page RefusalPage
	for text, err := range s.entities(ctx, s.refusals, &aztables.ListEntitiesOptions{
		Filter: to.Ptr(rangeFilter(refusalPartition, first, end)), Select: to.Ptr(listedColumns), Top: to.Ptr(int32(q.Size() + 1)), //nolint:gosec // G115: at most MaxPageSize.
	}) {
		if err != nil {
			return RefusalPage{}, failed("list refusals", err)
		}
		if len(page.Refusals) == q.Size() {
			last := page.Refusals[len(page.Refusals)-1]
			page.Continue = PositionOf(last.At, last.ID).Continue()
			return page, nil
		}
		r, err := refusalOf(text)
		if err != nil {
			return RefusalPage{}, failed("list refusals", err)
		}
		page.Refusals = append(page.Refusals, r)
	}
	return page, nil
}

func refusalOf(text []byte) (Refusal, error) {
	record, err := recordOf(text, "refusal")
	if err != nil {
		return Refusal{}, err
	}
	var r Refusal
	if err := json.Unmarshal(record, &r); err != nil {
		return Refusal{}, fmt.Errorf("read stored refusal: %w", err)
	}
	return r, nil
}
