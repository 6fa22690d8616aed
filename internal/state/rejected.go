package state

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"

	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/rejected"
)

// rejectedPartition holds all rejected requests. There are few of them: many
// rejected requests mean a broken sender, which someone has to repair anyway.
const rejectedPartition = "rejected"

// maxStoredBody limits the body that is stored in full, in bytes: the maximum
// size of a Service Bus message in the standard tier.
const maxStoredBody = 256 << 10

// rejectedListColumns are the columns of a rejected request without its full
// body.
const rejectedListColumns = "PartitionKey,RowKey,request,request2,request3"

// maxListedRecord limits the record of a rejected request to the columns of
// lists, in bytes as Table Storage counts them.
const maxListedRecord = 3 * 2 * chunkUnits

// SaveRejected stores a rejected request, replacing one with the same ID.
func (s *Store) SaveRejected(ctx context.Context, r rejected.Request) error {
	action := "save rejected request " + r.ID
	if !rejected.ValidID(r.ID) {
		return fmt.Errorf("%s: invalid ID; use rejected.NewID", action)
	}
	record, kept, err := encodeListed(r.Shortened())
	if err != nil {
		return failed(action, err)
	}
	e := entity{"PartitionKey": rejectedPartition, "RowKey": r.ID}
	e.time("at", r.At)
	e.text("source", string(r.Source))
	e.text("flow", r.Flow)
	e.text("key", r.Key)
	e.text("messageId", r.MessageID)
	e.text("reason", r.Reason)
	e.record("request", record)
	if len(r.Body) > kept && storable(r.Body) {
		e.record("body", []byte(r.Body))
	}
	return s.put(ctx, action, s.rejected, e)
}

// encodeListed encodes a request so that lists can read all of it. It cuts the
// body first, and then omits the fields. It returns how many bytes of the body the
// record keeps.
func encodeListed(r rejected.Request) (record []byte, kept int, err error) {
	for limit := len(r.Body); limit > 0; limit /= 2 {
		r.Body = strings.ToValidUTF8(r.Body[:limit], "")
		record, err := encode(r, maxListedRecord)
		if !errors.Is(err, engine.ErrTooLarge) {
			return record, len(r.Body), err
		}
	}
	r.Body = ""
	record, err = encode(r, maxListedRecord)
	if !errors.Is(err, engine.ErrTooLarge) {
		return record, 0, err
	}
	r.Fields = nil
	record, err = encode(r, maxListedRecord)
	return record, 0, err
}

// storable reports whether a body can be stored in full. JSON escaping can make a
// body six times longer.
func storable(body string) bool {
	if len(body) > maxStoredBody {
		return false
	}
	escaped, err := json.Marshal(body)
	return err == nil && len(escaped) <= 2*maxStoredBody
}

// LoadRejected returns a rejected request, with its full body if that was
// stored. It returns rejected.ErrNotFound if there is none with the ID.
func (s *Store) LoadRejected(ctx context.Context, id string) (rejected.Request, error) {
	action := "load rejected request " + id
	if !rejected.ValidID(id) {
		return rejected.Request{}, fmt.Errorf("%s: %w", action, rejected.ErrNotFound)
	}
	text, err := s.point(ctx, s.rejected, rejectedPartition, id)
	if missing(err) {
		return rejected.Request{}, fmt.Errorf("%s: %w", action, rejected.ErrNotFound)
	}
	if err != nil {
		return rejected.Request{}, failed(action, err)
	}
	r, err := rejectedOf(text)
	if err != nil {
		return rejected.Request{}, failed(action, &operation.Unreadable{Record: id, Err: err})
	}
	if body, err := recordOf(text, "body"); err == nil {
		r.Body = string(body)
	}
	return r, nil
}

