package recoveryservices

import (
	"context"

	"azbackupflow/internal/arm/azjson"
	"azbackupflow/internal/arm/resourceid"
)

// Policy is a backup policy.
type Policy struct {
	ID   string
	Name string
	// BackupManagementType says what kind of items the policy is for.
	BackupManagementType string
	// WorkloadType is AzureFileShare, VM, SQLDataBase and so on.
	WorkloadType string
}

// GetPolicy reads a policy by its name.
//
// ProtectionPolicies - Get: GET {vault}/backupPolicies/{policy}.
func (c *Client) GetPolicy(ctx context.Context, vault resourceid.VaultID, name string) (Policy, error) {
	path, err := vaultPath(vault, "backupPolicies", name)
	if err != nil {
		return Policy{}, err
	}
	var body struct {
		ID         string
		Name       string
		Properties struct {
			BackupManagementType azjson.Text
			// Spelt workLoadType in answers.
			WorkloadType azjson.Text
		}
	}
	if err := c.arm.Get(ctx, path, query(""), &body); err != nil {
		return Policy{}, err
	}
	return Policy{
		ID: body.ID, Name: body.Name,
		BackupManagementType: string(body.Properties.BackupManagementType),
		WorkloadType:         string(body.Properties.WorkloadType),
	}, nil
}
