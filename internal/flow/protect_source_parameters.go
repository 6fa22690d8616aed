package flow

import (
	"fmt"
	"strings"

	"github.com/google/uuid"

	"azbackupflow/internal/arm/dataprotection"
	"azbackupflow/internal/arm/dataprotection/kinds"
	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/schema"
)

// protectable is implemented by the parameters of the flows that protect a
// datasource of a Backup vault.
type protectable interface{ protection() protection }

// protection is a request to protect a datasource.
type protection struct {
	// kind is the datasourceType.
	kind                                string
	vaultID, sourceID, location, policy string
	// friendlyName is empty if it is the name of the resource.
	friendlyName    string
	snapshotGroupID string
	containers      []string
	cluster         *dataprotection.ClusterSelection
	ProtectOptions
}

// ProtectOptions are the parameters that all datasources of Backup vaults have.
type ProtectOptions struct {
	// InstanceName is the name of the backup instance; empty means InstanceName of
	// the datasource.
	InstanceName string `json:"instanceName,omitempty"`
	// IdentityID is a user-assigned identity of the vault; empty means the vault's
	// system-assigned identity.
	IdentityID string `json:"identityId,omitempty"`
	// Tags are written to the backup instance.
	Tags map[string]string `json:"tags,omitempty"`
}

// protectFields describe the parameters that all datasources of Backup vaults
// have. source names the datasource in the texts.
func protectFields(source string) schema.Fields {
	return schema.Fields{
		"vaultId":  {Required: true, Meaning: "resource ID of the Backup vault", Rule: backupVaultRule()},
		"location": {Required: true, Meaning: "region of the " + source + ", such as `westeurope`; it must be the region of the vault", Rule: schema.NotEmpty()},
		"policy":   {Required: true, Meaning: "name of one of the vault's policies, or its resource ID. It must be for this type of datasource", Rule: backupPolicyRule()},
		"instanceName": {
			Meaning: "name of the backup instance; default: the name of the " + source + " and an ID derived from its resource ID, so that a repeat is the same instance",
			Rule:    schema.Object{"pattern": `^[^/?#%\\ ]+$`},
		},
		"identityId": identityField(),
		"tags":       {Meaning: "tags of the backup instance"},
	}
}

func identityField() schema.Field {
	return schema.Field{
		Meaning: "resource ID of a user-assigned identity of the vault, which then needs the roles; default: the vault's system-assigned identity",
		Rule:    schema.Matches(schema.ResourceID(identityType)),
	}
}

// identity checks the ID of a user-assigned identity, which may be missing.
func (c *checks) identity(field, id string) {
	if id != "" {
		c.resource(field, id, identityType, "user-assigned identity", wantIdentity)
	}
}

const (
	identityType = "Microsoft.ManagedIdentity/userAssignedIdentities"
	wantIdentity = "/subscriptions/{id}/resourceGroups/{group}/providers/" + identityType + "/{name}"
)

// protectIn checks the parameters that all datasources of Backup vaults have, and
// returns the normalized policy and options.
func (c *checks) protectIn(vaultID, sourceID, kind, location, policy string, o ProtectOptions) (string, ProtectOptions) {
	vault := c.backupVault("vaultId", vaultID)
	if location == "" {
		c.add("location", "is missing", "the region of the datasource, such as westeurope")
	}
	policy = c.backupPolicy("policy", policy, vault)
	if o.InstanceName == "" {
		o.InstanceName = instanceNameOf(kind, sourceID)
	}
	if strings.ContainsAny(o.InstanceName, "/?#%\\ ") {
		c.add("instanceName", fmt.Sprintf("%q is not the name of a backup instance", o.InstanceName), "letters, digits and hyphens")
	}
	c.identity("identityId", o.IdentityID)
	return policy, o
}

// InstanceName derives the name of a datasource's backup instance: the name of the
// resource and an ID derived from its resource ID, so that a repeat is the same
// instance.
func InstanceName(sourceID string) string { return instanceNameOf("", sourceID) }

// instanceNameOf is InstanceName for a kind of datasource. A storage account may be
// two datasources, so the second kind adds its type.
func instanceNameOf(kind, sourceID string) string {
	id := strings.ToLower(sourceID)
	if kind == kinds.DatasourceADLS {
		id += "/" + strings.ToLower(resourceid.LastName(kind))
	}
	return resourceid.LastName(sourceID) + "-" + uuid.NewSHA1(uuid.NameSpaceURL, []byte(id)).String()
}

// notesOfProtection returns what the documentation of the flow says about the
// roles of a kind of datasource.
func notesOfProtection(k kinds.Kind) string {
	var b strings.Builder
	b.WriteString("Azure needs these roles before the datasource can be protected:\n\n| identity | role | on |\n|---|---|---|\n")
	for _, r := range k.Roles {
		if r.Restore {
			continue
		}
		identity := "the vault's"
		if r.OfSource {
			identity = "the datasource's own"
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", identity, r.Name, r.On)
	}
	b.WriteString("\nA role that is missing is waited for, because role assignments take effect slowly: the flow validates again " +
		"for about 45 minutes, and then reports Azure's recommended action. An instance that becomes `ProtectionError` is written again at the same pace.")
	return b.String()
}
