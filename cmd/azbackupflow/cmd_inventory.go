package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"azbackupflow/internal/api"
	"azbackupflow/internal/cli"
	"azbackupflow/internal/cli/parameters"
	"azbackupflow/internal/cli/render"
	"azbackupflow/internal/client"
)

type (
	itemsCommand struct {
		List itemsListCommand `cmd:"" help:"List the protected items of a vault, with their state and last recovery point."`
	}
	itemsListCommand struct {
		vaultFlags
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
		vaultFlags
		Type string `required:"" placeholder:"TYPE" enum:"AzureFileShare,VM,SQLDataBase,SAPHanaDatabase" help:"Type: AzureFileShare, VM, SQLDataBase or SAPHanaDatabase."`
	}
	policiesCommand struct {
		List policiesListCommand `cmd:"" help:"List the policies of a vault."`
	}
	policiesListCommand struct {
		vaultFlags
	}
	deletedCommand struct {
		List deletedListCommand `cmd:"" help:"List the soft-deleted items of a vault, with the time at which Azure purges them."`
	}
	deletedListCommand struct {
		vaultFlags
	}
)

// vaultFlags name the vault of a list.
type vaultFlags struct {
	Vault         string `arg:"" optional:"" complete:"vault-id" help:"The vault: its name, GROUP/NAME or resource ID; that of the context by default."`
	Subscription  string `placeholder:"ID" help:"Subscription of the vault; that of the context by default."`
	ResourceGroup string `short:"g" placeholder:"NAME" help:"Resource group of the vault; that of the context by default."`
}

// Run lists the protected items of a vault.
func (c *itemsListCommand) Run(ctx context.Context, a *app) error {
	return a.showVault(ctx, "/items", c.vaultFlags, nil, parameters.RecoveryServicesVault, parameters.BackupVault)
}

// Run lists the recovery points of an item.
func (c *recoveryPointsListCommand) Run(ctx context.Context, a *app) error {
	return a.showInventory(ctx, "/recovery-points", map[string]string{"item": c.Item})
}

// Run lists what a vault can protect.
func (c *protectableListCommand) Run(ctx context.Context, a *app) error {
	return a.showVault(ctx, "/protectable", c.vaultFlags, map[string]string{"type": c.Type}, parameters.RecoveryServicesVault)
}

// Run lists the policies of a vault.
func (c *policiesListCommand) Run(ctx context.Context, a *app) error {
	return a.showVault(ctx, "/policies", c.vaultFlags, nil, parameters.RecoveryServicesVault, parameters.BackupVault)
}

// Run lists the soft-deleted items of a vault.
func (c *deletedListCommand) Run(ctx context.Context, a *app) error {
	return a.showVault(ctx, "/deleted", c.vaultFlags, nil, parameters.RecoveryServicesVault, parameters.BackupVault)
}

// showVault shows a list of a vault. A name can belong to a vault of each of the types,
// so the list is that of the first vault that exists.
func (a *app) showVault(ctx context.Context, path string, f vaultFlags, query map[string]string, types ...string) error {
	if f.Vault == "" && strings.HasPrefix(a.connection.context.Vault, "/") && f.Subscription+f.ResourceGroup != "" {
		return &cli.UsageError{Text: "the vault of the context is a resource ID, so --subscription and --resource-group have no meaning", Remedy: "name the vault, or leave out the flags"}
	}
	ids, err := a.scope(f.Subscription, f.ResourceGroup).VaultIDs(f.Vault, types...)
	if err != nil {
		return err
	}
	c, err := a.client()
	if err != nil {
		return err
	}
	var missing, denied error
	for _, id := range ids {
		asked := map[string]string{"vault": id}
		maps.Copy(asked, query)
		list, err := c.Inventory(ctx, path, asked)
		var problem *client.Problem
		switch {
		case err == nil:
			return a.showEntries(list)
		case errors.As(err, &problem) && problem.Type == api.ProblemNotInAzure:
			missing = err
		case errors.As(err, &problem) && problem.Type == api.ProblemAzure:
			// An app with a role on one vault only gets 403 for a vault that does not exist.
			denied = cmp.Or(denied, err)
		default:
			return err
		}
	}
	switch {
	case denied != nil:
		return denied
	case len(ids) > 1:
		return fmt.Errorf("neither a Recovery Services vault nor a Backup vault has the name %q: %w", cmp.Or(f.Vault, a.connection.context.Vault), missing)
	}
	return missing
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
	return a.showEntries(list)
}

func (a *app) showEntries(list api.Inventory) error {
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
