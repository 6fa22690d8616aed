package state

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
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
	// OperationID is the operation that protects the resource: the last one,
	// where it was tried again.
	OperationID string `json:"operationId,omitempty"`
	// Created is when the resource was created, so that the verdict about one
	// that was deleted is not taken for one about its successor.
	Created time.Time `json:"created,omitzero"`
	// Source is event or sweep; EventID is the event's id.
	Source  string `json:"source"`
	EventID string `json:"eventId,omitempty"`
}

// ErrNoVerdict says that nothing was decided about a resource.
var ErrNoVerdict = errors.New("there is no verdict")

const verdictRow = "verdict"

// VerdictQuery says which verdicts to list, in the order of their resources.
type VerdictQuery struct {
	// Outcome and Rule are those of the verdicts that are wanted; empty means
	// any.
	Outcome, Rule string
	// PageSize and Continue are as in Query.
	PageSize int
	Continue string
}

// Size is the page size that the query comes to.
func (q VerdictQuery) Size() int { return pageSize(q.PageSize) }

// After is the key that the page begins after; ErrContinue for a Continue of
// another origin.
func (q VerdictQuery) After() (string, error) {
	key, err := base64.RawURLEncoding.DecodeString(q.Continue)
	if err != nil || !encodedKey(string(key)) {
		return "", ErrContinue
	}
	return string(key), nil
}

// Matches reports whether the query wants the verdict. It does not look at
// Continue.
func (q VerdictQuery) Matches(v Verdict) bool {
	return (q.Outcome == "" || q.Outcome == v.Outcome) && (q.Rule == "" || q.Rule == v.Rule)
}

// VerdictPage is one page of verdicts. Continue is empty after the last.
type VerdictPage struct {
	Verdicts []Verdict
	Continue string
}

// Key is where the verdict stands in lists. It is the same for every casing of
// the resource's id.
func (v Verdict) Key() string { return encodeKey(strings.ToLower(v.ResourceID)) }

// Continue asks for what comes after the verdict.
func (v Verdict) Continue() string {
	return base64.RawURLEncoding.EncodeToString([]byte(v.Key()))
}

// Verdicts gives one page of verdicts. Each page reads the table from where it
// begins until it is full: there is one row for each resource that was ever
// looked at.
func (s *Store) Verdicts(ctx context.Context, q VerdictQuery) (VerdictPage, error) {
	const doing = "list verdicts"
	after, err := q.After()
	if err != nil {
		return VerdictPage{}, err
	}
	filter := fmt.Sprintf("PartitionKey gt '%s'", after)
	if q.Outcome != "" {
		filter += " and outcome eq " + quoted(q.Outcome)
	}
	if q.Rule != "" {
		filter += " and rule eq " + quoted(q.Rule)
	}
	var page VerdictPage
	for text, err := range s.entities(ctx, s.verdicts, &aztables.ListEntitiesOptions{
		Filter: to.Ptr(filter), Top: to.Ptr(int32(q.Size() + 1)), //nolint:gosec // G115: at most MaxPageSize.
	}) {
		if err != nil {
			return VerdictPage{}, failed(doing, err)
		}
		if len(page.Verdicts) == q.Size() {
			page.Continue = page.Verdicts[len(page.Verdicts)-1].Continue()
			return page, nil
		}
		v, err := verdictOf(text)
		if err != nil {
			return VerdictPage{}, failed(doing, err)
		}
		page.Verdicts = append(page.Verdicts, v)
	}
	return page, nil
}

// quoted is a text in an OData filter.
func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

func verdictOf(text []byte) (Verdict, error) {
	record, err := recordOf(text, "verdict")
	if err != nil {
		return Verdict{}, err
	}
	var v Verdict
	if err := json.Unmarshal(record, &v); err != nil {
		return v, fmt.Errorf("read stored verdict: %w", err)
	}
	return v, nil
}

// RecordVerdict writes down the last verdict about a resource. It may be
// repeated.
func (s *Store) RecordVerdict(ctx context.Context, v Verdict) error {
	doing := "record the verdict about " + v.ResourceID
	record, err := encode(v, recordLimit)
	if err != nil {
		return failed(doing, err)
	}
	e := entity{"PartitionKey": v.Key(), "RowKey": verdictRow}
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
	text, err := s.point(ctx, s.verdicts, Verdict{ResourceID: resourceID}.Key(), verdictRow)
	if missing(err) {
		return Verdict{}, fmt.Errorf("%s: %w", doing, ErrNoVerdict)
	}
	if err != nil {
		return Verdict{}, failed(doing, err)
	}
	v, err := verdictOf(text)
	if err != nil {
		return Verdict{}, failed(doing, err)
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
