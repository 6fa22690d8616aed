package armsim

import (
	"cmp"
	"net/http"

	"azbackupflow/internal/arm/dataprotection/kinds"
)

// readBackupVault answers GET backupVaults/{v}, as in the API documents'
// example of a vault with an identity.
func (s *Simulator) readBackupVault(c *call) (answer, *armError) {
	v := c.backupVault
	return jsonAnswer(http.StatusOK, map[string]any{
		"id": v.ID(), "name": v.Name, "type": dataProtection + "/backupVaults", "location": v.Location, "identity": v.identity(),
		"properties": map[string]any{
			"provisioningState": provisioned,
			"storageSettings":   []any{map[string]any{"datastoreType": vaultStore, "type": "LocallyRedundant"}},
			"securitySettings": map[string]any{
				"softDeleteSettings":   map[string]any{"state": v.SoftDelete, "retentionDurationInDays": v.SoftDeleteDays},
				"immutabilitySettings": map[string]any{"state": v.Immutability},
			},
			"isVaultProtectedByResourceGuard": v.ResourceGuard,
		},
	}), nil
}

// identity returns the vault's identities.
func (v *backupVault) identity() map[string]any {
	all := identity()
	if len(v.Identities) > 0 {
		users := map[string]any{}
		for _, id := range v.Identities {
			users[id] = map[string]any{"principalId": userIdentity, "clientId": userIdentity}
		}
		all["type"], all["userAssignedIdentities"] = "SystemAssigned, UserAssigned", users
	}
	return all
}

// identity returns the system-assigned identity of a vault.
func identity() map[string]any {
	return map[string]any{"type": "SystemAssigned", "principalId": systemIdentity, "tenantId": tenant}
}

// listBackupVaultPolicies answers GET backupPolicies of a Backup vault.
func (s *Simulator) listBackupVaultPolicies(c *call) (answer, *armError) {
	return page(s, c, c.backupVault.Policies, c.backupVault.policyView)
}

// readBackupVaultPolicy answers GET backupPolicies/{p} of a Backup vault.
func (s *Simulator) readBackupVaultPolicy(c *call) (answer, *armError) {
	p := c.backupVault.policy(c.path.names[1])
	if p == nil {
		return answer{}, c.notFound(2)
	}
	return jsonAnswer(http.StatusOK, c.backupVault.policyView(*p)), nil
}

// policyView returns a policy in the form of the API documents' example: a
// backup rule, and how long its backups are kept. A continuous policy has only
// the latter.
func (v *backupVault) policyView(p BackupPolicy) map[string]any {
	kind, _ := kinds.Find(kinds.All(), p.DatasourceTypes[0])
	name := p.Store
	if name == "" {
		name = kind.Restores[0].Store
	}
	if p.Store == "" && kind.Parameters == kinds.ParametersBlob && !p.Continuous {
		name = vaultStore
	}
	store := map[string]any{"dataStoreType": name, "objectType": "DataStoreInfoBase"}
	rules := []any{map[string]any{
		"name": "Default", "objectType": "AzureRetentionRule", "isDefault": true,
		"lifecycles": []any{map[string]any{
			"sourceDataStore": store,
			"deleteAfter":     map[string]any{"objectType": "AbsoluteDeleteOption", "duration": cmp.Or(p.Retention, "P12W")},
		}},
	}}
	if !p.Continuous {
		rules = append([]any{map[string]any{
			"name": kind.Rules[0], "objectType": "AzureBackupRule", "dataStore": store,
			"backupParameters": map[string]any{"backupType": kind.BackupType, "objectType": "AzureBackupParams"},
			"trigger": map[string]any{
				"objectType": "ScheduleBasedTriggerContext",
				"schedule":   map[string]any{"repeatingTimeIntervals": []string{"R/2024-06-02T02:00:00+00:00/P1W"}},
				"taggingCriteria": []any{map[string]any{
					"tagInfo": map[string]any{"tagName": "Default", "id": "Default_"}, "taggingPriority": 99, "isDefault": true,
				}},
			},
		}}, rules...)
	}
	return map[string]any{
		"id": v.policyID(p.Name), "name": p.Name, "type": dataProtection + "/backupVaults/backupPolicies",
		"properties": map[string]any{"objectType": "BackupPolicy", "datasourceTypes": p.DatasourceTypes, "policyRules": rules},
	}
}

// listInstances answers GET backupInstances.
func (s *Simulator) listInstances(c *call) (answer, *armError) {
	return page(s, c, c.backupVault.instances, (*instance).view)
}

// readInstance answers GET backupInstances/{b}. A soft-deleted instance is not
// found here (a choice).
func (s *Simulator) readInstance(c *call) (answer, *armError) {
	i, missing := c.findInstance()
	if missing != nil {
		return answer{}, missing
	}
	return jsonAnswer(http.StatusOK, i.view()), nil
}

// listDeletedInstances answers GET deletedBackupInstances.
func (s *Simulator) listDeletedInstances(c *call) (answer, *armError) {
	return page(s, c, c.backupVault.deleted, (*instance).deletedView)
}

// readDeletedInstance answers GET deletedBackupInstances/{b}.
func (s *Simulator) readDeletedInstance(c *call) (answer, *armError) {
	i := named(c.backupVault.deleted, c.path.names[1])
	if i == nil {
		return answer{}, c.notFound(2)
	}
	return jsonAnswer(http.StatusOK, i.deletedView()), nil
}
