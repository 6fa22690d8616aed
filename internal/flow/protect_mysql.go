package flow

import (
	"reflect"
	"time"

	"azbackupflow/internal/arm/dataprotection/kinds"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/roles"
	"azbackupflow/internal/schema"
	"azbackupflow/internal/step"
)

// ProtectMySQL protects a MySQL flexible server with a policy of a Backup vault.
type ProtectMySQL struct {
	// VaultID is the Backup vault, ServerID the flexible server, Location the
	// server's region, Policy the name or resource ID of one of the vault's
	// policies.
	VaultID  string `json:"vaultId"`
	ServerID string `json:"serverId"`
	Location string `json:"location"`
	Policy   string `json:"policy"`
	ProtectOptions
}

func (p ProtectMySQL) protection() protection {
	return protection{
		kind: kinds.DatasourceMySQL, vaultID: p.VaultID, sourceID: p.ServerID, location: p.Location, policy: p.Policy, ProtectOptions: p.ProtectOptions,
	}
}

func checkProtectMySQL(c *checks, p *ProtectMySQL) {
	c.resource("serverId", p.ServerID, kinds.DatasourceMySQL, kinds.NameOf(kinds.DatasourceMySQL), wantResource(kinds.DatasourceMySQL))
	p.Policy, p.ProtectOptions = c.protectIn(p.VaultID, p.ServerID, kinds.DatasourceMySQL, p.Location, p.Policy, p.ProtectOptions)
}

func protectMySQLParameters() schema.Parameters {
	return schema.Parameters{
		Type: reflect.TypeFor[ProtectMySQL](),
		Fields: protectFields("server").With(schema.Fields{
			"serverId": {Required: true, Meaning: "resource ID of the flexible server", Rule: schema.Matches(schema.ResourceID(kinds.DatasourceMySQL))},
		}),
	}
}

func (a azure) protectMySQL() Definition {
	entry, _ := a.kind(kinds.DatasourceMySQL)
	return Definition{
		Flow: step.Flow{
			Name: "protect-mysql", Version: 1,
			Item:     parameterKey(func(p ProtectMySQL) string { return resourceKey(p.ServerID) }),
			Summary:  "validate and configure the backup of a MySQL flexible server, until it is protected",
			Deadline: 12 * time.Hour,
			Priority: operation.PriorityProtect,
			Check:    check(checkProtectMySQL),
			Steps:    protectSteps[ProtectMySQL](a),
		},
		Role:       roles.Protect,
		Parameters: protectMySQLParameters,
		Intro: "Protects a MySQL flexible server with a policy of a Backup vault. It is done when the vault reports `ProtectionConfigured`, " +
			"which happens some time after the configuration has succeeded.",
		Notes: notesOfProtection(entry),
		Examples: []Example{{
			File: "protect-mysql", About: "mysqltestserver", Key: "protect-mysqltestserver", Deadline: "PT12H", Labels: team("databases"),
			Cost:       "a server",
			Parameters: ProtectMySQL{VaultID: exampleBackupVault, ServerID: exampleMySQL, Location: "westus", Policy: "mysqlpol1"},
		}},
	}
}
