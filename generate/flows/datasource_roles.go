package flows

import (
	"encoding/json"
	"fmt"
	"slices"

	"azbackupflow/internal/arm/dataprotection/kinds"
)

// groupsOf names the lists of resource groups in infra/backup-vault-access.bicep, by
// datasource.
func groupsOf(k kinds.Kind) (name string, err error) {
	for datasourceType, name := range map[string]string{
		kinds.DatasourceDisk: "disk", kinds.DatasourceBlob: "blob", kinds.DatasourceADLS: "blob", kinds.DatasourceCluster: "cluster",
		kinds.DatasourceMySQL: "mysql", kinds.DatasourceFlexibleServer: "postgres",
	} {
		if k.Type == datasourceType {
			return name, nil
		}
	}
	return "", fmt.Errorf("infra/backup-vault-access.bicep has no list of resource groups for a %s", k.Name)
}

// AccessKey returns the key of infra/app/datasource-roles.json whose roles include a
// role of a datasource.
func AccessKey(k kinds.Kind, need kinds.RoleNeed) (string, error) {
	name, err := groupsOf(k)
	switch {
	case err != nil:
		return "", err
	case need.OfSource:
		return name + "Identity", nil
	case need.On == kinds.OnSnapshotGroup:
		return "snapshots", nil
	case !need.Restore || name == "cluster": // a target cluster is one of clusterResourceGroups
		return name, nil
	case need.ID == kinds.BlobDataContributor().ID:
		return "fileRestore", nil
	}
	return name + "Restore", nil
}

// VaultRolesJSON returns infra/app/datasource-roles.json: the built-in roles of a
// Backup vault's identity, and of the datasources' own, by what they are assigned
// on.
func VaultRolesJSON() ([]byte, error) {
	ids := map[string][]string{}
	for _, k := range kinds.All() {
		for _, need := range k.Roles {
			if k.Retired {
				continue
			}
			key, err := AccessKey(k, need)
			if err != nil {
				return nil, err
			}
			if !slices.Contains(ids[key], need.ID) {
				ids[key] = append(ids[key], need.ID)
			}
		}
	}
	for name := range ids {
		slices.Sort(ids[name])
	}
	text, err := json.MarshalIndent(ids, "", "  ")
	return append(text, '\n'), err
}

// VaultRoleTable returns the roles of docs/roles.md that Backup vaults need, as
// Markdown.
func VaultRoleTable() string {
	text := "| datasource | identity | role | on | for |\n|---|---|---|---|---|\n"
	for _, k := range kinds.All() {
		for _, need := range k.Roles {
			identity, purpose := "the vault's", "backup"
			if need.OfSource {
				identity = "the datasource's own"
			}
			if need.Restore {
				purpose = "restore"
			}
			text += "| " + k.Name + " | " + identity + " | " + need.Name + " | " + string(need.On) + " | " + purpose + " |\n"
		}
	}
	return text
}
