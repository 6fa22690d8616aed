// Package plan makes schedules of the declared drills: it chooses the items of each
// run, the longest untested first, and the request for each item.
//
// The package may not know how schedules run, how operations are stored, or how a
// drill is carried out.
package plan

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/drill"
	"azbackupflow/internal/drill/archive"
	"azbackupflow/internal/duration"
	"azbackupflow/internal/flow"
	"azbackupflow/internal/request"
	"azbackupflow/internal/schedule"
)

// FlowName is the flow that a drill starts for each item.
const FlowName = "drill-restore"

const (
	// restoreTime is the time for everything but the validation; maxDeadline is the
	// longest deadline of an operation.
	restoreTime, maxDeadline = 2 * 24 * time.Hour, 30 * 24 * time.Hour
	// spacing is the time between the starts of two drills of a run. A restore
	// occupies its vault, and Azure limits the restores of a vault.
	spacing = time.Minute
	// maxItems limits the drills that a run starts, maxSize the size of their list in
	// bytes, because the record of the schedule holds it.
	maxItems = 500
	maxSize  = 200 << 10
)

// afterAll is later than the day of any drill that has ended.
var afterAll = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// Lister lists the items of a selection.
type Lister interface {
	Items(ctx context.Context, s drill.Selection) ([]schedule.Item, error)
}

// Config configures the schedules. Every field is required, except Drills.
type Config struct {
	Drills []drill.Drill
	// Digest is the SHA-256 digest of the file that declares them, as Digest returns
	// it.
	Digest string
	Items  Lister
	// Tested lists the evidence of earlier drills.
	Tested func(ctx context.Context, q archive.Query) (archive.Page, error)
}

