package flow

import (
	"strings"

	"azbackupflow/internal/arm/dataprotection/kinds"
	"azbackupflow/internal/operation"
)

// explainValidation returns what explains the failed validation of a datasource;
// nil for datasources whose errors name what is missing.
func (a azure) explainValidation(datasourceType string) func(*operation.Error) *operation.Error {
	cluster, known := a.kind(datasourceType)
	if !known || datasourceType != kinds.DatasourceCluster {
		return nil
	}
	return func(failure *operation.Error) *operation.Error { return withPrerequisites(cluster, failure) }
}

// withPrerequisites returns the error of a cluster that Azure cannot protect, with
// what is missing: the Backup extension, trusted access of the vault, or roles. An
// error that names none of them gets all three.
// https://learn.microsoft.com/azure/backup/azure-kubernetes-service-cluster-backup
func withPrerequisites(cluster kinds.Kind, err *operation.Error) *operation.Error {
	text := strings.ToLower(err.Code + " " + err.Message + " " + err.Detail)
	extension := "Install the Backup extension in the cluster with `az k8s-extension create --extension-type microsoft.dataprotection.kubernetes`, and assign its " +
		"identity the role Storage Blob Data Contributor on its storage account."
	access := "Give the vault trusted access to the cluster: `az aks trustedaccess rolebinding create --roles Microsoft.DataProtection/backupVaults/backup-operator`."
	var missing []string
	if strings.Contains(text, "extension") {
		missing = append(missing, extension)
	}
	if strings.Contains(text, "trusted") {
		missing = append(missing, access)
	}
	if strings.Contains(text, "permission") || strings.Contains(text, "authoriz") {
		missing = append(missing, "Assign the roles: "+rolesOf(cluster)+".")
	}
	if len(missing) == 0 {
		missing = []string{extension, access, "Assign the roles: " + rolesOf(cluster) + "."}
	}
	explained := *err
	explained.RecommendedAction = append(append([]string{}, err.RecommendedAction...), missing...)
	return &explained
}

// rolesOf lists the roles that the backup of a kind of datasource needs.
func rolesOf(k kinds.Kind) string {
	var all []string
	for _, r := range k.Roles {
		identity := "the vault's identity"
		if r.OfSource {
			identity = "the cluster's identity"
		}
		if !r.Restore {
			all = append(all, r.Name+" on "+string(r.On)+" for "+identity)
		}
	}
	return strings.Join(all, "; ")
}
