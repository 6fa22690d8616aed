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

// ProtectPostgres protects a PostgreSQL flexible server with a policy of a Backup
// vault.
// Source: learn.microsoft.com, "Back up Azure Database for PostgreSQL -
// Flexible servers using REST API".
type ProtectPostgres struct {
	// VaultID is the Backup vault, ServerID the flexible server, Location the
	// server's region, such as westeurope.
	VaultID  string `json:"vaultId"`
	ServerID string `json:"serverId"`
	Location string `json:"location"`
	// Policy is the name or resource ID of one of the vault's policies.
	Policy string `json:"policy"`
	ProtectOptions
}

func (p ProtectPostgres) protection() protection {
	return protection{
		kind: kinds.DatasourceFlexibleServer, vaultID: p.VaultID, sourceID: p.ServerID, location: p.Location, policy: p.Policy, ProtectOptions: p.ProtectOptions,
	}
}

func checkProtectPostgres(c *checks, p *ProtectPostgres) {
	c.server("serverId", p.ServerID, kinds.DatasourceFlexibleServer)
	p.Policy, p.ProtectOptions = c.protectIn(p.VaultID, p.ServerID, kinds.DatasourceFlexibleServer, p.Location, p.Policy, p.ProtectOptions)
}

func protectPostgresParameters() schema.Parameters {
	return schema.Parameters{
		Type: reflect.TypeFor[ProtectPostgres](),
		Fields: protectFields("server").With(schema.Fields{
			"serverId": {Required: true, Meaning: "resource ID of the flexible server", Rule: serverRule(kinds.DatasourceFlexibleServer)},
		}),
	}
}

func (a azure) protectPostgres() Definition {
	entry, _ := a.kind(kinds.DatasourceFlexibleServer)
	return Definition{
		Flow: step.Flow{
			Name: "protect-postgres", Version: 1,
			Item:     parameterKey(func(p ProtectPostgres) string { return resourceKey(p.ServerID) }),
			Summary:  "validate and configure the backup of a PostgreSQL flexible server, until it is protected",
			Deadline: 12 * time.Hour,
			Priority: operation.PriorityProtect,
			Check:    check(checkProtectPostgres),
			Steps:    protectSteps[ProtectPostgres](a),
		},
		Role:       roles.Protect,
		Parameters: protectPostgresParameters,
		Intro: "Protects a PostgreSQL flexible server with a policy of a Backup vault. It is done when the vault reports " +
			"`ProtectionConfigured`, which happens some time after the configuration has succeeded. Single servers are a retired server type " +
			"that can no longer be protected.",
		Notes: notesOfProtection(entry),
		Examples: []Example{{
			File: "protect-postgres", About: "pgflextestserver", Key: "protect-pgflextestserver", Deadline: "PT12H", Labels: team("databases"),
			Parameters: ProtectPostgres{VaultID: exampleBackupVault, ServerID: exampleServer, Location: "westus", Policy: "pgflexpol1"}, Cost: "a server",
		}},
	}
}
