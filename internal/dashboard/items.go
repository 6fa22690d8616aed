package dashboard

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"azbackupflow/internal/api"
)

// maxJoined limits the operations of a vault that are joined with its items.
const maxJoined = 2 * api.MaxPageSize

// suggestedFrom limits the newest operations whose vaults are suggested.
const suggestedFrom = 2 * pageSize

// itemsData is the content of the page of protected items.
type itemsData struct {
	// Vault is the resource ID of the chosen vault, Vaults those of the newest
	// operations.
	Vault  string
	Vaults []string
	// Problems is why the items of the vault cannot be listed.
	Problems []string
	Items    []itemRow
	Pager    pager
	// Older reports that older operations of the vault were not joined.
	Older bool
}

// itemRow is a protected item with the operations on it.
type itemRow struct {
	api.InventoryEntry
	// Last is the newest operation on the item, LastSuccess the newest that
	// succeeded; nil if there is none.
	Last, LastSuccess *api.Operation
}

// items is the page of the protected items of a vault.
func (d *Dashboard) items(r *http.Request) (content, error) {
	ctx, backend := r.Context(), d.cfg.API(r)
	data := itemsData{Vault: strings.TrimSpace(r.URL.Query().Get("vault"))}
	recent, err := backend.List(ctx, api.OperationQuery{PageSize: suggestedFrom})
	if err != nil {
		return content{}, err
	}
	data.Vaults = vaultsOf(recent.Operations)
	if data.Vault == "" && len(data.Vaults) == 1 {
		data.Vault = data.Vaults[0]
	}
	page := content{Title: "Items", Section: "items"}
	if data.Vault == "" {
		page.Data = data
		return page, nil
	}
	list, err := backend.Inventory(ctx, "/items", map[string]string{"vault": data.Vault})
	if err != nil { // another vault may work
		page.status, data.Problems = d.formProblem(r, err)
		page.Data = data
		return page, nil
	}
	operations, older, err := operationsOf(r, backend, data.Vault)
	if err != nil {
		return content{}, err
	}
	data.Older = older
	var entries []api.InventoryEntry
	entries, data.Pager = onePage(r.URL.Query(), list.Entries, pageSize)
	for _, entry := range entries {
		data.Items = append(data.Items, newItemRow(entry, operations))
	}
	page.Data = data
	return page, nil
}

// vaultsOf returns the vaults of operations, each once.
func vaultsOf(operations []api.Operation) []string {
	seen, all := map[string]bool{}, []string(nil)
	for _, op := range operations {
		if key := strings.ToLower(op.Vault); key != "" && !seen[key] {
			seen[key] = true
			all = append(all, op.Vault)
		}
	}
	slices.SortFunc(all, func(a, b string) int { return cmp.Compare(strings.ToLower(a), strings.ToLower(b)) })
	return all
}

// operationsOf returns the operations of a vault, newest first. older reports that
// there are more.
func operationsOf(r *http.Request, backend API, vault string) (all []api.Operation, older bool, err error) {
	q := api.OperationQuery{Vault: vault, PageSize: api.MaxPageSize}
	for {
		page, err := backend.List(r.Context(), q)
		if err != nil {
			return nil, false, err
		}
		all = append(all, page.Operations...)
		if page.Continue == "" || len(all) >= maxJoined {
			return all, page.Continue != "", nil
		}
		q.Continue = page.Continue
	}
}

// newItemRow finds the operations on an item: Azure's IDs differ in their casing.
func newItemRow(entry api.InventoryEntry, newestFirst []api.Operation) itemRow {
	row := itemRow{InventoryEntry: entry}
	for i, op := range newestFirst {
		if !isOf(op, entry) {
			continue
		}
		if row.Last == nil {
			row.Last = &newestFirst[i]
		}
		if op.Status.Successful() {
			row.LastSuccess = &newestFirst[i]
			break
		}
	}
	return row
}

// isOf reports whether an operation works on an item, by the ID of the item or that
// of its source.
func isOf(op api.Operation, entry api.InventoryEntry) bool {
	return op.Item != "" && (strings.EqualFold(op.Item, entry.ID) || strings.EqualFold(op.Item, entry.Source) ||
		strings.EqualFold(op.Learned["itemId"], entry.ID))
}
