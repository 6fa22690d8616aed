package autoprotect

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"azbackupflow/internal/arm/dataprotection"
	"azbackupflow/internal/arm/datasource"
	"azbackupflow/internal/arm/recoveryservices"
	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/state"
)

// Vaults says what vaults protect.
type Vaults struct {
	RecoveryServices *recoveryservices.Client
	DataProtection   *dataprotection.Client
}

// protectedIDs gives the resource ids, in lower case, of what a vault protects,
// whatever state the protection is in: one that was stopped is a person's
// decision.
func (v Vaults) protectedIDs(ctx context.Context, vaultID string) (map[string]bool, error) {
	ids := map[string]bool{}
	if vault, err := recoveryservices.ParseVaultID(vaultID); err == nil {
		items, err := v.RecoveryServices.ListProtectedFileShares(ctx, vault)
		if err != nil {
			return nil, fmt.Errorf("list the protected file shares of vault %s: %w", vault.Name, err)
		}
		for _, i := range items {
			if !i.SoftDeleted {
				ids[strings.ToLower(datasource.FileShareID(i.SourceResourceID, i.FriendlyName))] = true
			}
		}
		return ids, nil
	}
	vault, err := dataprotection.ParseVaultID(vaultID)
	if err != nil {
		return nil, fmt.Errorf("vault %s: %w", vaultID, err)
	}
	instances, err := v.DataProtection.ListInstances(ctx, vault)
	if err != nil {
		return nil, fmt.Errorf("list the backup instances of vault %s: %w", vault.Name, err)
	}
	for _, i := range instances {
		ids[strings.ToLower(i.DatasourceID)] = true
	}
	return ids, nil
}

// settled is how long ago an operation must have ended before what the vault
// lists is held against it: lists are behind.
const settled = time.Hour

// Sweep looks for what the rules protect and no vault does: file shares that
// were made over the data plane, which raises no event, resources whose event
// was lost, and what lost its protection. It asks the vaults what they protect,
// and ARM what there is, in the subscriptions that the rules name or that their
// vaults are in. Where something cannot be read it goes on with the rest.
func (g Guard) Sweep(ctx context.Context) error {
	if g.Broken != nil {
		return fmt.Errorf("the rules cannot be read, so nothing is swept: %w", g.Broken)
	}
	s := &sweep{Guard: g, until: g.Now().Add(sweepLimit)}
	for _, kind := range turned(g.Now(), []Kind{FileShare, PostgresFlexibleServer}) {
		s.kind(ctx, kind)
	}
	if s.over() {
		g.Log.WarnContext(ctx, "a sweep of resources had no time for all; the next one begins elsewhere")
	}
	return s.err()
}

// protected joins what several vaults protect.
func (g Guard) protected(ctx context.Context, vaults []string) (map[string]bool, error) {
	all := map[string]bool{}
	for _, vault := range vaults {
		ids, err := g.Vaults.protectedIDs(ctx, vault)
		if err != nil {
			// Not knowing what is protected is no reason to protect it.
			return nil, err
		}
		for id := range ids {
			all[id] = true
		}
	}
	return all, nil
}

// kind looks at what there is of a kind, or may hold it, and that rules are
// about.
func (s *sweep) kind(ctx context.Context, kind Kind) {
	list, work := s.Datasources.ListFlexibleServers, s.missing
	if kind == FileShare {
		list, work = s.Datasources.ListStorageAccounts, s.missingShares
	}
	vaults, subscriptions := vaultsAndSubscriptions(s.Rules, kind)
	if len(vaults) == 0 {
		return
	}
	var protected map[string]bool
	asked := s.try(ctx, func(ctx context.Context) (err error) {
		protected, err = s.protected(ctx, vaults)
		return err
	})
	if !asked {
		return
	}
	for _, subscription := range turned(s.Now(), subscriptions) {
		var found []datasource.Resource
		s.try(ctx, func(ctx context.Context) (err error) {
			found, err = list(ctx, subscription)
			return err
		})
		var resources []Resource
		for _, r := range found {
			if res := base(kind, r); mayProtect(s.Rules, res) {
				resources = append(resources, res)
			}
		}
		s.each(ctx, turned(s.Now(), resources), func(ctx context.Context, res Resource) error {
			return work(ctx, res, protected)
		})
	}
}

// missingShares looks at the file shares of a storage account.
func (g Guard) missingShares(ctx context.Context, account Resource, protected map[string]bool) error {
	names, err := g.Datasources.ListFileShares(ctx, account.AccountID)
	if gone(err) {
		return nil
	}
	if err != nil {
		return err
	}
	var failures []error
	for _, name := range names {
		failures = append(failures, g.missing(ctx, account.withShare(name), protected))
	}
	return errors.Join(failures...)
}

// turned begins each hour with another one: where there are too many for one
// sweep, those at the end have their turn too.
func turned[T any](now time.Time, all []T) []T {
	if len(all) == 0 {
		return nil
	}
	hours := now.Unix() / int64(time.Hour/time.Second)
	n := int(hours * 7919 % int64(len(all)))
	return slices.Concat(all[n:], all[:n])
}

// missing looks at a resource that may be without its protection.
func (g Guard) missing(ctx context.Context, res Resource, protected map[string]bool) error {
	d := Decide(g.Rules, res)
	if d.Outcome != Protect || protected[strings.ToLower(res.ID)] {
		return nil
	}
	before, err := g.Records.Verdict(ctx, res.ID)
	if err != nil && !errors.Is(err, state.ErrNoVerdict) {
		return err
	}
	v := state.Verdict{
		ResourceID: res.ID, Outcome: string(Protect), Rule: d.Rule.Name, Reason: d.Reason, WouldBe: d.WouldBe,
		OperationID: g.operationID(*d.Rule, res, ""), Created: res.Created, Source: sourceSweep,
	}
	known := started(before, v)
	if known {
		v.OperationID = before.OperationID
	}
	x, excluded, err := g.Records.Excluded(ctx, res.ID)
	if err != nil {
		return err
	}
	if excluded {
		return g.record(ctx, before, excludedBy(x, v))
	}
	again := ""
	row, err := g.Records.Load(ctx, v.OperationID)
	switch op := row.Operation; {
	case errors.Is(err, engine.ErrNotFound) && !known:
	case errors.Is(err, engine.ErrNotFound):
		// It ended so long ago that it is no longer kept.
		return g.lost(ctx, before, v)
	case err != nil:
		return err
	case op.Status.Successful() && g.Now().Sub(op.EndedAt) < settled, !op.Status.Terminal(), op.Status == operation.Canceled:
		return nil
	case op.Status.Successful():
		return g.lost(ctx, before, v)
	default:
		// It failed or ran out of time: once a day it is tried again.
		again = g.Now().UTC().Format("20060102")
	}
	if v, err = g.start(ctx, *d.Rule, res, again, v, occasion{source: sourceSweep}); err != nil {
		return err
	}
	return g.record(ctx, before, v)
}

// lost records that a resource was protected and is no more. Nothing is
// started: it may have been ended on purpose, where nobody sees why.
func (g Guard) lost(ctx context.Context, before, v state.Verdict) error {
	v.Outcome = string(Lost)
	v.Reason = "it was protected, and the vault does not list it any more: if that is not intended, protect it again; if it is, an exclude rule says so"
	if !same(before, v) {
		g.Log.WarnContext(ctx, "a resource has lost its protection", "resource", v.ResourceID, "rule", v.Rule, "op", v.OperationID)
	}
	return g.record(ctx, before, v)
}
