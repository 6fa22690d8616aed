package render

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"azbackupflow/internal/api"
)

// ItemName returns the name of the item that an operation is about; empty if it
// is unknown.
func ItemName(op api.Operation) string {
	if name := op.Learned["friendlyName"]; name != "" {
		return Plain(name)
	}
	var p struct {
		FileShare json.RawMessage `json:"fileShare"`
		ItemID    string          `json:"itemId"`
		ServerID  string          `json:"serverId"`

		BackupInstanceID string `json:"backupInstanceId"`
	}
	if json.Unmarshal(op.Parameters, &p) != nil {
		return ""
	}
	var name string
	var share struct {
		Name string `json:"name"`
	}
	switch {
	case json.Unmarshal(p.FileShare, &name) == nil && name != "":
	case json.Unmarshal(p.FileShare, &share) == nil && share.Name != "":
		name = share.Name
	default:
		id := cmp.Or(p.ItemID, p.ServerID, p.BackupInstanceID, op.Item)
		name = id[strings.LastIndexAny(id, "/;")+1:]
	}
	return Plain(name)
}

// ParameterFacts returns the parameters that are strings, resource IDs by their
// last segment.
func ParameterFacts(op api.Operation) []Fact {
	var all map[string]any
	if json.Unmarshal(op.Parameters, &all) != nil {
		return nil
	}
	var facts []Fact
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if value, ok := all[name].(string); ok {
			facts = append(facts, Fact{name, Plain(value[strings.LastIndexByte(value, '/')+1:])})
		}
	}
	return facts
}

// Elapsed returns how long an operation took, or has taken so far.
func Elapsed(op api.Operation, now time.Time) time.Duration {
	if op.EndedAt.IsZero() {
		return now.Sub(op.CreatedAt)
	}
	return op.EndedAt.Sub(op.CreatedAt)
}

// vaultID matches the ID of a vault at the start of a resource ID.
var vaultID = regexp.MustCompile(`(?i)^/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.(?:RecoveryServices/vaults|DataProtection/backupVaults)/[^/]+`)

// VaultID returns the resource ID of the vault that an operation works in; empty
// if it is unknown.
func VaultID(op api.Operation) string {
	if op.Vault != "" {
		return Plain(op.Vault)
	}
	for _, parameter := range JSONFacts(op.Parameters) {
		if id := vaultID.FindString(parameter.Value); id != "" {
			return id
		}
	}
	return ""
}

// VaultName returns the name of the vault that an operation works in.
func VaultName(op api.Operation) string { return lastSegment(VaultID(op)) }

func lastSegment(id string) string { return id[strings.LastIndexByte(id, '/')+1:] }

// Reason returns why an operation has ended without success, or what it waits
// for; empty for other operations.
func Reason(op api.Operation) string {
	switch {
	case op.Error != nil && !op.Status.Successful() && op.Status != api.Running && op.Status != api.Pending:
		return FirstLine(op.Error.Code + ": " + op.Error.Message)
	case op.Status == api.Running && op.Attempts > 0 && op.Error != nil:
		return FirstLine(fmt.Sprintf("retrying after %s, attempt %d", op.Error.Code, op.Attempts))
	case !op.Status.Terminal():
		return FirstLine(jobID.ReplaceAllString(op.WaitingFor, ""))
	}
	return FirstLine(strings.Join(op.Warnings, "; "))
}

// minPrefix is the shortest prefix that a table shows of an ID.
const minPrefix = 8

// ShortIDs returns the shortest prefixes that distinguish IDs, of at least eight
// characters.
func ShortIDs(ids []string) []string {
	short := make([]string, len(ids))
	sorted := slices.Sorted(slices.Values(ids))
	for i, id := range ids {
		n := minPrefix
		at, _ := slices.BinarySearch(sorted, id)
		for _, neighbor := range []int{at - 1, at + 1} {
			if neighbor >= 0 && neighbor < len(sorted) && sorted[neighbor] != id {
				n = max(n, sharedPrefix(id, sorted[neighbor])+1)
			}
		}
		short[i] = Plain(id[:min(n, len(id))])
	}
	return short
}

func sharedPrefix(a, b string) int {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}

