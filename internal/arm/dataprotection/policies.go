package dataprotection

import (
	"context"
	"strings"

	"azbackupflow/internal/arm/azjson"
	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/arm/vaultapi"
)

// The objectTypes of a policy's rules.
const (
	ruleAzureBackup    = "AzureBackupRule"
	ruleAzureRetention = "AzureRetentionRule"
)

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
	// RetentionRules define how long backups are kept.
	RetentionRules []RetentionRule
}

// RetentionRule is how long a policy keeps the backups of a retention tag in a
// data store.
type RetentionRule struct {
	// Name is a name such as Default or Weekly.
	Name string
	// DataStoreType is one of the Store constants.
	DataStoreType string
	// Duration is in ISO 8601, such as P30D.
	Duration string
}

// SamePlace reports whether both rules are about the same backups in the same
// data store.
func (r RetentionRule) SamePlace(other RetentionRule) bool {
	return strings.EqualFold(r.Name, other.Name) && strings.EqualFold(r.DataStoreType, other.DataStoreType)
}

// Shorter reports whether the rule keeps backups for a shorter time than the
// other. A duration that cannot be read counts as shorter.
func (r RetentionRule) Shorter(than RetentionRule) bool {
	if r.Duration == than.Duration {
		return false
	}
	kept, before := azjson.Text(r.Duration).Duration(), azjson.Text(than.Duration).Duration()
	return kept <= 0 || before <= 0 || kept < before
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

// ListPolicies lists the vault's policies, all pages.
//
// BackupPolicies - List: GET {vault}/backupPolicies.
func (c *Client) ListPolicies(ctx context.Context, vault resourceid.VaultID) ([]Policy, error) {
	return vaultapi.List(ctx, c.api, policyBody.policy, "", vault, "backupPolicies")
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
			Lifecycles       []struct {
				DeleteAfter     struct{ Duration azjson.Text }
				SourceDataStore struct{ DataStoreType azjson.Text }
			}
			Trigger struct {
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
		if r.ObjectType == ruleAzureRetention {
			for _, l := range r.Lifecycles {
				p.RetentionRules = append(p.RetentionRules, RetentionRule{
					Name: string(r.Name), DataStoreType: string(l.SourceDataStore.DataStoreType), Duration: string(l.DeleteAfter.Duration),
				})
			}
		}
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
