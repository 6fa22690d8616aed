package dataprotection

import (
	"context"

	"azbackupflow/internal/arm/azjson"
	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/arm/vaultapi"
)

// ruleAzureBackup is the objectType of a policy's backup rules.
const ruleAzureBackup = "AzureBackupRule"

// Policy is a backup policy.
type Policy struct {
	ID   string
	Name string
	// DatasourceTypes are the types of datasources that the policy applies to,
	// such as Microsoft.DBforPostgreSQL/flexibleServers.
	DatasourceTypes []string
	// BackupRules are the rules that create backups. An on-demand backup names
	// one of them.
	BackupRules []BackupRule
}

// BackupRule is a rule of a policy that creates backups.
type BackupRule struct {
	// Name is a name such as BackupWeekly.
	Name string
	// BackupType is Full, Incremental and so on.
	BackupType string
	// DataStoreType is the data store of the backups, one of the Store constants.
	DataStoreType string
	// RetentionTags are the retention rules that its backups may have.
	// DefaultRetentionTag applies without an override.
	RetentionTags       []string
	DefaultRetentionTag string
}

// GetPolicy reads a policy by its name.
//
// BackupPolicies - Get: GET {vault}/backupPolicies/{policy}.
func (c *Client) GetPolicy(ctx context.Context, vault resourceid.VaultID, name string) (Policy, error) {
	return vaultapi.Get(ctx, c.api, policyBody.policy, vault, "backupPolicies", name)
}

type policyBody struct {
	ID         string
	Name       string
	Properties struct {
		DatasourceTypes []azjson.Text
		PolicyRules     []struct {
			Name             azjson.Text
			ObjectType       azjson.Text
			BackupParameters struct{ BackupType azjson.Text }
			DataStore        struct{ DataStoreType azjson.Text }
			Trigger          struct {
				TaggingCriteria []struct {
					IsDefault azjson.Text
					TagInfo   struct{ TagName azjson.Text }
				}
			}
		}
	}
}

func (b policyBody) policy() Policy {
	p := Policy{ID: b.ID, Name: b.Name}
	for _, t := range b.Properties.DatasourceTypes {
		p.DatasourceTypes = append(p.DatasourceTypes, string(t))
	}
	for _, r := range b.Properties.PolicyRules {
		if r.ObjectType != ruleAzureBackup {
			continue
		}
		rule := BackupRule{
			Name: string(r.Name), BackupType: string(r.BackupParameters.BackupType), DataStoreType: string(r.DataStore.DataStoreType),
		}
		for _, t := range r.Trigger.TaggingCriteria {
			name := string(t.TagInfo.TagName)
			rule.RetentionTags = append(rule.RetentionTags, name)
			if t.IsDefault.Bool() {
				rule.DefaultRetentionTag = name
			}
		}
		p.BackupRules = append(p.BackupRules, rule)
	}
	return p
}
