package state

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"

	"azbackupflow/internal/operation"
	"azbackupflow/internal/parallel"
)

// listsPartition holds all live markers and index entries, so that one
// transaction can write those of an operation. The row key of an entry is the
// name of its list, a colon, and the position of the operation.
//
// Table Storage handles up to 2,000 entities per second in one partition. An
// operation writes four to seven, so about 300 operations can start and end in
// each second. Service Bus Standard allows fewer.
//
// Source: https://learn.microsoft.com/azure/storage/tables/scalability-targets
const listsPartition = "lists"

// maxListName limits the name of a list in a row key, which also has room for a
// position.
const maxListName = 250

// allList is the list of all operations.
const allList = "all"

func flowList(flow string) string { return "flow=" + encodeKey(flow) }

func labelList(l operation.Label) string {
	return "label=" + encodeKey(l.Key) + "=" + encodeKey(l.Value)
}

func endedList(status operation.Status) string { return "ended=" + encodeKey(string(status)) }

func bulkList(key string) string { return "bulk=" + encodeKey(key) }

// listsOf returns the lists that contain an operation from its creation.
func listsOf(op operation.Operation) []string {
	lists := []string{allList, flowList(op.Flow)}
	for key, value := range op.Labels {
		lists = append(lists, labelList(operation.Label{Key: key, Value: value}))
	}
	if op.Bulk != "" {
		lists = append(lists, bulkList(op.Bulk))
	}
	return lists
}

// listPrefix returns the first part of the row keys of a list, up to the colon.
func listPrefix(list string) string {
	if len(list) > maxListName {
		sum := sha256.Sum256([]byte(list))
		list = list[:maxListName-2*len(sum)-1] + "~" + hex.EncodeToString(sum[:])
	}
	return list + ":"
}

// listKey returns the row key of an operation's entry in a list.
func listKey(list string, at Position) string { return listPrefix(list) + string(at) }

// positionOf returns the last part of a row key, after the colon. In tables of
// version 0.1.0 it is the whole row key.
func positionOf(rowKey string) string { return rowKey[strings.LastIndex(rowKey, ":")+1:] }

// listFilter returns the filter for the entries of a list from first to end. It
// excludes end; an empty end sets no limit.
func listFilter(list, first, end string) string {
	prefix := listPrefix(list)
	if end == "" {
		return rangeFilter(listsPartition, prefix+first, strings.TrimSuffix(prefix, ":")+";") // the character after the colon
	}
	return rangeFilter(listsPartition, prefix+first, prefix+end)
}

// listed yields the entries of a list, then those that version 0.1.0 wrote. The
// second part is not sorted into the first.
func (s *Store) listed(ctx context.Context, list, first, end string, top *int32) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for _, filter := range []string{listFilter(list, first, end), rangeFilter(list, first, end)} {
			for text, err := range s.entities(ctx, s.index, &aztables.ListEntitiesOptions{Filter: &filter, Top: top}) {
				if !yield(text, err) || err != nil {
					return
				}
			}
		}
	}
}

// pointer is the record of live markers and index entries. It points at the row
// of an operation.
type pointer struct {
	ID string `json:"id"`
	// CreatedAt has full precision; columns of Table Storage do not.
	CreatedAt time.Time `json:"createdAt"`
	// Flow is set in the entries of allList and of final statuses. Labels and Bulk
	// are set in those of allList.
	Flow   string            `json:"flow,omitempty"`
	Labels map[string]string `json:"labels,omitempty"`
	Bulk   string            `json:"bulk,omitempty"`
	// Ended is the final status, in the entries of bulks.
	Ended operation.Status `json:"ended,omitempty"`
}

func pointerEntity(partition, row string, p pointer) ([]byte, error) {
	record, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("encode pointer: %w", err)
	}
	e := entity{"PartitionKey": partition, "RowKey": row}
	e.time("createdAt", p.CreatedAt)
	e.record("operation", record)
	return e.encode()
}

// pointerOf returns the record of a marker or an entry. Its error is
// *operation.Unreadable and names the row.
func pointerOf(text []byte) (pointer, error) {
	var p pointer
	record, err := recordOf(text, "operation")
	if err == nil {
		err = json.Unmarshal(record, &p)
	}
	if err == nil && p.ID == "" {
		err = errors.New("the record has no ID")
	}
	if err != nil {
		return pointer{}, unreadable(text, err)
	}
	return p, nil
}

