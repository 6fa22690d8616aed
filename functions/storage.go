package main

import (
	"azbackupflow/internal/connection"
	"azbackupflow/internal/settings"
	"azbackupflow/internal/state"
)

// newStorage returns the store in Table Storage.
func newStorage(b *base) (*state.Store, error) {
	options := state.ClientOptions()
	options.PerCallPolicies = append(options.PerCallPolicies, b.telemetry.TablePolicy())
	tables, err := connection.Tables(b.lookup, settings.TablesConnection, options)
	if err != nil {
		return nil, err
	}
	return state.New(state.Config{Service: tables, TablePrefix: b.settings.TablePrefix})
}
