package dataprotection

import (
	"fmt"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	sdk "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/dataprotection/armdataprotection/v3"

	"azbackupflow/internal/arm/dataprotection/kinds"
	"azbackupflow/internal/arm/resourceid"
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

// Describe returns a resource as a datasource of kind k, in the form that the
// Azure CLI was recorded to send, and the set that it names; nil without one.
func Describe(k kinds.Kind, resourceID, location string) (ds Datasource, set *Datasource, err error) {
	r, err := resourceid.Parse(resourceID)
	if err != nil {
		return Datasource{}, nil, err
	}
	if !strings.EqualFold(r.ResourceType.String(), k.SourceType) || r.SubscriptionID == "" || r.ResourceGroupName == "" {
		return Datasource{}, nil, fmt.Errorf("resource ID has the type %s, which is not a %s", r.ResourceType, k.Name)
	}
	ds = Datasource{
		ResourceID: resourceID, ResourceName: r.Name, ResourceType: k.ResourceType, ResourceURI: resourceID,
		ResourceLocation: location, DatasourceType: k.Type,
	}
	switch k.Set {
	case kinds.NoSet:
		return ds, nil, nil
	case kinds.SameSet:
		same := ds
		return ds, &same, nil
	case kinds.ParentSet:
	}
	// The parent's ID keeps the casing of resourceID.
	parts := strings.Split(resourceID, "/")
	parentType, _, _ := cutLast(k.ResourceType, "/")
	return ds, &Datasource{
		ResourceID: strings.Join(parts[:len(parts)-2], "/"), ResourceName: r.Parent.Name, ResourceType: parentType,
		ResourceLocation: location, DatasourceType: k.Type,
	}, nil
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
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