// entryOf returns the action that writes the operation's entry in a list.
func entryOf(op operation.Operation, list string) (change, error) {
	p := pointer{ID: op.ID, CreatedAt: op.CreatedAt}
	switch {
	case list == allList:
		// If the row is missing, these name the other entries to delete.
		p.Flow, p.Labels, p.Bulk = op.Flow, op.Labels, op.Bulk
	case op.Status.Terminal() && list == endedList(op.Status):
		p.Flow = op.Flow
	case op.Status.Terminal() && op.Bulk != "" && list == bulkList(op.Bulk):
		p.Ended = op.Status
	}
	row := listKey(list, PositionOf(op.CreatedAt, op.ID))
	entry, err := pointerEntity(listsPartition, row, p)
	return change{method: http.MethodPut, partition: listsPartition, row: row, entity: entry}, err
}

// entriesOf returns the actions that write the operation's entries in lists.
func entriesOf(op operation.Operation, lists []string) ([]change, error) {
	actions := make([]change, 0, len(lists)+1)
	for _, list := range lists {
		entry, err := entryOf(op, list)
		if err != nil {
			return nil, err
		}
		actions = append(actions, entry)
	}
	return actions, nil
}

// reindex writes all index entries of the operation. If the operation was
// retried, it deletes the entries of earlier final statuses. It may be repeated
// at any time, which repairs the index.
func (s *Store) reindex(ctx context.Context, op operation.Operation) error {
	lists := listsOf(op)
	if op.Status.Terminal() {
		lists = append(lists, endedList(op.Status))
	}
	entries, err := entriesOf(op, lists)
	if err == nil {
		_, err = transact(ctx, s.index, entries...)
	}
	if err != nil {
		return failed("index operation "+op.ID, err)
	}
	var earlier []string
	for _, status := range earlierEnds(op) {
		earlier = append(earlier, endedList(status))
	}
	if err := s.deleteAllEntries(ctx, earlier, PositionOf(op.CreatedAt, op.ID)); err != nil {
		return failed("index operation "+op.ID, err)
	}
	return nil
}

// deleteEntries deletes an operation's entries from lists, in one transaction, or
// one by one if some do not exist: a transaction fails then.
func (s *Store) deleteEntries(ctx context.Context, lists []string, at Position) error {
	if len(lists) == 0 {
		return nil
	}
	var deletions []change
	for _, list := range lists {
		deletions = append(deletions, deletionOf(listsPartition, listKey(list, at), ""))
	}
	_, err := transact(ctx, s.index, deletions...)
	if !missing(err) {
		return err
	}
	group, ctx := parallel.WithContext(ctx)
	group.SetLimit(maxConcurrent)
	for _, list := range lists {
		group.Go(func() error { return s.deleteEntry(ctx, listsPartition, listKey(list, at)) })
	}
	return group.Wait()
}

// deleteAllEntries deletes an operation's entries from lists, those of version
// 0.1.0 included.
func (s *Store) deleteAllEntries(ctx context.Context, lists []string, at Position) error {
	if err := s.deleteEntries(ctx, lists, at); err != nil {
		return err
	}
	group, ctx := parallel.WithContext(ctx)
	group.SetLimit(maxConcurrent)
	for _, list := range lists {
		group.Go(func() error { return s.deleteEntry(ctx, list, string(at)) })
	}
	return group.Wait()
}

// deleteEntry deletes one entry. It succeeds if there is none.
func (s *Store) deleteEntry(ctx context.Context, partition, row string) error {
	if _, err := s.index.DeleteEntity(ctx, partition, row, nil); !missing(err) {
		return err
	}
	return nil
}

// earlierEnds returns the statuses with which the operation may have ended
// before; none if it was never retried.
func earlierEnds(op operation.Operation) []operation.Status {
	if op.Round == 0 {
		return nil
	}
	var ends []operation.Status
	for _, status := range operation.Statuses() {
		if status.Terminal() && status != op.Status {
			ends = append(ends, status)
		}
	}
	return ends
}