// Flags returns the flags of an operation in parentheses; empty if none is set.
func Flags(op api.Operation) string {
	var set []string
	if op.Paused {
		set = append(set, "paused")
	}
	if op.CancelRequested && !op.Status.Terminal() {
		set = append(set, "cancel requested")
	}
	if len(set) == 0 {
		return ""
	}
	return " (" + strings.Join(set, ", ") + ")"
}

// OperationFacts returns the facts of an operation for its status page.
func (p *Printer) OperationFacts(op api.Operation) []Fact {
	now := p.Now()
	var facts []Fact
	add := func(name, value string) {
		if value != "" {
			facts = append(facts, Fact{name, value})
		}
	}
	at := func(t time.Time, what string) string {
		if t.IsZero() {
			return ""
		}
		return fmt.Sprintf("%s UTC (%s)", Time(t), what)
	}
	relative := func(t time.Time) string {
		if t.After(now) {
			return "in " + Duration(t.Sub(now))
		}
		return Duration(now.Sub(t)) + " ago"
	}
	add("Operation", op.ID)
	add("Flow", fmt.Sprintf("%s (version %d)", op.Flow, op.Version))
	add("Item", ItemName(op))
	add("Status", p.Status(op.Status)+Flags(op))
	if !op.Status.Successful() {
		add("Step", op.Step)
	}
	if !op.Status.Terminal() {
		add("Waiting for", Plain(op.WaitingFor))
		add("Next check", at(op.DueAt, relative(op.DueAt)))
		add("Deadline", at(op.Deadline, relative(op.Deadline)))
	}
	if op.Attempts > 0 {
		add("Attempts", fmt.Sprintf("%d failed in a row", op.Attempts))
	}
	add("Job", op.JobID)
	add("Key", Plain(op.Key))
	add("Labels", Labels(op.Labels))
	add("Bulk", Plain(op.Bulk))
	add("Started", at(op.CreatedAt, relative(op.CreatedAt)))
	add("Started by", Actor(op.StartedBy))
	add("Reason", Plain(op.Reason))
	if op.Round > 0 {
		add("Restarts", fmt.Sprint(op.Round))
	}
	add("Ended", at(op.EndedAt, "took "+Duration(Elapsed(op, now))))
	for _, warning := range op.Warnings {
		add("Warning", Plain(warning))
	}
	if op.Error != nil {
		facts = append(facts, p.ErrorFacts("Last error", *op.Error)...)
	}
	return facts
}

// Actor returns who did something; empty if it is unknown.
func Actor(by *api.Actor) string {
	if by == nil || by.Kind == "anonymous" {
		return ""
	}
	kind := by.Kind
	if kind == "functionKey" {
		kind = "function key"
	}
	return Plain(strings.TrimSpace(kind + " " + by.ID))
}

// Labels formats labels, sorted by name.
func Labels(all map[string]string) string {
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		pairs = append(pairs, name+"="+all[name])
	}
	return Plain(strings.Join(pairs, ", "))
}

// ErrorFacts returns an error, with its recommended actions, under a name.
func (p *Printer) ErrorFacts(name string, e api.Error) (facts []Fact) {
	add := func(name, value string) {
		if value != "" {
			facts = append(facts, Fact{name, value})
		}
	}
	add(name, p.Error(Plain(e.Code))+errorKind(e))
	add("", Plain(e.Message))
	for _, action := range e.RecommendedAction {
		add("What to do", Plain(action))
	}
	add("Target", Plain(e.Target))
	add("Correlation ID", Plain(e.CorrelationID))
	add("Activity ID", Plain(e.ActivityID))
	return facts
}

// errorKind returns the class and HTTP status of an error in parentheses.
func errorKind(e api.Error) string {
	if e.HTTPStatus == 0 {
		return fmt.Sprintf(" (%s)", e.Class)
	}
	return fmt.Sprintf(" (%s, HTTP %d)", e.Class, e.HTTPStatus)
}

// ResultFacts returns the result of an operation that has ended, with the number
// of its ARM calls.
func (p *Printer) ResultFacts(op api.Operation, calls int) []Fact {
	facts := []Fact{
		{"Operation", op.ID},
		{"Status", p.Status(op.Status)},
		{"Duration", Duration(Elapsed(op, p.Now()))},
		{"ARM calls", fmt.Sprint(calls)},
	}
	for _, warning := range op.Warnings {
		facts = append(facts, Fact{"Warning", Plain(warning)})
	}
	return facts
}