// Digest returns the digest of a file of drills.
func Digest(file []byte) string {
	sum := sha256.Sum256(file)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// Schedules returns a schedule for each drill.
func Schedules(c Config) ([]schedule.Schedule, error) {
	if c.Items == nil || c.Tested == nil || c.Digest == "" {
		return nil, errors.New("plan: Config.Digest, Items and Tested are required")
	}
	all := make([]schedule.Schedule, len(c.Drills))
	for i, d := range c.Drills {
		all[i] = schedule.Schedule{
			Kind: schedule.Drills, Name: d.Name, Timing: d.Timing, Enabled: d.Enabled, Missed: schedule.MissedOne, Overlap: schedule.OverlapSkip,
			Request: request.Request{Flow: FlowName, Parameters: json.RawMessage("{}"), Deadline: deadline(d)}, Plan: &plan{c: c, drill: d},
			// The plan decides; this says to people what it chooses from.
			Select: &schedule.Selection{VaultID: d.Select.VaultID, Type: string(d.Select.Type), Names: d.Select.Names, Except: d.Select.Except},
		}
	}
	return all, nil
}

// deadline returns the deadline of an operation that waits for a validator; empty for
// the flow's own.
func deadline(d drill.Drill) string {
	if d.ValidationWindow == 0 {
		return ""
	}
	return period(min(d.ValidationWindow+restoreTime, maxDeadline))
}

// Check checks the request of a drill with an example item, as the engine checks it at
// a start.
func Check(s schedule.Schedule, d drill.Drill, check schedule.Check) error {
	item := schedule.Item{ID: strings.TrimRight(d.Select.VaultID, "/") + "/backupFabrics/Azure/protectionContainers/container/protectedItems/item"}
	if _, err := resourceid.ParseVaultID(d.Select.VaultID, resourceid.BackupVault); err == nil {
		item = schedule.Item{ID: strings.TrimRight(d.Select.VaultID, "/") + "/backupInstances/instance", Instance: true}
	}
	r := s.Request
	r.Key = "drill:" + d.Name + ":check"
	var err error
	if r.Parameters, err = s.Plan.Parameters("2026-01-01T00:00", item); err != nil {
		return err
	}
	return check(r)
}

// plan is the plan of one drill.
type plan struct {
	c     Config
	drill drill.Drill
}

// Items returns the items of a run. The items that were tested on the same day, or
// never, are in a random order, which the name of the run determines. Items whose
// drill runs come last: they have no evidence yet, and their run is skipped.
func (p *plan) Items(ctx context.Context, slot string, running func(schedule.Item) bool) (items []schedule.Item, left int, err error) {
	items, err = p.c.Items.Items(ctx, p.drill.Select)
	if err != nil {
		return nil, 0, err
	}
	n := p.number(len(items))
	tested := map[string]time.Time{}
	if len(items) > 1 {
		if tested, err = p.lastTested(ctx); err != nil {
			return nil, 0, err
		}
	}
	for _, item := range items {
		if running(item) {
			tested[normalized(item.ID)] = afterAll
		}
	}
	slices.SortFunc(items, func(a, b schedule.Item) int {
		return cmp.Or(
			tested[normalized(a.ID)].Compare(tested[normalized(b.ID)]),
			strings.Compare(p.draw(slot, a), p.draw(slot, b)),
		)
	})
	chosen := fit(items[:n])
	for i := range chosen {
		chosen[i].After = time.Duration(i) * spacing
	}
	return chosen, n - len(chosen), nil
}

// number returns how many of the selected items a run restores.
func (p *plan) number(selected int) int {
	switch s := p.drill.Select; {
	case s.Count > 0:
		return min(s.Count, selected)
	case s.Percent > 0:
		return (selected*s.Percent + 99) / 100
	}
	return selected
}

// fit returns the first items that a run may start.
func fit(items []schedule.Item) []schedule.Item {
	size := 0
	for i, item := range items {
		// Only IDs, names and tags vary in size; the rest is small.
		size += len(item.ID) + len(item.Name) + 100
		for name, value := range item.Tags {
			size += len(name) + len(value) + 6
		}
		if i == maxItems || size > maxSize {
			return items[:i]
		}
	}
	return items
}

// lastTested returns the day of the last drill of each item of the vault, by its
// normalized ID. A drill that failed counts: otherwise an item that always fails would
// keep the others from being tested.
func (p *plan) lastTested(ctx context.Context) (map[string]time.Time, error) {
	q := archive.Query{VaultID: p.drill.Select.VaultID, Limit: 1000}
	last := map[string]time.Time{}
	for {
		page, err := p.c.Tested(ctx, q)
		if err != nil {
			return nil, fmt.Errorf("read which items drills have tested: %w", err)
		}
		for _, e := range page.Entries {
			id, day := normalized(e.ItemID), e.Started.UTC().Truncate(24*time.Hour)
			if day.After(last[id]) {
				last[id] = day
			}
		}
		if q.After = page.Next; q.After == "" {
			return last, nil
		}
	}
}

func normalized(id string) string { return strings.ToLower(strings.TrimRight(id, "/")) }

// draw returns a pseudo-random text for an item in a run.
func (p *plan) draw(slot string, item schedule.Item) string {
	sum := sha256.Sum256([]byte(p.drill.Name + "\n" + slot + "\n" + normalized(item.ID)))
	return string(sum[:])
}

// Parameters returns the parameters of the flow for an item.
func (p *plan) Parameters(slot string, item schedule.Item) (json.RawMessage, error) {
	d := p.drill
	parameters := flow.DrillRestore{
		Drill:      flow.DrillRun{Name: d.Name, Run: slot, ConfigurationDigest: p.c.Digest},
		Type:       string(d.Select.Type),
		Tags:       item.Tags,
		Point:      flow.DrillPoint{Rule: string(d.Point.Rule), Window: period(d.Point.Window)},
		Target:     flow.DrillTarget{StorageAccountID: d.Target.StorageAccountID, ResourceGroupID: d.Target.ResourceGroupID},
		Objectives: flow.DrillObjectives{RestoreTime: period(d.MaxRestoreTime), PointAge: period(d.MaxPointAge)},
		Validation: flow.DrillValidation{By: "none"},
		CleanUp:    string(d.CleanUp),
		Evidence:   flow.DrillKeeping{Retention: period(d.Retention)},
	}
	if d.ValidationWindow > 0 {
		parameters.Validation = flow.DrillValidation{By: "callback", Window: period(d.ValidationWindow)}
	}
	if item.Instance {
		parameters.BackupInstanceID = item.ID
	} else {
		parameters.ItemID = item.ID
	}
	raw, err := json.Marshal(parameters)
	if err != nil {
		return nil, fmt.Errorf("encode the parameters of drill %s: %w", d.Name, err)
	}
	return raw, nil
}

// period returns a duration in ISO 8601; empty for 0.
func period(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return duration.ISO(d)
}
