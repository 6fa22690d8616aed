package main

import (
	"context"
	"iter"

	"azbackupflow/internal/arm/datasource"
	"azbackupflow/internal/autoprotect"
	"azbackupflow/internal/drill/archive"
	"azbackupflow/internal/inventory"
	"azbackupflow/internal/readiness/scan"
	"azbackupflow/internal/state"
)

// readinessRows is the kind of the shared rows that hold the parts of the readiness
// report.
const readinessRows = "readiness"

// newReadiness returns the scanner of the readiness report. It makes no call.
func newReadiness(
	b *base, store *state.Store, az *azure, vaults *inventory.Reader, rules *autoprotect.Evaluator, kept *archive.Archive,
) (*scan.Scanner, error) {
	var drills scan.Archive
	if b.settings.EvidenceKey != "" { // without a key, the app keeps no evidence
		drills = kept
	}
	return scan.New(scan.Config{
		Vaults: b.settings.Vaults, Inventory: vaults, Rules: rules, Datasources: datasource.New(az.client), Exclusions: store.ListExclusions,
		Archive: drills, Rows: cachedParts{state.SharedRows{Store: store, Kind: readinessRows}, store}, Now: b.now, Sleep: b.sleep, Log: b.log,
	})
}

// cachedParts are the shared rows of the report.
type cachedParts struct {
	state.SharedRows
	store *state.Store
}

// List implements scan.Rows.
func (c cachedParts) List(ctx context.Context) iter.Seq2[scan.Row, error] {
	return func(yield func(scan.Row, error) bool) {
		for row, err := range c.store.ListShared(ctx, c.Kind) {
			if !yield(scan.Row(row), err) {
				return
			}
		}
	}
}