// ListRejected returns one page of rejected requests, newest first. It skips and
// names those whose rows cannot be read. It returns
// operation.ErrContinue for an unknown continuation token.
func (s *Store) ListRejected(ctx context.Context, q rejected.Query) (page rejected.Page, err error) {
	page.Continue, err = s.listRejectedRows(ctx, rejectedPartition, rejectedListColumns, q, func(row string, text []byte) {
		r, err := rejectedOf(text)
		if err != nil {
			page.Unreadable = append(page.Unreadable, row)
			return
		}
		page.Requests = append(page.Requests, r)
	})
	if err != nil {
		return rejected.Page{}, failed("list rejected requests", err)
	}
	return page, nil
}

// listRejectedRows reads one page of a partition, newest first. It returns the
// continuation token of the next page.
func (s *Store) listRejectedRows(
	ctx context.Context, partition, columns string, q rejected.Query, add func(row string, text []byte),
) (next string, err error) {
	after, err := ParseContinue(q.Continue)
	if err != nil {
		return "", err
	}
	_, end := bounds(q.Since, time.Time{})
	first := ""
	if after != "" {
		first = after.next()
	}
	n, last := 0, ""
	for text, err := range s.entities(ctx, s.rejected, &aztables.ListEntitiesOptions{
		Filter: to.Ptr(rangeFilter(partition, first, end)), Select: to.Ptr(columns), Top: to.Ptr(int32(q.Size() + 1)), //nolint:gosec // G115: at most MaxPageSize.
	}) {
		if err != nil {
			return "", err
		}
		if n == q.Size() {
			return Position(last).Continue(), nil
		}
		if last, err = rowKeyOf(text); err != nil {
			return "", err
		}
		add(last, text)
		n++
	}
	return "", nil
}

// DeleteRejected deletes a rejected request. It succeeds if there is none with
// the ID.
func (s *Store) DeleteRejected(ctx context.Context, id string) error {
	action := "delete rejected request " + id
	if !rejected.ValidID(id) {
		return nil
	}
	if err := s.EnsureTables(ctx); err != nil {
		return failed(action, err)
	}
	if _, err := s.rejected.DeleteEntity(ctx, rejectedPartition, id, nil); err != nil && !missing(err) {
		return failed(action, err)
	}
	return nil
}

// PurgeRejected deletes at most limit requests that were rejected before the
// given time. It reports whether there may be more.
func (s *Store) PurgeRejected(ctx context.Context, before time.Time, limit int) (deleted int, more bool, err error) {
	deleted, more, err = s.expireRejected(ctx, rejectedPartition, before, limit)
	if err != nil {
		return deleted, true, failed("purge rejected requests", err)
	}
	return deleted, more, nil
}

// expireRejected deletes at most limit rows of a partition that are older than the
// given time, and reports whether there may be more. If another process deletes
// some of them first, there may be more.
func (s *Store) expireRejected(ctx context.Context, partition string, before time.Time, limit int) (deleted int, more bool, err error) {
	first, _ := bounds(time.Time{}, before)
	var actions []change
	for text, err := range s.entities(ctx, s.rejected, &aztables.ListEntitiesOptions{
		Filter: to.Ptr(rangeFilter(partition, first, "")), Select: to.Ptr("PartitionKey,RowKey"),
	}) {
		if err != nil {
			return 0, false, err
		}
		if len(actions) == limit {
			break
		}
		row, err := rowKeyOf(text)
		if err != nil {
			return 0, false, err
		}
		actions = append(actions, deletionOf(partition, row, ""))
	}
	deleted, changed, err := s.deleteAll(ctx, s.rejected, actions)
	return deleted, changed || deleted == limit, err
}

func rejectedOf(text []byte) (rejected.Request, error) {
	record, err := recordOf(text, "request")
	if err != nil {
		return rejected.Request{}, err
	}
	var r rejected.Request
	if err := json.Unmarshal(record, &r); err != nil {
		return rejected.Request{}, fmt.Errorf("decode rejected request: %w", err)
	}
	return r, nil
}
