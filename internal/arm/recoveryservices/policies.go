package recoveryservices

import (
	"context"

	"azbackupflow/internal/arm/azjson"
	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/arm/vaultapi"
)

// Policy is a backup policy.
type Policy struct {
	ID   string
	Name string
	// BackupManagementType is the type of items that the policy applies to.
	BackupManagementType string
	// WorkloadType is AzureFileShare, VM, SQLDataBase and so on.
	WorkloadType string
}

// GetPolicy reads a policy by its name.
//
// ProtectionPolicies - Get: GET {vault}/backupPolicies/{policy}.
func (c *Client) GetPolicy(ctx context.Context, vault resourceid.VaultID, name string) (Policy, error) {
	return vaultapi.Get(ctx, c.api, policyBody.policy, vault, "backupPolicies", name)
}

type policyBody struct {
	ID         string
	Name       string
	Properties struct {
		BackupManagementType azjson.Text
		// Answers spell it workLoadType.
		WorkloadType azjson.Text
	}
}

func (b policyBody) policy() Policy {
	return Policy{
		ID: b.ID, Name: b.Name,
		BackupManagementType: string(b.Properties.BackupManagementType),
		WorkloadType:         string(b.Properties.WorkloadType),
	}
}
