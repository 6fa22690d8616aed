package dataprotection

import (
	"fmt"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	sdk "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/dataprotection/armdataprotection/v3"

	"azbackupflow/internal/arm/resourceid"
)

// Datasource types of PostgreSQL, as policies spell them.
const (
	// DatasourceFlexibleServer is a PostgreSQL flexible server, backed up as a
	// whole.
	DatasourceFlexibleServer = "Microsoft.DBforPostgreSQL/flexibleServers"
	// DatasourceDatabase is one database of a PostgreSQL single server, a
	// retired server type whose backups remain.
	DatasourceDatabase = "Microsoft.DBforPostgreSQL/servers/databases"
	// typeServer is the type of a database's server, a set of datasources.
	typeServer = "Microsoft.DBforPostgreSQL/servers"
)

// Datasource is what is backed up or restored to, or the set that it belongs
// to. Empty fields are not sent.
type Datasource struct {
	// ResourceID is the resource's id, sent as resourceID.
	ResourceID       string
	ResourceName     string
	ResourceType     string
	ResourceURI      string
	ResourceLocation string
	// DatasourceType is such as DatasourceFlexibleServer; a set bears that of
	// its members.
	DatasourceType string
}

// DatasourceOf describes a resource as a datasource, by its resource id and
// region, as the Azure CLI was recorded to do. set is the server of a database
// and nil for a server, which belongs to no other. Its errors say in words what
// is wrong with the id.
func DatasourceOf(resourceID, location string) (ds Datasource, set *Datasource, err error) {
	r, err := resourceid.Parse(resourceID)
	if err != nil {
		return Datasource{}, nil, err
	}
	home := r.Parent
	if len(r.ResourceType.Types) == 2 && home != nil {
		home = home.Parent
	}
	if home == nil || !strings.EqualFold(home.ResourceType.String(), "Microsoft.Resources/resourceGroups") {
		return Datasource{}, nil, fmt.Errorf("it is the id of a %s, which cannot be backed up", r.ResourceType)
	}
	kind := spelt(r.ResourceType.String())
	ds = Datasource{
		ResourceID: resourceID, ResourceName: r.Name, ResourceType: kind, ResourceURI: resourceID,
		ResourceLocation: location, DatasourceType: kind,
	}
	if len(r.ResourceType.Types) < 2 {
		return ds, nil, nil
	}
	// The parent's id keeps the casing that was given.
	parts := strings.Split(strings.TrimSuffix(resourceID, "/"), "/")
	return ds, &Datasource{
		ResourceID: strings.Join(parts[:len(parts)-2], "/"), ResourceName: r.Parent.Name, ResourceType: spelt(r.Parent.ResourceType.String()),
		ResourceLocation: location, DatasourceType: kind,
	}, nil
}

// spelt is a resource type in the casing that policies know, where it is one of
// PostgreSQL's.
func spelt(kind string) string {
	for _, known := range []string{DatasourceFlexibleServer, DatasourceDatabase, typeServer} {
		if strings.EqualFold(kind, known) {
			return known
		}
	}
	return kind
}

func (d Datasource) member() *sdk.Datasource {
	return &sdk.Datasource{
		ObjectType: to.Ptr("Datasource"), ResourceID: to.Ptr(d.ResourceID), ResourceName: given(d.ResourceName),
		ResourceType: given(d.ResourceType), ResourceURI: given(d.ResourceURI), ResourceLocation: given(d.ResourceLocation),
		DatasourceType: given(d.DatasourceType),
	}
}

func (d *Datasource) set() *sdk.DatasourceSet {
	if d == nil {
		return nil
	}
	return &sdk.DatasourceSet{
		ObjectType: to.Ptr("DatasourceSet"), ResourceID: to.Ptr(d.ResourceID), ResourceName: given(d.ResourceName),
		ResourceType: given(d.ResourceType), ResourceURI: given(d.ResourceURI), ResourceLocation: given(d.ResourceLocation),
		DatasourceType: given(d.DatasourceType),
	}
}

// secret is the credentials by the URI of a Key Vault secret; nil without one.
func secret(uri string) sdk.AuthCredentialsClassification {
	if uri == "" {
		return nil
	}
	return &sdk.SecretStoreBasedAuthCredentials{SecretStoreResource: &sdk.SecretStoreResource{
		SecretStoreType: to.Ptr(sdk.SecretStoreTypeAzureKeyVault), URI: to.Ptr(uri),
	}}
}

// given is a pointer to a text, nil if it is empty.
func given(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
