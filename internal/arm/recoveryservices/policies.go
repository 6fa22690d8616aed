package recoveryservices

import (
	"context"
	"strconv"
	"strings"

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
	// Enhanced is set for policies of virtual machines that Azure calls enhanced
	// (policyType V2). Some machines need one.
	Enhanced bool
	// ItemCount is the number of items that the policy protects.
	ItemCount int
	// Retention describes how long the policy keeps backups.
	Retention Retention
}

// GetPolicy reads a policy by its name.
//
// ProtectionPolicies - Get: GET {vault}/backupPolicies/{policy}.
func (c *Client) GetPolicy(ctx context.Context, vault resourceid.VaultID, name string) (Policy, error) {
	return vaultapi.Get(ctx, c.api, policyBody.policy, vault, "backupPolicies", name)
}

// ListPolicies lists the vault's policies, all pages.
//
// BackupPolicies - List: GET {vault}/backupPolicies.
func (c *Client) ListPolicies(ctx context.Context, vault resourceid.VaultID) ([]Policy, error) {
	return vaultapi.List(ctx, c.api, policyBody.policy, "", vault, "backupPolicies")
}

type policyBody struct {
	ID         string
	Name       string
	Properties struct {
		BackupManagementType azjson.Text
		// Answers spell it workLoadType.
		WorkloadType        azjson.Text
		PolicyType          azjson.Text
		ProtectedItemsCount azjson.Text
		retentionBody
	}
}

func (b policyBody) policy() Policy {
	count, err := strconv.Atoi(string(b.Properties.ProtectedItemsCount))
	if err != nil {
		count = 0 // Azure does not report it
	}
	return Policy{
		ID: b.ID, Name: b.Name,
		BackupManagementType: string(b.Properties.BackupManagementType),
		WorkloadType:         string(b.Properties.WorkloadType),
		Enhanced:             strings.EqualFold(string(b.Properties.PolicyType), "V2"),
		ItemCount:            count, Retention: b.Properties.retention(),
	}
}
