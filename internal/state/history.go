package state

import (
	"context"
	"fmt"
	"iter"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"

	"azbackupflow/internal/operation"
)

// History yields the events of an operation in the order of their saves. It
// yields nothing if the operation does not exist. It yields an
// *operation.Unreadable for each event that cannot be read, and continues.
func (s *Store) History(ctx context.Context, id string) iter.Seq2[operation.Event, error] {
	return func(yield func(operation.Event, error) bool) {
		for text, err := range s.entities(ctx, s.operations, &aztables.ListEntitiesOptions{
			Filter: to.Ptr(rangeFilter(encodeKey(id), eventPrefix, eventEnd)),
		}) {
			if err != nil {
				yield(operation.Event{}, failed("load history of operation "+id, err))
				return
			}
			ev, err := eventOf(text)
			if err != nil {
				err = failed("load history of operation "+id, unreadable(text, err))
			}
			if !yield(ev, err) {
				return
			}
		}
	}
}

func eventOf(text []byte) (operation.Event, error) {
	record, err := recordOf(text, "event")
	if err != nil {
		return operation.Event{}, err
	}
	return DecodeEvent(record)
}

// rangeFilter returns the filter for the rows of a partition from first to end.
// It excludes end; an empty end sets no limit. The keys must be encoded, so that
// they contain no quotes.
func rangeFilter(partition, first, end string) string {
	filter := fmt.Sprintf("PartitionKey eq '%s' and RowKey ge '%s'", partition, first)
	if end != "" {
		filter += fmt.Sprintf(" and RowKey lt '%s'", end)
	}
	return filter
}
