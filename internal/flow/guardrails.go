package flow

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/operation"
)

// Guardrails hold what an operator must allow before flows do it.
type Guardrails struct {
	// Delete allows flows to delete backups.
	Delete bool
	// RestoreTargets are the resource IDs of servers and the URLs of blob
	// containers that restores may write to. A restore to any target that a
	// request names could export data.
	RestoreTargets []string
	// DrillTargets are the resource IDs of the storage accounts and resource groups in
	// which restore drills may make their places. They allow no other restore.
	DrillTargets []string
	// GuardedFlows are the names of further flows that are guarded.
	GuardedFlows []string
}

// markGuarded marks the further flows as guarded.
func (g Guardrails) markGuarded(definitions []Definition) ([]Definition, error) {
	for _, name := range g.GuardedFlows {
		found := false
		for i := range definitions {
			if definitions[i].Name == name {
				definitions[i].Guarded, found = true, true
			}
		}
		if !found {
			return nil, fmt.Errorf("flow %q not found; name existing flows in the setting %s", name, settingGuarded)
		}
	}
	return definitions, nil
}

// The settings that allow what is forbidden by default.
const (
	settingDelete  = "AZBACKUPFLOW_ALLOW_DELETE"
	settingTargets = "AZBACKUPFLOW_RESTORE_TARGETS"
	settingGuarded = "AZBACKUPFLOW_GUARDED_FLOWS"
	wantTargets    = "one of the setting " + settingTargets
)

// notAllowed returns the error of a step whose permission was revoked after its
// operation started. Revoking a setting also applies to queued operations.
func notAllowed(what, setting string) *operation.Error {
	return fatal("NotAllowed", what+" was allowed when this operation started, and is no longer allowed; nothing was sent to Azure",
		"Ask the operator of azbackupflow to allow it with the setting "+setting+".")
}

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

// container checks the URL of a blob container that a restore writes to: it must
// be allowed and must not contain a signature.
func (c *checks) container(field, text string, guardrails Guardrails) {
	want := "https://{account}.blob.core.windows.net/{container}"
	u, err := url.Parse(text)
	switch {
	case text == "":
		c.add(field, "is missing", want)
	case err != nil || u.Scheme != "https" || u.Host == "" || strings.Contains(text, "%") || strings.Count(strings.Trim(u.Path, "/"), "/") > 0 || strings.Trim(u.Path, "/") == "":
		c.add(field, "is not the URL of a blob container", want)
	case u.RawQuery != "" || u.User != nil || u.Fragment != "":
		c.add(field, "contains more than the container's address; the vault's identity writes there, without a signature", want)
	case !guardrails.allowsContainer(u):
		c.add(field, fmt.Sprintf("%s is not an allowed restore target", u), wantTargets)
	}
}

// sameContainer checks that a container's resource ID names the container of the
// URL: the guardrails check only the URL, and Azure accepts both.
func (c *checks) sameContainer(field, id, text string) {
	if id == "" {
		return
	}
	u, err := url.Parse(text)
	if err != nil {
		return // container reports it
	}
	account, _, _ := strings.Cut(u.Hostname(), ".")
	want := "/subscriptions/{id}/resourceGroups/{group}/providers/Microsoft.Storage/storageAccounts/" + account +
		"/blobServices/default/containers/" + strings.Trim(u.Path, "/")
	parsed, err := resourceid.Parse(id)
	if err != nil || parsed.SubscriptionID == "" || parsed.ResourceGroupName == "" ||
		!strings.EqualFold(parsed.ResourceType.String(), blobContainerType) ||
		!strings.EqualFold(parsed.Parent.Parent.Name, account) || parsed.Name != strings.Trim(u.Path, "/") {
		c.add(field, fmt.Sprintf("%q is not the resource ID of the container in containerUrl", id), want)
	}
}

const blobContainerType = "Microsoft.Storage/storageAccounts/blobServices/containers"
