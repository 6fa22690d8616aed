package flow

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"azbackupflow/internal/arm/resourceguard"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/roles"
	"azbackupflow/internal/step"
)

// deleteProtection stops protection and deletes the backups.
// Sources: ProtectedItems - Delete, Backup Instances - Delete.
func (a azure) deleteProtection() Definition {
	return Definition{
		Flow: step.Flow{
			Name: "delete-protection", Version: 1, Item: targetKey,
			Summary:  "stop protection and delete the backups, until they are gone or soft-deleted",
			Guarded:  true,
			Deadline: 24 * time.Hour,
			Check:    a.checkDeleteProtection,
			Steps: append(append(
				append([]step.Step{a.findDeletedStep()}, ofItems(append([]step.Step{a.readDeletedItemStep()}, a.deleteItemSteps()...)...)...),
				ofInstances(a.deleteInstanceSteps()...)...,
			), a.excludeStep()),
		},
		Role:       roles.Delete,
		Parameters: targetParameters,
		Intro: "Stops protection and deletes the backups. It is off until an operator sets `AZBACKUPFLOW_ALLOW_DELETE` to `true`. It is " +
			"done when the item or instance is gone or soft-deleted, or was not there; `learned.deletion` contains which. A deletion that an immutable vault or a " +
			"Resource Guard would reject is rejected before it is sent. The datasource is excluded from automatic protection.",
		Examples: []Example{{
			File: "delete-protection", About: "empdb11", Key: "delete-empdb11", Deadline: "P1D", Labels: team("databases"),
			Parameters: Target{BackupInstanceID: exampleInstance}, Cost: "a database",
			After: []string{"restore-postgres-files", "restore-postgres-database", "restore-postgres-database-archive"},
		}},
	}
}

// checkDeleteProtection rejects every deletion unless an operator allows them.
func (a azure) checkDeleteProtection(raw json.RawMessage) (json.RawMessage, error) {
	parameters, err := check(checkTarget)(raw)
	if !a.Guardrails.Delete {
		return parameters, &step.Invalid{Fields: []step.FieldError{{
			Field: "flow", Problem: "delete-protection is not allowed here",
			Want: "another flow, such as stop-protection; an operator can allow it with the setting " + settingDelete,
		}}}
	}
	return parameters, err
}

// learnedEnd is gone or soft-deleted.
const learnedEnd = "deletion"

func vaultImmutable(vault string) *operation.Error {
	return fatal("VaultImmutable", fmt.Sprintf("vault %s is immutable: its backups cannot be deleted before they expire", vault),
		"Use the flow stop-protection, which keeps the backups.")
}

func resourceGuarded(vault string) *operation.Error {
	return fatal("ResourceGuard", fmt.Sprintf("a Resource Guard protects vault %s: a deletion needs the approval of a second person", vault),
		"Have the deletion approved and delete in the portal; azbackupflow does not bypass the Resource Guard.")
}

// blocksDeletion reports whether a Resource Guard lists an operation with this
// end. A vault that reports a Resource Guard but no operations is treated as
// blocked.
func blocksDeletion(proxies []resourceguard.Proxy, operationEnd string) bool {
	listed := false
	for _, proxy := range proxies {
		for _, name := range proxy.CriticalOperations {
			listed = true
			if strings.HasSuffix(strings.ToLower(name), strings.ToLower(operationEnd)) {
				return true
			}
		}
	}
	return !listed
}

func afterDeletion(soft bool, days string) string {
	if soft {
		return "the vault keeps deleted backups for " + days + " days"
	}
	return "deleted backups cannot be recovered"
}

func changedSinceRead(name string) *operation.Error {
	return fatal("ChangedMeanwhile", name+" has changed since this operation read it: it was protected again or differently, or its deletion has begun. It is not deleted now",
		"Look at it and at its recovery points: an earlier request of this operation may have deleted backups, if its answer was lost.",
		"If it is still to be deleted, send the request again.")
}
