package scan

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"azbackupflow/internal/api"
	"azbackupflow/internal/arm"
	"azbackupflow/internal/arm/datasource"
	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/autoprotect"
	"azbackupflow/internal/inventory"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/readiness"
)

// Names of the lists.
const (
	listSettings = "settings"
	listPolicies = "policies"
	listItems    = "items"
	listBackups  = "backups"
	listPoints   = "points"
	listMissing  = "missing"
	listSurvey   = "survey"
	listTags     = "tags"
	listDrills   = "drills"
)

// vaultPart returns the part of a vault: three or four calls for a vault whose lists
// have one page each. With points, each item costs another call. With ages, each
// protected item does whose lists do not have the time of a backup.
func (s *Scanner) vaultPart(vaultID string, points, ages bool) part {
	reader := func(o arm.CallOptions) *inventory.Reader { return s.c.Inventory.With(o) }
	p := part{kind: partVault, subject: vaultID, key: partVault + " " + readiness.Key(vaultID), lists: []list{
		whole(listSettings, func(ctx context.Context, o arm.CallOptions) (any, error) { return reader(o).Settings(ctx, vaultID) }),
		whole(listPolicies, func(ctx context.Context, o arm.CallOptions) (any, error) { return reader(o).Retentions(ctx, vaultID) }),
		whole(listItems, func(ctx context.Context, o arm.CallOptions) (any, error) {
			entries, err := reader(o).Items(ctx, vaultID)
			if entries == nil {
				entries = []inventory.Entry{}
			}
			return entries, err
		}),
		whole(listBackups, func(ctx context.Context, o arm.CallOptions) (any, error) {
			backups, err := reader(o).Backups(ctx, vaultID)
			if backups == nil {
				backups = map[string]inventory.Backups{}
			}
			return backups, err
		}),
	}}
	switch {
	case points:
		p.lists = append(p.lists, s.pointsList(listPoints, func(row) func(inventory.Entry) bool { return func(inventory.Entry) bool { return true } }))
	case ages:
		p.lists = append(p.lists, s.pointsList(listMissing, withoutBackup))
	}
	return p
}

// withoutBackup selects items that are protected, and for which the lists of the
// vault do not have the time of a backup: those of file shares do not after a failed
// backup.
func withoutBackup(r row) func(inventory.Entry) bool {
	backups, _ := data[map[string]inventory.Backups](r, listBackups)
	return func(e inventory.Entry) bool {
		return readiness.Protected(api.ReadinessItem{ItemID: e.ID, ProtectionState: e.State}) &&
			e.LastBackup.IsZero() && e.LastRecoveryPoint.IsZero() && backups[readiness.Key(e.ID)].LastSuccess.IsZero()
	}
}

// pointsList returns the list of the newest recovery points of the selected items.
func (s *Scanner) pointsList(name string, selects func(row) func(inventory.Entry) bool) list {
	return list{name, func(ctx context.Context, o arm.CallOptions, r row, more func() bool) (portion, error) {
		all, _ := data[[]inventory.Entry](r, listItems)
		selected := selects(r)
		entries := slices.DeleteFunc(all, func(e inventory.Entry) bool { return !selected(e) })
		return s.readPoints(ctx, o, r.Lists[name], entries, more)
	}}
}

// point is the newest recovery point of an item, with the time at which it was read.
type point struct {
	inventory.LatestPoint
	At time.Time
}

// readPoints reads the newest recovery point of each item, in the order of the IDs.
// previous is what was read before.
func (s *Scanner) readPoints(ctx context.Context, o arm.CallOptions, previous *stored, entries []inventory.Entry, more func() bool) (portion, error) {
	known, cursor := map[string]point{}, ""
	if previous != nil {
		_ = json.Unmarshal(previous.Data, &known) // what cannot be read is read again
		if !previous.Done {
			cursor = previous.Cursor
		}
	}
	slices.SortFunc(entries, func(a, b inventory.Entry) int { return strings.Compare(readiness.Key(a.ID), readiness.Key(b.ID)) })
	points := map[string]point{}
	for _, e := range entries {
		if p, ok := known[readiness.Key(e.ID)]; ok {
			points[readiness.Key(e.ID)] = p
		}
	}
	for _, e := range entries {
		key := readiness.Key(e.ID)
		if key <= cursor {
			continue
		}
		if !more() {
			return portion{Data: points, Cursor: cursor}, nil
		}
		latest, err := s.c.Inventory.With(o).LatestPoint(ctx, e.ID)
		switch {
		case err == nil:
			points[key] = point{latest, s.c.Now()}
		case aboutTheItem(err):
			delete(points, key)
		default:
			return portion{Data: points, Cursor: cursor}, err
		}
		cursor = key
	}
	return portion{Data: points, Done: true}, nil
}

// aboutTheItem reports whether an error says nothing about other items: the item was
// deleted meanwhile, for example. Its recovery point is then unknown.
func aboutTheItem(err error) bool {
	var azure *operation.Error
	if !errors.As(err, &azure) || azure.Class != operation.Fatal && azure.Class != operation.UserAction {
		return false
	}
	return azure.HTTPStatus == http.StatusNotFound || azure.HTTPStatus == http.StatusBadRequest
}

// rulesPart returns the part of the resources of one kind in one subscription of the
// rules: a call for each page of the list, and one for each storage account of file
// shares. That of databases has two lists, and a call for each machine.
func (s *Scanner) rulesPart(scope autoprotect.Scope) part {
	read := func(ctx context.Context, o arm.CallOptions, r row, more func() bool) (portion, error) {
		found, cursor := []autoprotect.Surveyed{}, ""
		if previous := r.Lists[listSurvey]; previous != nil && !previous.Done {
			found, _ = data[[]autoprotect.Surveyed](r, listSurvey)
			cursor = previous.Cursor
		}
		rest, next, err := s.c.Rules.Survey(ctx, scope, o, cursor, more)
		return portion{Data: append(found, rest...), Cursor: next, Done: err == nil && next == ""}, err
	}
	subject := cmp.Or(scope.VaultID, scope.Subscription)
	return part{
		kind: partRules, subject: subject, key: strings.ToLower(partRules + " " + string(scope.Kind) + " " + subject),
		lists: []list{{listSurvey, read}},
	}
}

// tagsPart returns the part of the values that a tag has in a subscription.
func (s *Scanner) tagsPart(subscription, tag string) part {
	read := func(ctx context.Context, o arm.CallOptions) (any, error) {
		resources, err := s.c.Datasources.With(o).ListResources(ctx, subscription)
		if err != nil {
			return nil, err
		}
		values := map[string]string{}
		for _, r := range resources {
			if value, ok := tagOf(r, tag); ok {
				values[readiness.Key(r.ID)] = value
			}
		}
		return values, nil
	}
	return part{
		kind: partTags, subject: subscription, key: strings.ToLower(partTags + " " + subscription + " " + tag),
		lists: []list{whole(listTags, read)},
	}
}

// tagOf returns the value of a tag, whose name Azure compares without casing.
func tagOf(r datasource.Resource, name string) (string, bool) {
	for key, value := range r.Tags {
		if strings.EqualFold(key, name) {
			return value, true
		}
	}
	return "", false
}

// subscriptionOf returns the subscription of a resource in lower case; empty if the
// ID names none.
func subscriptionOf(id string) string {
	return strings.ToLower(resourceid.NameAfter(id, "subscriptions"))
}
