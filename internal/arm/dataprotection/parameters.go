package dataprotection

import (
	"encoding/json"
	"fmt"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	sdk "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/dataprotection/armdataprotection/v3"

	"azbackupflow/internal/arm/dataprotection/kinds"
)

// policyParameters returns what the instance adds to its policy; nil if its kind
// has no parameters.
func (r InstanceRequest) policyParameters() (*sdk.PolicyParameters, error) {
	if err := r.checkParameters(); err != nil {
		return nil, err
	}
	var p sdk.PolicyParameters
	if r.Kind.SnapshotGroup {
		p.DataStoreParametersList = []sdk.DataStoreParametersClassification{&sdk.AzureOperationalStoreParameters{
			DataStoreType: to.Ptr(sdk.DataStoreTypesOperationalStore), ResourceGroupID: to.Ptr(r.SnapshotGroupID),
		}}
	}
	switch {
	case r.Cluster != nil:
		p.BackupDatasourceParametersList = []sdk.BackupDatasourceParametersClassification{r.Cluster.parameters()}
	case len(r.Containers) > 0 && r.Kind.Parameters == kinds.ParametersADLS:
		p.BackupDatasourceParametersList = []sdk.BackupDatasourceParametersClassification{&adlsParameters{containers: r.Containers}}
	case len(r.Containers) > 0:
		p.BackupDatasourceParametersList = []sdk.BackupDatasourceParametersClassification{&sdk.BlobBackupDatasourceParameters{ContainersList: pointers(r.Containers)}}
	}
	if p.DataStoreParametersList == nil && p.BackupDatasourceParametersList == nil {
		return nil, nil //nolint:nilnil // A datasource without parameters sends no object.
	}
	return &p, nil
}

// checkParameters rejects parameters that the kind does not have, and missing
// ones.
func (r InstanceRequest) checkParameters() error {
	k := r.Kind
	switch {
	case k.SnapshotGroup != (r.SnapshotGroupID != ""):
		return fmt.Errorf("a %s and a snapshot resource group do not fit: %q", k.Name, r.SnapshotGroupID)
	case (k.Parameters == kinds.ParametersKubernetes) != (r.Cluster != nil):
		return fmt.Errorf("a %s and the selection of a cluster do not fit", k.Name)
	case len(r.Containers) > 0 && k.Parameters != kinds.ParametersBlob && k.Parameters != kinds.ParametersADLS:
		return fmt.Errorf("a %s has no containers", k.Name)
	case len(r.Containers) == 0 && k.Parameters == kinds.ParametersADLS:
		return fmt.Errorf("a %s needs at least one container", k.Name)
	}
	return nil
}

func (s ClusterSelection) parameters() *sdk.KubernetesClusterBackupDatasourceParameters {
	return &sdk.KubernetesClusterBackupDatasourceParameters{
		SnapshotVolumes: to.Ptr(s.SnapshotVolumes), IncludeClusterScopeResources: to.Ptr(s.IncludeClusterScopeResources),
		IncludedNamespaces: pointers(s.IncludedNamespaces), ExcludedNamespaces: pointers(s.ExcludedNamespaces),
		IncludedResourceTypes: pointers(s.IncludedResourceTypes), ExcludedResourceTypes: pointers(s.ExcludedResourceTypes),
		LabelSelectors: pointers(s.LabelSelectors), BackupHookReferences: namespaced(s.Hooks),
	}
}

// adlsParameters is AdlsBlobBackupDatasourceParameters, which the model types
// lack.
type adlsParameters struct {
	sdk.BackupDatasourceParameters
	containers []string
}

// MarshalJSON implements json.Marshaler.
func (p *adlsParameters) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]any{"objectType": kinds.ParametersADLS, "containersList": p.containers})
}

func namespaced(names []NamespacedName) []*sdk.NamespacedNameResource {
	var all []*sdk.NamespacedNameResource
	for _, n := range names {
		all = append(all, &sdk.NamespacedNameResource{Name: to.Ptr(n.Name), Namespace: to.Ptr(n.Namespace)})
	}
	return all
}

// pointers returns pointers to texts; nil for an empty list, which is not sent.
func pointers(all []string) []*string {
	if len(all) == 0 {
		return nil
	}
	return to.SliceOfPtrs(all...)
}

func texts(all map[string]string) map[string]*string {
	if len(all) == 0 {
		return nil
	}
	p := make(map[string]*string, len(all))
	for name, text := range all {
		p[name] = to.Ptr(text)
	}
	return p
}
