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
	// DatasourceFlexibleServer is a PostgreSQL flexible server with all its
	// databases.
	DatasourceFlexibleServer = "Microsoft.DBforPostgreSQL/flexibleServers"
	// DatasourceDatabase is a database of a PostgreSQL single server. That server
	// type is retired, but its backups remain.
	DatasourceDatabase = "Microsoft.DBforPostgreSQL/servers/databases"
	// typeServer is the type of a database's server, a set of datasources.
	typeServer = "Microsoft.DBforPostgreSQL/servers"
)

// Datasource is a datasource, or the set of datasources that it belongs to.
// Empty fields are not sent.
type Datasource struct {
	// ResourceID is sent as resourceID.
	ResourceID       string
	ResourceName     string
	ResourceType     string
	ResourceURI      string
	ResourceLocation string
	// DatasourceType is a type such as DatasourceFlexibleServer. A set has the
	// type of its members.
	DatasourceType string
}

// DatasourceOf describes a resource as a datasource, in the form that the Azure
// CLI was recorded to send. set is the server of a database, and nil for a
// server.
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
		return Datasource{}, nil, fmt.Errorf("resource ID has the type %s, which cannot be backed up", r.ResourceType)
	}
	kind := policySpelling(r.ResourceType.String())
	ds = Datasource{
		ResourceID: resourceID, ResourceName: r.Name, ResourceType: kind, ResourceURI: resourceID,
		ResourceLocation: location, DatasourceType: kind,
	}
	if len(r.ResourceType.Types) < 2 {
		return ds, nil, nil
	}
	// The parent's ID keeps the casing of resourceID.
	parts := strings.Split(strings.TrimSuffix(resourceID, "/"), "/")
	return ds, &Datasource{
		ResourceID: strings.Join(parts[:len(parts)-2], "/"), ResourceName: r.Parent.Name, ResourceType: policySpelling(r.Parent.ResourceType.String()),
		ResourceLocation: location, DatasourceType: kind,
	}, nil
}

// policySpelling returns a resource type of PostgreSQL in the casing of policies,
// and other types unchanged.
func policySpelling(kind string) string {
	for _, known := range []string{DatasourceFlexibleServer, DatasourceDatabase, typeServer} {
		if strings.EqualFold(kind, known) {
			return known
		}
	}
	return kind
}

// member returns the datasource as the API's type.
func (d Datasource) member() *sdk.Datasource {
	return &sdk.Datasource{
		ObjectType: to.Ptr("Datasource"), ResourceID: to.Ptr(d.ResourceID), ResourceName: optional(d.ResourceName),
		ResourceType: optional(d.ResourceType), ResourceURI: optional(d.ResourceURI), ResourceLocation: optional(d.ResourceLocation),
		DatasourceType: optional(d.DatasourceType),
	}
}

// set returns the set of datasources as the API's type.
func (d *Datasource) set() *sdk.DatasourceSet {
	if d == nil {
		return nil
	}
	return &sdk.DatasourceSet{
		ObjectType: to.Ptr("DatasourceSet"), ResourceID: to.Ptr(d.ResourceID), ResourceName: optional(d.ResourceName),
		ResourceType: optional(d.ResourceType), ResourceURI: optional(d.ResourceURI), ResourceLocation: optional(d.ResourceLocation),
		DatasourceType: optional(d.DatasourceType),
	}
}

// secret returns the credentials in a Key Vault secret; nil without one.
func secret(uri string) sdk.AuthCredentialsClassification {
	if uri == "" {
		return nil
	}
	return &sdk.SecretStoreBasedAuthCredentials{SecretStoreResource: &sdk.SecretStoreResource{
		SecretStoreType: to.Ptr(sdk.SecretStoreTypeAzureKeyVault), URI: to.Ptr(uri),
	}}
}

// optional returns a pointer to a text, nil if it is empty.
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
