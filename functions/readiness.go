package main

import (
	"context"
	"iter"

	"azbackupflow/internal/arm/datasource"
	"azbackupflow/internal/autoprotect"
	"azbackupflow/internal/drill/evidence"
	"azbackupflow/internal/inventory"
	"azbackupflow/internal/readiness/scan"
	"azbackupflow/internal/state"
)

// readinessRows is the kind of the shared rows that hold the parts of the readiness
// report.
const readinessRows = "readiness"

// newReadiness returns the scanner of the readiness report. It makes no call.
func newReadiness(b *base, store *state.Store, az *azure, vaults *inventory.Reader, rules *autoprotect.Evaluator) (*scan.Scanner, error) {
	return scan.New(scan.Config{
		Vaults: b.settings.Vaults, Inventory: vaults, Rules: rules, Datasources: datasource.New(az.client), Exclusions: store.ListExclusions,
		Evidence: noEvidence, Rows: cachedParts{state.SharedRows{Store: store, Kind: readinessRows}, store}, Now: b.now, Sleep: b.sleep, Log: b.log,
	})
}

// noEvidence returns no evidence: the app stores none yet.
func noEvidence(context.Context) ([]evidence.Evidence, error) { return nil, nil }

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
