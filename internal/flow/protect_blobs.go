package flow

import (
	"fmt"
	"reflect"
	"regexp"
	"time"

	"azbackupflow/internal/arm/dataprotection/kinds"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/roles"
	"azbackupflow/internal/schema"
	"azbackupflow/internal/step"
)

// ProtectBlobs protects the blobs of a storage account with a policy of a Backup
// vault.
type ProtectBlobs struct {
	// VaultID is the Backup vault, Location the account's region, Policy the name
	// or resource ID of one of the vault's policies.
	VaultID          string `json:"vaultId"`
	StorageAccountID string `json:"storageAccountId"`
	Location         string `json:"location"`
	Policy           string `json:"policy"`
	// Containers are copied to the vault. Without any, the policy must be one for
	// operational backup, which covers the whole account.
	Containers []string `json:"containers,omitempty"`
	// DataLake means that the account has a hierarchical namespace (Data Lake
	// Storage Gen2), which Azure Backup treats as a datasource of its own.
	DataLake bool `json:"dataLake,omitempty"`
	ProtectOptions
}

// kindOfBlobs returns the type of the datasource that an account is.
func kindOfBlobs(dataLake bool) string {
	if dataLake {
		return kinds.DatasourceADLS
	}
	return kinds.DatasourceBlob
}

func (p ProtectBlobs) protection() protection {
	return protection{
		kind: kindOfBlobs(p.DataLake), vaultID: p.VaultID, sourceID: p.StorageAccountID, location: p.Location, policy: p.Policy,
		containers: p.Containers, ProtectOptions: p.ProtectOptions,
	}
}

func checkProtectBlobs(c *checks, p *ProtectBlobs) {
	c.storageAccount("storageAccountId", p.StorageAccountID)
	c.blobContainers("containers", p.Containers)
	if p.DataLake && len(p.Containers) == 0 {
		c.add("containers", "is missing for a Data Lake Storage account", "the names of the containers to back up")
	}
	p.Policy, p.ProtectOptions = c.protectIn(p.VaultID, p.StorageAccountID, kindOfBlobs(p.DataLake), p.Location, p.Policy, p.ProtectOptions)
}

// containerPattern is Azure's rule for the names of blob containers, without the
// system containers that begin with $. maxContainers is the number that one
// backup or restore may have.
// https://learn.microsoft.com/rest/api/storageservices/naming-and-referencing-containers--blobs--and-metadata
const (
	containerPattern = `^[a-z0-9](-?[a-z0-9]){2,62}$`
	maxContainers    = 100
	wantContainer    = "3 to 63 lower-case letters, digits and single hyphens"
)

var containerName = regexp.MustCompile(containerPattern)

func isContainerName(name string) bool { return len(name) <= 63 && containerName.MatchString(name) }

// blobContainers checks the names of blob containers.
func (c *checks) blobContainers(field string, names []string) {
	seen := map[string]bool{}
	for i, name := range names {
		switch {
		case !isContainerName(name):
			c.add(fmt.Sprintf("%s[%d]", field, i), fmt.Sprintf("%q is not the name of a blob container", name), wantContainer)
		case seen[name]:
			c.add(fmt.Sprintf("%s[%d]", field, i), fmt.Sprintf("%q is listed twice", name), "each container once")
		}
		seen[name] = true
	}
	if len(names) > maxContainers {
		c.add(field, fmt.Sprintf("has %d containers", len(names)), fmt.Sprintf("at most %d", maxContainers))
	}
}

func containersRule() schema.Object {
	return schema.Object{
		"maxItems": maxContainers, "uniqueItems": true,
		"items": schema.Object{"type": "string", "minLength": 3, "maxLength": 63, "pattern": containerPattern},
	}
}

func protectBlobsParameters() schema.Parameters {
	return schema.Parameters{
		Type: reflect.TypeFor[ProtectBlobs](),
		Fields: protectFields("storage account").With(schema.Fields{
			"storageAccountId": {Required: true, Meaning: "resource ID of the storage account", Rule: storageAccountRule()},
			"containers": {
				When: "vaulted backup only, and required there", Rule: containersRule(),
				Meaning: "names of the containers that are copied to the vault, at most 100. Without them, the policy must be one for operational backup, which covers the whole account",
			},
			"dataLake": {Meaning: "`true`: the account has a hierarchical namespace (Data Lake Storage Gen2); it then needs `containers`"},
		}),
		Rules: schema.Object{"if": schema.Is("dataLake", true), "then": schema.Object{
			"required": []string{"containers"}, "properties": schema.Object{"containers": schema.Object{"minItems": 1}},
		}},
	}
}

func (a azure) protectBlobs() Definition {
	entry, _ := a.kind(kinds.DatasourceBlob)
	return Definition{
		Flow: step.Flow{
			Name: "protect-blobs", Version: 1,
			Item:     parameterKey(func(p ProtectBlobs) string { return resourceKey(p.StorageAccountID) }),
			Summary:  "validate and configure the backup of a storage account's blobs, until it is protected",
			Deadline: 12 * time.Hour,
			Priority: operation.PriorityProtect,
			Check:    check(checkProtectBlobs),
			Steps:    protectSteps[ProtectBlobs](a),
		},
		Role:       roles.Protect,
		Parameters: protectBlobsParameters,
		Intro: "Protects the blobs of a storage account with a policy of a Backup vault. The policy decides how: a policy without backup rules keeps " +
			"the whole account restorable to any time (operational backup), one with backup rules copies the named containers to the vault " +
			"(vaulted backup). It is done when the vault reports `ProtectionConfigured`.",
		Notes: notesOfProtection(entry) + "\n\nAzure puts a delete lock on an account with operational backup. The backups of Data Lake Storage accounts use a newer version of the API.",
		Examples: []Example{
			{
				File: "protect-blobs-operational", About: "account blobaccount1", Key: "protect-blobaccount1", Deadline: "PT12H", Labels: team("files"),
				Cost:       "an account, operational",
				Parameters: ProtectBlobs{VaultID: exampleBackupVault, StorageAccountID: exampleBlobs, Location: "westus", Policy: "blobpol1"},
			},
			{
				File: "protect-blobs-vaulted", About: "vaultedaccount1, vaulted", Key: "protect-vaultedaccount1", Deadline: "PT12H", Labels: team("files"),
				Parameters: ProtectBlobs{
					VaultID: exampleBackupVault, StorageAccountID: exampleVaulted, Location: "westus", Policy: "blobvaultpol1", Containers: []string{"invoices", "images"},
				},
			},
			{
				File: "protect-blobs-data-lake", About: "containers of datalake1", Key: "protect-datalake1", Deadline: "PT12H", Labels: team("files"),
				Parameters: ProtectBlobs{
					VaultID: exampleBackupVault, StorageAccountID: exampleDataLake, Location: "westus", Policy: "adlspol1", Containers: []string{"raw"}, DataLake: true,
				},
			},
		},
	}
}
