package flow

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"azbackupflow/internal/arm/recoveryservices"
	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/operation"
)

// Guardrails are what an operator has to allow before flows do it.
type Guardrails struct {
	// Delete allows backups to be deleted.
	Delete bool
	// RestoreTargets are what restores may write to: resource ids of servers
	// and URLs of blob containers. A restore to any place that a request names
	// would carry data out.
	RestoreTargets []string
}

// withdrawn is the error of a step that finds the permission gone under which
// its operation was started: an operator who closes the door closes it for what
// already waits, too.
func withdrawn(what, setting string) *operation.Error {
	return fatal("NotAllowed", what+" was allowed when this operation was started and is not any more; nothing was sent",
		"Ask the operator of azbackupflow: the setting "+setting+" allows it.")
}

// The settings that allow what is forbidden by default.
const (
	settingDelete  = "AZBACKUPFLOW_ALLOW_DELETE"
	settingTargets = "AZBACKUPFLOW_RESTORE_TARGETS"
	wantTargets    = "one of the setting " + settingTargets
)

// allowsContainer reports whether a restore may write to the blob container.
func (g Guardrails) allowsContainer(container *url.URL) bool {
	return slices.ContainsFunc(g.RestoreTargets, func(target string) bool {
		allowed, err := url.Parse(strings.TrimSpace(target))
		return err == nil && allowed.Scheme == "https" && strings.EqualFold(allowed.Host, container.Host) &&
			strings.Trim(allowed.Path, "/") == strings.Trim(container.Path, "/")
	})
}

// allowsServer reports whether a restore may write to the database server.
func (g Guardrails) allowsServer(id string) bool {
	return slices.ContainsFunc(g.RestoreTargets, func(target string) bool {
		return resourceid.Equal(strings.TrimSpace(target), id)
	})
}

// container checks the URL of a blob container that a restore writes to: on
// the allow-list, and without anything secret in it.
func (c *checks) container(field, text string, guardrails Guardrails) {
	want := "https://{account}.blob.core.windows.net/{container}"
	u, err := url.Parse(text)
	switch {
	case text == "":
		c.add(field, "is missing", want)
	case err != nil || u.Scheme != "https" || u.Host == "" || strings.Contains(text, "%") || strings.Count(strings.Trim(u.Path, "/"), "/") > 0 || strings.Trim(u.Path, "/") == "":
		c.add(field, "is not the URL of a blob container", want)
	case u.RawQuery != "" || u.User != nil || u.Fragment != "":
		c.add(field, "holds more than the container's address; the vault's identity is what may write there", want)
	case !guardrails.allowsContainer(u):
		c.add(field, fmt.Sprintf("%s is not a place that restores may write to", u), wantTargets)
	}
}

// sameContainer checks that a container's resource id names the container of the
// URL: only the URL is held against the allow-list, and Azure takes both.
func (c *checks) sameContainer(field, id, text string) {
	if id == "" {
		return
	}
	u, err := url.Parse(text)
	if err != nil {
		return // the URL's own field says so
	}
	account, _, _ := strings.Cut(u.Hostname(), ".")
	want := "/subscriptions/{id}/resourceGroups/{group}/providers/Microsoft.Storage/storageAccounts/" + account +
		"/blobServices/default/containers/" + strings.Trim(u.Path, "/")
	parsed, err := resourceid.Parse(id)
	if err != nil || parsed.SubscriptionID == "" || parsed.ResourceGroupName == "" ||
		!strings.EqualFold(parsed.ResourceType.String(), "Microsoft.Storage/storageAccounts/blobServices/containers") ||
		!strings.EqualFold(parsed.Parent.Parent.Name, account) || parsed.Name != strings.Trim(u.Path, "/") {
		c.add(field, fmt.Sprintf("%q is not the resource id of the container in containerUrl", id), want)
	}
}

// Target names something that is protected: one of its fields is given.
type Target struct {
	// ItemID is a protected item of a Recovery Services vault.
	ItemID string `json:"itemId,omitempty"`
	// FileShare names a protected file share, as a person does.
	FileShare *FileShare `json:"fileShare,omitempty"`
	// BackupInstanceID is a backup instance of a Backup vault.
	BackupInstanceID string `json:"backupInstanceId,omitempty"`
}

// target checks that exactly one thing is named, and named well.
func (c *checks) target(t Target) {
	given := 0
	if t.ItemID != "" {
		given++
		if _, err := recoveryservices.ParseItemID(t.ItemID); err != nil {
			c.add("itemId", err.Error(), wantItem)
		}
	}
	if t.FileShare != nil {
		given++
		c.vault("fileShare.vaultId", t.FileShare.VaultID)
		c.storageAccount("fileShare.storageAccountId", t.FileShare.StorageAccountID)
		c.fileShare("fileShare.name", t.FileShare.Name)
	}
	if t.BackupInstanceID != "" {
		given++
		c.instance("backupInstanceId", t.BackupInstanceID)
	}
	switch {
	case given == 0:
		c.add("itemId", "is missing, and so are fileShare and backupInstanceId", "one of them")
	case given > 1:
		c.add("itemId", "is not the only thing named", "one of itemId, fileShare and backupInstanceId")
	}
}
