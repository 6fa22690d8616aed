package flows

import (
	"encoding/json"
	"slices"

	"azbackupflow/internal/arm/dataprotection/kinds"
)

// VaultRolesJSON returns infra/app/datasource-roles.json: the built-in roles of a
// Backup vault's identity, by what they are assigned on.
func VaultRolesJSON() ([]byte, error) {
	ids := map[string][]string{}
	add := func(name, id string) {
		if !slices.Contains(ids[name], id) {
			ids[name] = append(ids[name], id)
		}
	}
	for name, datasourceType := range map[string]string{
		"disk": kinds.DatasourceDisk, "blob": kinds.DatasourceBlob, "cluster": kinds.DatasourceCluster,
		"mysql": kinds.DatasourceMySQL, "postgres": kinds.DatasourceFlexibleServer,
	} {
		kind, _ := kinds.Find(kinds.All(), datasourceType)
		for _, need := range kind.Roles {
			switch {
			case need.OfSource:
			case need.On == kinds.OnSnapshotGroup:
				add("snapshots", need.ID)
			case !need.Restore:
				add(name, need.ID)
			case name == "disk" || name == "blob":
				add(name+"Restore", need.ID)
			case name != "cluster": // a target cluster is one of clusterResourceGroups
				add("fileRestore", need.ID)
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
