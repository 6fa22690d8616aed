package main

import (
	"context"
	"time"

	"azbackupflow/internal/api"
	"azbackupflow/internal/cli/render"
)

type (
	itemsCommand struct {
		List itemsListCommand `cmd:"" help:"List the protected items of a vault, with their state and last recovery point."`
	}
	itemsListCommand struct {
		Vault string `arg:"" complete:"vault-id" help:"Resource ID of the vault."`
	}
	recoveryPointsCommand struct {
		List recoveryPointsListCommand `cmd:"" help:"List the recovery points of an item, newest first."`
	}
	recoveryPointsListCommand struct {
		Item string `arg:"" help:"Resource ID of the protected item or backup instance."`
	}
	protectableCommand struct {
		List protectableListCommand `cmd:"" help:"List what a Recovery Services vault has discovered and does not protect."`
	}
	protectableListCommand struct {
		Vault string `arg:"" complete:"vault-id" help:"Resource ID of the vault."`
		Type  string `required:"" placeholder:"TYPE" enum:"AzureFileShare,VM,SQLDataBase,SAPHanaDatabase" help:"Type: AzureFileShare, VM, SQLDataBase or SAPHanaDatabase."`
	}
	policiesCommand struct {
		List policiesListCommand `cmd:"" help:"List the policies of a vault."`
	}
	policiesListCommand struct {
		Vault string `arg:"" complete:"vault-id" help:"Resource ID of the vault."`
	}
	deletedCommand struct {
		List deletedListCommand `cmd:"" help:"List the soft-deleted items of a vault, with the time at which Azure purges them."`
	}
	deletedListCommand struct {
		Vault string `arg:"" complete:"vault-id" help:"Resource ID of the vault."`
	}
)

// Run lists the protected items of a vault.
func (c *itemsListCommand) Run(ctx context.Context, a *app) error {
	return a.showInventory(ctx, "/items", map[string]string{"vault": c.Vault})
}

// Run lists the recovery points of an item.
func (c *recoveryPointsListCommand) Run(ctx context.Context, a *app) error {
	return a.showInventory(ctx, "/recovery-points", map[string]string{"item": c.Item})
}

// Run lists what a vault can protect.
func (c *protectableListCommand) Run(ctx context.Context, a *app) error {
	return a.showInventory(ctx, "/protectable", map[string]string{"vault": c.Vault, "type": c.Type})
}

// Run lists the policies of a vault.
func (c *policiesListCommand) Run(ctx context.Context, a *app) error {
	return a.showInventory(ctx, "/policies", map[string]string{"vault": c.Vault})
}

// Run lists the soft-deleted items of a vault.
func (c *deletedListCommand) Run(ctx context.Context, a *app) error {
	return a.showInventory(ctx, "/deleted", map[string]string{"vault": c.Vault})
}

func (a *app) showInventory(ctx context.Context, path string, query map[string]string) error {
	c, err := a.client()
	if err != nil {
		return err
	}
	list, err := c.Inventory(ctx, path, query)
	if err != nil {
		return err
	}
	if a.out.Structured() {
		return a.out.Data(list)
	}
	if len(list.Entries) == 0 {
		a.out.Line("Nothing found.")
		return nil
	}
	var rows [][]string
	for _, e := range list.Entries {
		rows = append(rows, []string{render.Plain(e.Name), e.Type, e.State, e.Policy, timesOf(e), render.Plain(e.Detail), e.ID})
	}
	a.out.Table([]string{"Name", "Type", "State", "Policy", "Time", "Detail", "ID"}, rows)
	return nil
}

// timesOf returns the time of an entry: when it was made, or when Azure purges it.
func timesOf(e api.InventoryEntry) string {
	switch {
	case e.Time != nil:
		return e.Time.UTC().Format(time.RFC3339)
	case e.PurgeAt != nil:
		return "purged " + e.PurgeAt.UTC().Format(time.RFC3339)
	case e.LastRecoveryPoint != nil:
		return e.LastRecoveryPoint.UTC().Format(time.RFC3339)
	}
	return ""
}
