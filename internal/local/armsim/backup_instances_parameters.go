package armsim

import (
	"strings"

	"azbackupflow/internal/arm/dataprotection/kinds"
)

// policyParameters holds what an instance adds to its policy.
type policyParameters struct {
	Stores []struct {
		ObjectType    string `json:"objectType"`
		DataStoreType string `json:"dataStoreType"`
		ResourceGroup string `json:"resourceGroupId"`
	} `json:"dataStoreParametersList"`
	Datasources []struct {
		ObjectType string   `json:"objectType"`
		Containers []string `json:"containersList"`
	} `json:"backupDatasourceParametersList"`
}

// identityDetails selects an identity of the vault.
type identityDetails struct {
	System *bool  `json:"useSystemAssignedIdentity"`
	UserID string `json:"userAssignedIdentityArmUrl"`
}

// check rejects an identity that the vault does not have.
func (d *identityDetails) check(path string, v *backupVault) *armError {
	if d == nil || d.System != nil && *d.System {
		return nil
	}
	for _, id := range v.Identities {
		if sameID(id, d.UserID) {
			return nil
		}
	}
	return invalidField(path+".userAssignedIdentityArmUrl", "the vault does not have the identity %q", d.UserID)
}

// check rejects parameters that do not fit the kind of the datasource.
func (p *policyParameters) check(c *call, path string, k kinds.Kind, policy *BackupPolicy) *armError {
	if p == nil {
		p = &policyParameters{}
	}
	group := len(p.Stores) == 1 && p.Stores[0].ObjectType == "AzureOperationalStoreParameters" &&
		p.Stores[0].DataStoreType == operationalStore && strings.Contains(strings.ToLower(p.Stores[0].ResourceGroup), "/resourcegroups/")
	switch {
	case k.SnapshotGroup && !group:
		return invalidField(path+".dataStoreParametersList", "it has to name the snapshot resource group")
	case !k.SnapshotGroup && len(p.Stores) > 0:
		return invalidField(path+".dataStoreParametersList", "a %s has none", k.Name)
	case k.Parameters == "" && len(p.Datasources) > 0, policy.Continuous && len(p.Datasources) > 0:
		return invalidField(path+".backupDatasourceParametersList", "the datasource has none under this policy")
	case k.Parameters == "" || policy.Continuous:
		return nil
	case len(p.Datasources) != 1 || p.Datasources[0].ObjectType != k.Parameters:
		return invalidField(path+".backupDatasourceParametersList", "it has to have one %s", k.Parameters)
	case k.Parameters != kinds.ParametersKubernetes && len(p.Datasources[0].Containers) == 0:
		return invalidField(path+".backupDatasourceParametersList.containersList", "it is missing")
	case c.apiVersion < k.APIVersion:
		return invalidField(path+".backupDatasourceParametersList.objectType", "the api-version %s does not have %s", c.apiVersion, k.Parameters)
	}
	return nil
}

// checkSet checks that a datasource names the right set.
func checkSet(path string, d datasource, known bool, set *datasourceBody) *armError {
	switch d.kind.Set {
	case kinds.NoSet:
	case kinds.SameSet:
		if set == nil || !sameID(set.ResourceID, d.id) {
			return invalidField(path, "it has to be the datasource itself")
		}
	case kinds.ParentSet:
		if set == nil || known && !sameID(set.ResourceID, d.server) {
			return invalidField(path, "it has to be the server of the database")
		}
	}
	return nil
}
