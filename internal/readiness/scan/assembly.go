package scan

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"azbackupflow/internal/api"
	"azbackupflow/internal/arm/datasource"
	"azbackupflow/internal/autoprotect"
	"azbackupflow/internal/autoprotect/decision"
	"azbackupflow/internal/inventory"
	"azbackupflow/internal/readiness"
)

// assembly combines the parts into items.
type assembly struct {
	items      []api.ReadinessItem
	surveyed   []autoprotect.Surveyed
	exclusions map[string]decision.Exclusion
	drills     readiness.Drills
	tags       map[string]string
}

func newAssembly(exclusions []decision.Exclusion) *assembly {
	a := &assembly{exclusions: map[string]decision.Exclusion{}, drills: readiness.Drills{}, tags: map[string]string{}}
	for _, x := range exclusions {
		a.exclusions[readiness.Key(x.ResourceID)] = x
	}
	return a
}

// add adds what is stored of a part.
func (a *assembly) add(p part, r row) {
	switch p.kind {
	case partVault:
		a.addVault(p.subject, r)
	case partRules:
		surveyed, _ := data[[]autoprotect.Surveyed](r, listSurvey)
		a.surveyed = append(a.surveyed, surveyed...)
	case partTags:
		values, _ := data[map[string]string](r, listTags)
		for id, value := range values {
			a.tags[id] = value
		}
	case partDrills:
		if drills, ok := data[readiness.Drills](r, listDrills); ok {
			a.drills = drills
		}
	}
}

func (a *assembly) addVault(vaultID string, r row) {
	entries, _ := data[[]inventory.Entry](r, listItems)
	retentions, _ := data[map[string]string](r, listPolicies)
	backups, _ := data[map[string]inventory.Backups](r, listBackups)
	points := newestPoints(r)
	for _, e := range entries {
		item := api.ReadinessItem{
			ResourceID: resourceOf(e), ItemID: e.ID, VaultID: vaultID, Name: e.Name, Type: cmp.Or(e.Workload, e.Type),
			ProtectionState: e.State, Policy: e.Policy, Retention: retentions[e.Policy],
			LastBackup: known(e.LastBackup), LastRecoveryPoint: known(e.LastRecoveryPoint), BackupFailed: e.BackupFailed,
		}
		if b, ok := backups[readiness.Key(e.ID)]; ok {
			item.LastBackup, item.FailedBackups = known(b.LastSuccess), b.FailedSince
		}
		if p, ok := points[readiness.Key(e.ID)]; ok && !p.Time.IsZero() {
			item.LastRecoveryPoint, item.Tier = known(p.Time), strings.Join(p.Tiers, ", ")
		}
		a.items = append(a.items, item)
	}
}

// newestPoints returns the recovery points that were read last, by Key of the item.
func newestPoints(r row) map[string]point {
	points, _ := data[map[string]point](r, listMissing)
	all, _ := data[map[string]point](r, listPoints)
	if points == nil {
		return all
	}
	for key, p := range all {
		if known, ok := points[key]; !ok || p.At.After(known.At) {
			points[key] = p
		}
	}
	return points
}

// known returns a time; nil if it is unknown.
func known(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	return &at
}

// resourceOf returns the ID of what an item protects, as the rules name it.
func resourceOf(e inventory.Entry) string {
	switch {
	case e.Source == "":
		return ""
	case strings.EqualFold(e.Workload, "AzureFileShare"):
		return datasource.FileShareID(e.Source, e.Name)
	case e.Parent != "":
		return datasource.Database{MachineID: e.Source, Workload: e.Workload, Instance: e.Parent, Name: e.Name}.ID()
	}
	return e.Source
}

// finish returns the items, ordered by vault and ID, with what the rules, drills and
// exclusions say about them.
func (a *assembly) finish() []api.ReadinessItem {
	items := withoutLeftovers(a.items)
	byResource := map[string][]int{}
	for n, i := range items {
		if i.ResourceID != "" {
			byResource[readiness.Key(i.ResourceID)] = append(byResource[readiness.Key(i.ResourceID)], n)
		}
	}
	created := map[string]time.Time{}
	for _, s := range a.surveyed {
		created[readiness.Key(s.ID)] = s.Created
		found := byResource[readiness.Key(s.ID)]
		if len(found) == 0 {
			items = append(items, api.ReadinessItem{ResourceID: s.ID, Name: s.Name, Type: s.Type})
			found = []int{len(items) - 1}
			byResource[readiness.Key(s.ID)] = found
		}
		for _, n := range found {
			items[n].Rule, items[n].RuleOutcome, items[n].ProtectCommand = s.Rule, string(s.Outcome), readiness.ProtectCommand(s.Flow, s.Parameters)
		}
	}
	for n := range items {
		items[n] = a.drills.Apply(items[n])
		i := &items[n]
		i.Subscription = cmp.Or(subscriptionOf(i.ResourceID), subscriptionOf(i.VaultID))
		i.Tag = a.tag(i.ResourceID)
		if x, ok := a.exclusion(*i); ok && !x.Outdated(created[readiness.Key(i.ResourceID)]) {
			i.ExcludedBy = cmp.Or(x.OperationID, "unknown")
		}
	}
	slices.SortFunc(items, func(x, y api.ReadinessItem) int { return cmp.Compare(Position(x), Position(y)) })
	return items
}

// exclusion returns the exclusion of an item, or of its resource.
func (a *assembly) exclusion(i api.ReadinessItem) (decision.Exclusion, bool) {
	if x, ok := a.exclusions[readiness.Key(i.ItemID)]; ok && i.ItemID != "" {
		return x, true
	}
	x, ok := a.exclusions[readiness.Key(i.ResourceID)]
	return x, ok && i.ResourceID != ""
}

// tag returns the value of the tag of a resource, or of the nearest resource that it
// belongs to: file shares have no tags, their storage accounts do.
func (a *assembly) tag(id string) string {
	for key := readiness.Key(id); strings.Contains(key, "/providers/"); {
		if value, ok := a.tags[key]; ok {
			return value
		}
		key = key[:strings.LastIndex(key, "/")]
	}
	return ""
}

// withoutLeftovers returns the items without those that are not protected while
// another item protects the same resource, such as soft-deleted ones in a vault that
// was used before.
func withoutLeftovers(items []api.ReadinessItem) []api.ReadinessItem {
	identity := func(i api.ReadinessItem) string {
		return strings.ToLower(i.Type + " " + i.Name + " " + readiness.Key(i.ResourceID))
	}
	protected := map[string]bool{}
	for _, i := range items {
		if readiness.Protected(i) && i.ResourceID != "" {
			protected[identity(i)] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(items), func(i api.ReadinessItem) bool {
		return !readiness.Protected(i) && protected[identity(i)]
	})
}

// Position orders the items of a report, and names the place of one.
func Position(i api.ReadinessItem) string {
	return readiness.Key(i.VaultID) + " " + readiness.Key(cmp.Or(i.ItemID, i.ResourceID)) + " " + i.Name
}
