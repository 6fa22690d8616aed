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

// A datasource that does not exist: its entry in the table, and the only file of
// its flow.

// toyKind is the entry.
func toyKind() kinds.Kind {
	const toys = "Microsoft.Toys/boxes"
	return kinds.Kind{
		Type: toys, Name: "toy box", SourceType: toys, ResourceType: toys, APIVersion: "2025-07-01", Set: kinds.SameSet,
		Rules: []string{"BackupDaily"}, BackupType: "Full",
		Restores: []kinds.Restore{{Store: kinds.StoreVault, Target: kinds.TargetContainer}},
		Roles:    []kinds.RoleNeed{{ID: "00000000-0000-0000-0000-00000000toys", Name: "Toy Backup Reader", On: kinds.OnSource}},
	}
}

// ProtectToy protects a toy box.
type ProtectToy struct {
	VaultID  string `json:"vaultId"`
	ToyID    string `json:"toyId"`
	Location string `json:"location"`
	Policy   string `json:"policy"`
	ProtectOptions
}

func (p ProtectToy) protection() protection {
	return protection{kind: toyKind().Type, vaultID: p.VaultID, sourceID: p.ToyID, location: p.Location, policy: p.Policy, ProtectOptions: p.ProtectOptions}
}

func checkProtectToy(c *checks, p *ProtectToy) {
	c.resource("toyId", p.ToyID, toyKind().SourceType, toyKind().Name, wantResource(toyKind().SourceType))
	p.Policy, p.ProtectOptions = c.protectIn(p.VaultID, p.ToyID, toyKind().Type, p.Location, p.Policy, p.ProtectOptions)
}

func (a azure) protectToy() Definition {
	return Definition{
		Flow: step.Flow{
			Name: "protect-toy", Version: 1, Item: parameterKey(func(p ProtectToy) string { return resourceKey(p.ToyID) }),
			Summary: "protect a toy box", Deadline: time.Hour, Priority: operation.PriorityProtect,
			Check: check(checkProtectToy), Steps: protectSteps[ProtectToy](a),
		},
		Role: roles.Protect,
		Parameters: func() schema.Parameters {
			return schema.Parameters{Type: reflect.TypeFor[ProtectToy](), Fields: protectFields("toy box").With(schema.Fields{
				"toyId": {Required: true, Meaning: "resource ID of the toy box", Rule: schema.Matches(schema.ResourceID(toyKind().SourceType))},
			})}
		},
		Intro: "Protects a toy box.", Notes: notesOfProtection(toyKind()),
	}
}

// ToyFlows returns the flow of a datasource that one entry adds to the table.
func ToyFlows(cfg Config) ([]Definition, error) {
	a, err := newAzure(cfg)
	if err != nil {
		return nil, err
	}
	a.kinds = append(a.kinds, toyKind())
	return []Definition{a.protectToy()}, nil
}
