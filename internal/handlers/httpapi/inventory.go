package httpapi

import (
	"context"
	"net/http"
	"time"

	"azbackupflow/internal/api"
	"azbackupflow/internal/inventory"
	"azbackupflow/internal/step"
)

// Inventory reads vaults.
type Inventory interface {
	Items(ctx context.Context, vaultID string) ([]inventory.Entry, error)
	Deleted(ctx context.Context, vaultID string) ([]inventory.Entry, error)
	RecoveryPoints(ctx context.Context, itemID string) ([]inventory.Entry, error)
	Protectable(ctx context.Context, vaultID, kind string) ([]inventory.Entry, error)
	Policies(ctx context.Context, vaultID string) ([]inventory.Entry, error)
}

// inventoryOf returns the endpoint of a list that one query parameter selects.
// Only few lists are read at a time, because each makes calls of Azure.
func (a *API) inventoryOf(parameter string, read func(ctx context.Context, id string) ([]inventory.Entry, error)) endpoint {
	return a.inventoryEndpoint([]string{parameter}, func(r *http.Request) ([]inventory.Entry, error) {
		return read(r.Context(), r.URL.Query().Get(parameter))
	})
}

func (a *API) protectable() endpoint {
	return a.inventoryEndpoint([]string{"vault", "type"}, func(r *http.Request) ([]inventory.Entry, error) {
		return a.cfg.Inventory.Protectable(r.Context(), r.URL.Query().Get("vault"), r.URL.Query().Get("type"))
	})
}

func (a *API) inventoryEndpoint(parameters []string, read func(*http.Request) ([]inventory.Entry, error)) endpoint {
	return func(w http.ResponseWriter, r *http.Request) error {
		for _, p := range parameters {
			if r.URL.Query().Get(p) == "" {
				return &step.Invalid{Fields: []step.FieldError{{Field: p, Problem: "is missing", Want: "the query parameter " + p}}}
			}
		}
		if err := a.inventories.take(r.Context()); err != nil {
			return err
		}
		defer a.inventories.release()
		entries, err := read(r)
		if err != nil {
			return err
		}
		list := api.Inventory{Entries: []api.InventoryEntry{}}
		for _, e := range entries {
			list.Entries = append(list.Entries, api.InventoryEntry{
				ID: e.ID, Name: e.Name, Type: e.Type, Source: e.Source, State: e.State, Policy: e.Policy, Detail: e.Detail,
				Time: known(e.Time), LastRecoveryPoint: known(e.LastRecoveryPoint), PurgeAt: known(e.Purge),
			})
		}
		return writeJSON(w, http.StatusOK, list)
	}
}

// known returns a time; nil if it is unknown.
func known(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	return &at
}
