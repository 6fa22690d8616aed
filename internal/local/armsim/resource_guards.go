package armsim

import "net/http"

// rejectDataLoss rejects an operation that loses backup data in an immutable
// vault, or that a resource guard protects. Issues of Azure's clients show the
// code of the first and the text of the second error; that both providers
// answer alike is a choice.
func rejectDataLoss(immutability string, guarded bool) *userError {
	if immutability != immutabilityDisabled {
		return newUserError(codeImmutable, "The vault is immutable: operations that lose backup data are denied.",
			"Wait until the recovery points expire. See https://aka.ms/AB-ImmutableVaults-States.")
	}
	if guarded {
		return missingResourceGuardRequest()
	}
	return nil
}

func missingResourceGuardRequest() *userError {
	return newUserError(codeInvalidInput, "ResourceGuard Operation requestid is either null or empty.",
		"Ask the owner of the resource guard for access to the operation.")
}

// plain returns the error in the format of Microsoft.RecoveryServices, which
// does not nest errors.
func (e *userError) plain() *armError {
	return &armError{status: http.StatusBadRequest, code: e.code, message: e.message}
}

// listResourceGuardProxies answers GET backupResourceGuardProxies of either provider:
// one proxy for a vault with a resource guard (from the API documents), else
// none (recorded for Recovery Services).
func (s *Simulator) listResourceGuardProxies(c *call) (answer, *armError) {
	guarded, criticalOperation := false, ""
	if c.backupVault != nil {
		guarded, criticalOperation = c.backupVault.ResourceGuard, "/backupVaults/backupInstances/delete"
	} else {
		guarded, criticalOperation = c.vault.ResourceGuard, "/vaults/backupFabrics/protectionContainers/protectedItems/delete"
	}
	var proxies []string
	if guarded {
		proxies = []string{"VaultProxy"}
	}
	guard := "/subscriptions/" + c.path.subscription + "/resourceGroups/" + c.path.group + "/providers/" + dataProtection + "/resourceGuards/guard"
	return page(s, c, proxies, func(name string) map[string]any {
		return map[string]any{
			"id": c.path.parentID() + "/backupResourceGuardProxies/" + name, "name": name,
			"type": c.path.provider + "/" + c.path.types[0] + "/backupResourceGuardProxies",
			"properties": map[string]any{
				"resourceGuardResourceId": guard,
				"resourceGuardOperationDetails": []any{map[string]any{
					"vaultCriticalOperation": c.path.provider + criticalOperation,
					"defaultResourceRequest": guard + "/deleteProtectedItemRequests/default",
				}},
			},
		}
	})
}
