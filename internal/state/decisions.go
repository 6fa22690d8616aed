package state

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"

	"azbackupflow/internal/autoprotect/decision"
	"azbackupflow/internal/operation"
)

// decisionRow is the row key of a decision, which has its own partition.
const decisionRow = "decision"

// ResourceKey returns the key of a resource in storage. It is the same for each
// casing of the resource ID. Decisions are listed in the order of their keys.
func ResourceKey(resourceID string) string { return encodeKey(strings.ToLower(resourceID)) }

// ContinueAfter returns the continuation token of a page that ends with the
// decision.
func ContinueAfter(d decision.Record) string {
	return base64.RawURLEncoding.EncodeToString([]byte(ResourceKey(d.ResourceID)))
}

// ParseDecisionContinue returns the key of the last decision of the previous
// page, empty if there is none. It returns operation.ErrContinue for an unknown
// continuation token.
func ParseDecisionContinue(text string) (key string, err error) {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || !encodedKey(string(raw)) {
		return "", operation.ErrContinue
	}
	return string(raw), nil
}

// SaveDecision stores the last decision about a resource, replacing the
// previous one.
func (s *Store) SaveDecision(ctx context.Context, d decision.Record) error {
	action := "save decision about " + d.ResourceID
	record, err := encode(d, recordLimit)
	if err != nil {
		return failed(action, err)
	}
	e := entity{"PartitionKey": ResourceKey(d.ResourceID), "RowKey": decisionRow}
	e.time("at", d.At)
	e.text("resourceId", d.ResourceID)
	e.text("outcome", d.Outcome)
	e.text("rule", d.Rule)
	e.text("reason", d.Reason)
	e.record("decision", record)
	return s.put(ctx, action, s.decisions, e)
}

// LoadDecision returns the last decision about a resource, or
// decision.ErrNotFound. The error is *operation.Unreadable if it cannot be read.
func (s *Store) LoadDecision(ctx context.Context, resourceID string) (decision.Record, error) {
	action := "load decision about " + resourceID
	text, err := s.point(ctx, s.decisions, ResourceKey(resourceID), decisionRow)
	if missing(err) {
		return decision.Record{}, fmt.Errorf("%s: %w", action, decision.ErrNotFound)
	}
	if err != nil {
		return decision.Record{}, failed(action, err)
	}
	d, err := decisionOf(text)
	if err != nil {
		return decision.Record{}, failed(action, &operation.Unreadable{Record: resourceID, Err: err})
	}
	return d, nil
}

// ListDecisions returns one page of decisions in the order of their resources.
// It reads the table from the continuation token until the page is full; the
// table has one row for each resource that was ever evaluated. It returns
// operation.ErrContinue for an unknown continuation token.
func (s *Store) ListDecisions(ctx context.Context, q decision.Query) (decision.Page, error) {
	const action = "list decisions"
	after, err := ParseDecisionContinue(q.Continue)
	if err != nil {
		return decision.Page{}, err
	}
	filter := fmt.Sprintf("PartitionKey gt '%s'", after)
	if q.Outcome != "" {
		filter += " and outcome eq " + quoted(q.Outcome)
	}
	if q.Rule != "" {
		filter += " and rule eq " + quoted(q.Rule)
	}
	var page decision.Page
	last := ""
	for text, err := range s.entities(ctx, s.decisions, &aztables.ListEntitiesOptions{
		Filter: to.Ptr(filter), Top: to.Ptr(int32(q.Size() + 1)), //nolint:gosec // G115: at most MaxPageSize.
	}) {
		if err != nil {
			return decision.Page{}, failed(action, err)
		}
		if len(page.Decisions)+len(page.Unreadable) == q.Size() {
			page.Continue = base64.RawURLEncoding.EncodeToString([]byte(last))
			return page, nil
		}
		if last, err = partitionKeyOf(text); err != nil {
			return decision.Page{}, failed(action, err)
		}
		d, err := decisionOf(text)
		if err != nil {
			page.Unreadable = append(page.Unreadable, last)
			continue
		}
		page.Decisions = append(page.Decisions, d)
	}
	return page, nil
}

// quoted returns the text as a string literal of an OData filter.
func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

func decisionOf(text []byte) (decision.Record, error) {
	record, err := recordOf(text, "decision")
	if err != nil {
		return decision.Record{}, err
	}
	var d decision.Record
	if err := json.Unmarshal(record, &d); err != nil {
		return d, fmt.Errorf("decode decision: %w", err)
	}
	return d, nil
}
