package armsim

import (
	"cmp"
	"net/http"
	"strings"
)

// readVault answers GET vaults/{v}.
func (s *Simulator) readVault(c *call) (answer, *armError) {
	return jsonAnswer(http.StatusOK, map[string]any{
		"location": c.vault.Location, "name": c.vault.Name, "id": c.vault.ID(),
		"type": "Microsoft.RecoveryServices/vaults", "sku": map[string]any{"name": "Standard"}, "identity": identity(),
		"properties": map[string]any{
			"securitySettings": map[string]any{
				"immutabilitySettings": map[string]any{"state": c.vault.Immutability},
				"softDeleteSettings": map[string]any{
					"softDeleteState": c.vault.SoftDelete, "softDeleteRetentionPeriodInDays": c.vault.SoftDeleteDays,
					"enhancedSecurityState": "Enabled",
				},
				"multiUserAuthorization": map[bool]string{false: "Disabled", true: "Enabled"}[c.vault.ResourceGuard], // recorded: Disabled
			},
			"provisioningState":                   "Succeeded",
			"privateEndpointStateForBackup":       "None",
			"privateEndpointStateForSiteRecovery": "None",
			"publicNetworkAccess":                 "Enabled",
		},
	}), nil
}

// listPolicies answers GET backupPolicies.
func (s *Simulator) listPolicies(c *call) (answer, *armError) {
	f, err := parseFilter(c, "backupManagementType", "workloadType", "fabricName")
	if err != nil {
		return answer{}, err
	}
	var found []Policy
	for _, p := range c.vault.Policies {
		if f.is("backupManagementType", p.BackupManagementType) && f.is("workloadType", p.WorkLoadType) {
			found = append(found, p)
		}
	}
	return page(s, c, found, c.vault.policyView)
}

// readPolicy answers GET backupPolicies/{p}.
func (s *Simulator) readPolicy(c *call) (answer, *armError) {
	p := c.vault.policy(c.path.names[1])
	if p == nil {
		return answer{}, &armError{ // a choice
			status: http.StatusNotFound, code: "BMSUserErrorObjectNotFound", target: "policyName",
			message: "The policy '" + c.path.names[1] + "' was not found in the vault.",
		}
	}
	return jsonAnswer(http.StatusOK, c.vault.policyView(*p)), nil
}

// policyView returns a policy as recorded: daily, kept for thirty days.
func (v *vault) policyView(p Policy) map[string]any {
	const runs = "2024-06-11T20:30:00Z"
	count := 0
	for _, k := range v.containers {
		for _, i := range k.items {
			if strings.EqualFold(i.policy, p.Name) {
				count++
			}
		}
	}
	schedule := map[string]any{
		"schedulePolicyType": "SimpleSchedulePolicy", "scheduleRunFrequency": "Daily",
		"scheduleRunTimes": []string{runs}, "scheduleWeeklyFrequency": 0,
	}
	retention := map[string]any{
		"retentionPolicyType": "LongTermRetentionPolicy",
		"dailySchedule": map[string]any{
			"retentionTimes":    []string{runs},
			"retentionDuration": map[string]any{"count": cmp.Or(p.Days, 30), "durationType": "Days"},
		},
	}
	properties := map[string]any{"backupManagementType": p.BackupManagementType, "protectedItemsCount": count}
	if p.BackupManagementType == virtualMachine.names().managementType {
		properties["policyType"] = map[bool]string{false: "V1", true: "V2"}[p.Enhanced]
	}
	switch p.BackupManagementType {
	case sqlDatabase.names().managementType:
		properties["workLoadType"] = p.WorkLoadType
		properties["settings"] = map[string]any{"timeZone": "UTC", "issqlcompression": false, "isCompression": false}
		properties["subProtectionPolicy"] = []any{
			map[string]any{"policyType": "Full", "schedulePolicy": schedule, "retentionPolicy": retention},
		}
	case storageType:
		properties["workLoadType"] = p.WorkLoadType
		fallthrough
	default:
		properties["schedulePolicy"], properties["retentionPolicy"], properties["timeZone"] = schedule, retention, "UTC"
	}
	return map[string]any{
		"id": v.policyID(p.Name), "name": p.Name, "type": "Microsoft.RecoveryServices/vaults/backupPolicies",
		"properties": properties,
	}
}
