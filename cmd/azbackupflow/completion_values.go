package main

import (
	"context"
	"path/filepath"
	"slices"
	"strings"

	"azbackupflow/internal/api"
	"azbackupflow/internal/cli/completion"
	"azbackupflow/internal/cli/render"
	"azbackupflow/internal/client"
)

// azureWords completes the names and IDs of resources, which the app reads from its
// tables and from Azure. Whatever cannot be read has no values.
type azureWords struct {
	app  *app
	line completion.Line
}

const recoveryPointsPath = "/recovery-points"

// maxCompletedVaults bounds the vaults whose items one completion lists.
const maxCompletedVaults = 3

// words returns the values of a kind.
func (w azureWords) words(ctx context.Context, kind completion.Kind) []completion.Candidate {
	c, err := w.app.client()
	if err != nil {
		return nil
	}
	switch kind {
	case completion.Schedules:
		return w.cached("schedules", func() ([]completion.Candidate, error) { return scheduleWords(ctx, c) })
	case completion.Vaults, completion.VaultIDs:
		return vaultWords(w.vaults(ctx, c), kind == completion.Vaults)
	case completion.Items:
		return w.items(ctx, c)
	case completion.RecoveryPoints:
		return w.recoveryPoints(ctx, c)
	default:
		return nil
	}
}

// cached returns the words of the cache, or loads them. The app's address belongs to
// the name.
func (w azureWords) cached(name string, load func() ([]completion.Candidate, error)) []completion.Candidate {
	cache := completion.NewCache(filepath.Dir(w.app.contextFile().Path()), w.app.now())
	name = w.app.connection.context.URL + " " + name
	if found, ok := cache.Get(name); ok {
		return found
	}
	found, err := load()
	if err != nil {
		return nil
	}
	cache.Put(name, found)
	return found
}

func scheduleWords(ctx context.Context, c *client.Client) (all []completion.Candidate, err error) {
	list, err := c.Schedules(ctx)
	for _, s := range list.Schedules {
		all = append(all, completion.Candidate{Value: s.Name, Help: scheduleState(s) + " " + s.Flow})
	}
	return all, err
}

// vaults returns the IDs of the vaults that are known: that of the context, and
// those of the latest operations.
func (w azureWords) vaults(ctx context.Context, c *client.Client) (ids []string) {
	if own := w.app.connection.context.Vault; strings.HasPrefix(own, "/") {
		ids = append(ids, own)
	}
	found := w.cached("vaults", func() (all []completion.Candidate, err error) {
		page, err := c.List(ctx, api.OperationQuery{PageSize: completedIDs})
		for _, op := range page.Operations {
			all = append(all, completion.Candidate{Value: render.VaultID(op)})
		}
		return all, err
	})
	for _, one := range found {
		if one.Value != "" && !slices.ContainsFunc(ids, func(id string) bool { return strings.EqualFold(id, one.Value) }) {
			ids = append(ids, one.Value)
		}
	}
	return ids
}

func vaultWords(ids []string, names bool) (all []completion.Candidate) {
	for _, id := range ids {
		if names {
			all = append(all, completion.Candidate{Value: lastSegment(id), Help: id})
		}
	}
	for _, id := range ids {
		all = append(all, completion.Candidate{Value: id, Help: lastSegment(id)})
	}
	return all
}

func lastSegment(id string) string { return id[strings.LastIndexByte(id, '/')+1:] }

// items returns the IDs of the items of the vault in the line, or of the known
// vaults.
func (w azureWords) items(ctx context.Context, c *client.Client) (all []completion.Candidate) {
	vaults := w.vaults(ctx, c)
	if given := w.line.Flags["vault"]; strings.HasPrefix(given, "/") {
		vaults = []string{given}
	} else if given != "" {
		vaults = slices.DeleteFunc(vaults, func(id string) bool { return !strings.EqualFold(lastSegment(id), given) })
	}
	for _, vault := range vaults[:min(len(vaults), maxCompletedVaults)] {
		all = append(all, w.inventory(ctx, c, "/items", map[string]string{"vault": vault})...)
	}
	return all
}

// recoveryPoints returns the recovery points of the item in the line.
func (w azureWords) recoveryPoints(ctx context.Context, c *client.Client) []completion.Candidate {
	for _, flag := range []string{"item", "backup-instance"} {
		if id := w.line.Flags[flag]; strings.HasPrefix(id, "/") {
			return w.inventory(ctx, c, recoveryPointsPath, map[string]string{"item": id})
		}
	}
	return nil
}

// inventory returns the entries of a list of Azure.
func (w azureWords) inventory(ctx context.Context, c *client.Client, path string, query map[string]string) []completion.Candidate {
	name := path
	for _, value := range query {
		name += " " + strings.ToLower(value)
	}
	return w.cached(name, func() (all []completion.Candidate, err error) {
		list, err := c.Inventory(ctx, path, query)
		for _, e := range list.Entries {
			word := completion.Candidate{Value: e.ID, Help: strings.TrimSpace(strings.Join([]string{e.Name, e.Type, e.State}, " "))}
			if path == recoveryPointsPath && e.Time != nil { // requests name a point by its last part
				word = completion.Candidate{Value: lastSegment(e.ID), Help: render.Time(*e.Time) + " UTC"}
			}
			all = append(all, word)
		}
		return all, err
	})
}
