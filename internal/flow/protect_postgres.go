package flow

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/arm/dataprotection"
	"azbackupflow/internal/arm/dataprotection/kinds"
	"azbackupflow/internal/arm/resourceid"
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
	// InstanceName is the name of the backup instance; empty means InstanceName of
	// the server.
	InstanceName string `json:"instanceName,omitempty"`
}

func checkProtectPostgres(c *checks, p *ProtectPostgres) {
	vault := c.backupVault("vaultId", p.VaultID)
	c.server("serverId", p.ServerID, kinds.DatasourceFlexibleServer)
	if p.Location == "" {
		c.add("location", "is missing", "the server's region, such as westeurope")
	}
	p.Policy = c.backupPolicy("policy", p.Policy, vault)
	if p.InstanceName == "" {
		p.InstanceName = InstanceName(p.ServerID)
	}
	if strings.ContainsAny(p.InstanceName, "/?#%\\ ") {
		c.add("instanceName", fmt.Sprintf("%q is not the name of a backup instance", p.InstanceName), "letters, digits and hyphens")
	}
}

func protectPostgresParameters() schema.Parameters {
	return schema.Parameters{
		Type: reflect.TypeFor[ProtectPostgres](),
		Fields: schema.Fields{
			"vaultId":  {Required: true, Meaning: "resource ID of the Backup vault", Rule: backupVaultRule()},
			"serverId": {Required: true, Meaning: "resource ID of the flexible server", Rule: serverRule(kinds.DatasourceFlexibleServer)},
			"location": {Required: true, Meaning: "region of the server, such as `westeurope`", Rule: schema.NotEmpty()},
			"policy":   {Required: true, Meaning: "name of one of the vault's policies, or its resource ID. It must be for flexible servers", Rule: backupPolicyRule()},
			"instanceName": {
				Meaning: "name of the backup instance; default: the server's name and an ID derived from its resource ID, so that a repeat is the same instance",
				Rule:    schema.Object{"pattern": `^[^/?#%\\ ]+$`},
			},
		},
	}
}

// InstanceName derives the name of a server's backup instance: the server's name
// and an ID derived from its resource ID, so that a repeat is the same instance.
func InstanceName(serverID string) string {
	return resourceid.LastName(serverID) + "-" + uuid.NewSHA1(uuid.NameSpaceURL, []byte(strings.ToLower(serverID))).String()
}

func (a azure) protectPostgres() Definition {
	return Definition{
		Flow: step.Flow{
			Name: "protect-postgres", Version: 1,
			Item:     parameterKey(func(p ProtectPostgres) string { return resourceKey(p.ServerID) }),
			Summary:  "validate and configure the backup of a PostgreSQL flexible server, until it is protected",
			Deadline: 12 * time.Hour,
			Priority: operation.PriorityProtect,
			Check:    check(checkProtectPostgres),
			Steps:    a.protectPostgresSteps(),
		},
		Role:       roles.Protect,
		Parameters: protectPostgresParameters,
		Intro: "Protects a PostgreSQL flexible server with a policy of a Backup vault. It is done when the vault reports " +
			"`ProtectionConfigured`, which happens some time after the configuration has succeeded. Single servers are a retired server type " +
			"that can no longer be protected.",
		Notes: "A role that the vault's identity lacks is waited for, because role assignments take effect slowly: the flow validates again " +
			"for about 45 minutes, and then reports Azure's recommended action. An instance that becomes `ProtectionError` is written again at the same pace.",
		Examples: []Example{{
			File: "protect-postgres", About: "pgflextestserver", Key: "protect-pgflextestserver", Deadline: "PT12H", Labels: team("databases"),
			Parameters: ProtectPostgres{VaultID: exampleBackupVault, ServerID: exampleServer, Location: "westus", Policy: "pgflexpol1"}, Cost: "a server",
		}},
	}
}

func (a azure) protectPostgresSteps() []step.Step {
	return []step.Step{
		{
			Name: "check-policy", Effect: step.Read, Run: forServer(a.checkServerPolicy), Calls: []string{"BackupPolicies_Get"},
			Asks: "reads the policy", Then: "a policy that does not exist or is not for flexible servers is rejected",
		},
		{
			Name: "find-instance", Effect: step.Read, Run: forServer(a.findInstance), Calls: []string{"BackupInstances_Get"},
			Asks: "reads the backup instance", Then: "protected with this policy: done. Protected with another policy: reported, never changed. A protection error continues with `configure`",
		},
		{
			Name: "validate", Effect: step.Repeatable, Run: forServer(a.validateServer), Calls: []string{"BackupInstances_ValidateForBackup"},
			Asks: "validates that the server can be protected", Then: "a server that is already protected continues with `find-existing`",
		},
		a.awaitOperation("await-validation", operationWait{retry: "validate", protected: "find-existing", validates: true, what: validationOfServer}),
		{
			Name: "configure", Effect: step.Idempotent, Run: forServer(a.configureServer), Calls: []string{"BackupInstances_CreateOrUpdate"},
			Asks: "writes the backup instance",
		},
		a.awaitOperation("await-configuration", operationWait{retry: "validate", protected: "find-existing", what: "the configuration of the backup"}),
		{
			Name: "await-protection", Effect: step.Read, Run: forServer(a.awaitProtection), Calls: []string{"BackupInstances_Get"},
			Asks: "reads the backup instance until it is `ProtectionConfigured`", Then: "a protection error goes back to `configure`, at the pace of missing permissions",
		},
		{
			Name: "find-existing", Effect: step.Read, Run: forServer(a.findExisting), Calls: []string{"BackupInstances_List", "DeletedBackupInstances_List"},
			Asks: "lists the vault's backup instances, and the soft-deleted ones",
			Then: "only if Azure reported that the server is already protected. In this vault with this policy: done. Otherwise the error contains where, and the purge date of a soft-deleted instance",
		},
	}
}

// server holds the parameters and the backup instance of protect-postgres.
type server struct {
	ProtectPostgres
	instance dataprotection.InstanceID
}

// forServer passes a step the server that it works on.
func forServer(f func(context.Context, step.Call, server) (operation.Outcome, error)) run {
	return with(func(ctx context.Context, c step.Call, p ProtectPostgres) (operation.Outcome, error) {
		vault, err := resourceid.ParseVaultID(p.VaultID, resourceid.BackupVault)
		if err != nil {
			return operation.Outcome{}, unreadable(err)
		}
		return f(ctx, c, server{ProtectPostgres: p, instance: dataprotection.InstanceID{Vault: vault, Name: p.InstanceName}})
	})
}

// checkServerPolicy rejects a policy that the vault does not have or that is not
// for flexible servers.
func (a azure) checkServerPolicy(ctx context.Context, c step.Call, s server) (operation.Outcome, error) {
	policy, err := a.dataProtection(c).GetPolicy(ctx, s.instance.Vault, s.Policy)
	if azerr.IsNotFound(err) {
		return operation.Outcome{}, fatal("PolicyNotFound",
			fmt.Sprintf("policy %q not found in vault %q, or not readable", s.Policy, s.instance.Vault.Name),
			"Check parameters.vaultId and parameters.policy: `az dataprotection backup-policy list` lists the vault's policies.")
	}
	if err != nil {
		return operation.Outcome{}, err
	}
	fits := slices.ContainsFunc(policy.DatasourceTypes, func(t string) bool { return strings.EqualFold(t, kinds.DatasourceFlexibleServer) })
	if !fits {
		return operation.Outcome{}, fatal("PolicyDoesNotFit",
			fmt.Sprintf("policy %s is for %s, not for PostgreSQL flexible servers", policy.Name, strings.Join(policy.DatasourceTypes, ", ")),
			"Name a policy whose datasource type is "+kinds.DatasourceFlexibleServer+".")
	}
	return learn(next("policy "+policy.Name+" fits flexible servers"), map[string]string{learnedPolicy: policy.ID}), nil
}

// findInstance finds out whether the vault already has the instance.
func (a azure) findInstance(ctx context.Context, c step.Call, s server) (operation.Outcome, error) {
	instance, err := a.dataProtection(c).GetInstance(ctx, s.instance)
	if azerr.IsNotFound(err) {
		return next("the server has no backup instance " + s.instance.Name + " yet"), nil
	}
	if err != nil {
		return operation.Outcome{}, err
	}
	if !resourceid.Equal(instance.DatasourceID, s.ServerID) {
		return operation.Outcome{}, fatal("InstanceNameTaken", fmt.Sprintf("backup instance %s protects %s", s.instance.Name, instance.DatasourceID),
			"Send the request again with another parameters.instanceName, or without one.")
	}
	return fromExisting(c, instance)
}

// fromExisting continues from an instance of the server that already exists.
func fromExisting(c step.Call, instance dataprotection.Instance) (operation.Outcome, error) {
	by := treatInstance(instance).protect
	if err := rejectedInstance(instance, by); err != nil {
		return operation.Outcome{}, err
	}
	if err := otherPolicy(instance, c.Operation.Learned[learnedPolicy]); err != nil {
		return operation.Outcome{}, err
	}
	facts := factsOfInstance(instance)
	switch by {
	case finished:
		return learn(finish("already protected, as "+instance.Name), facts), nil
	case await:
		return learn(skipTo("await-protection", "the backup instance is "+instance.CurrentProtectionState), facts), nil
	case proceed, repair, reject:
	}
	// Azure reports such a server as already protected, so a validation fails.
	return learn(skipTo("configure", "the backup instance exists, "+instance.CurrentProtectionState), facts), nil
}

// request returns the body of the backup instance.
func (s server) request(c step.Call) (dataprotection.InstanceRequest, error) {
	kind, _ := kinds.Find(kinds.All(), kinds.DatasourceFlexibleServer)
	datasource, _, err := dataprotection.Describe(kind, s.ServerID, s.Location)
	if err != nil {
		return dataprotection.InstanceRequest{}, unreadable(err)
	}
	return dataprotection.InstanceRequest{
		Kind: kind, FriendlyName: datasource.ResourceName, Datasource: datasource, PolicyID: c.Operation.Learned[learnedPolicy],
	}, nil
}

func (a azure) validateServer(ctx context.Context, c step.Call, s server) (operation.Outcome, error) {
	request, err := s.request(c)
	if err != nil {
		return operation.Outcome{}, err
	}
	submitted, err := a.dataProtection(c).ValidateForBackup(ctx, s.instance.Vault, request)
	return orProtected(acceptedValidation(submitted, err, validationOfServer, "Azure validates that the server can be protected"))
}

func (a azure) configureServer(ctx context.Context, c step.Call, s server) (operation.Outcome, error) {
	request, err := s.request(c)
	if err != nil {
		return operation.Outcome{}, err
	}
	submitted, err := a.dataProtection(c).PutInstance(ctx, s.instance, request)
	return orProtected(accepted(submitted, err, "the backup is being configured"))
}

// orProtected continues with find-existing if Azure reports that the server is
// already protected.
func orProtected(out operation.Outcome, err error) (operation.Outcome, error) {
	var known *operation.Error
	if errors.As(err, &known) && alreadyProtected(known) {
		return learn(skipTo("find-existing", known.Message), protectedFacts(known)), nil
	}
	if err != nil {
		return operation.Outcome{}, err
	}
	return out, nil
}

// awaitProtection reads the instance: Succeeded of the PUT does not mean that the
// server is protected, ProtectionConfigured does.
func (a azure) awaitProtection(ctx context.Context, c step.Call, s server) (operation.Outcome, error) {
	id := s.instance
	if found, err := foundInstance(c); err == nil {
		id = found
	}
	instance, err := a.dataProtection(c).GetInstance(ctx, id)
	if azerr.IsNotFound(err) {
		return operation.Outcome{}, notYet("InstanceNotVisible", "the vault does not show the backup instance yet")
	}
	if err != nil {
		return operation.Outcome{}, err
	}
	facts := factsOfInstance(instance)
	by := treatInstance(instance).protect
	if err := rejectedInstance(instance, by); err != nil {
		return operation.Outcome{}, err
	}
	switch by {
	case finished:
		return learn(finish("protected with policy "+s.Policy+", as "+instance.Name), facts), nil
	case repair:
		return learn(s.configureAgain(instance), facts), nil
	case proceed, await, reject:
	}
	return learn(waitAtJobPace("the instance is "+instance.CurrentProtectionState), facts), nil
}

// validationOfServer names the validation for people.
const validationOfServer = "the validation"

// configureAgain writes an own instance again, because Azure does not repair a
// failed protection by itself. It waits as for missing permissions, which are the
// usual reason. An instance of another name is somebody else's.
func (s server) configureAgain(instance dataprotection.Instance) operation.Outcome {
	failure := protectionFailure(instance)
	if !strings.EqualFold(instance.Name, s.instance.Name) {
		return backTo("configure", final(failure))
	}
	if instance.Failure() != nil && failure.Class == operation.Fatal {
		return backTo("configure", failure)
	}
	slow := *failure
	slow.Class = operation.UserAction
	return backTo("configure", &slow)
}

// findExisting finds the instance that already protects the server: in this vault
// with this policy it succeeds.
func (a azure) findExisting(ctx context.Context, c step.Call, s server) (operation.Outcome, error) {
	instances, err := a.dataProtection(c).ListInstances(ctx, s.instance.Vault)
	if err != nil {
		return operation.Outcome{}, err
	}
	for _, instance := range instances {
		if !resourceid.Equal(instance.DatasourceID, s.ServerID) {
			continue
		}
		out, err := fromExisting(c, instance)
		if err == nil && out.Next == "configure" {
			return learn(s.configureAgain(instance), factsOfInstance(instance)), nil
		}
		return out, err
	}
	if err := a.softDeletedInstance(ctx, c, s); err != nil {
		return operation.Outcome{}, err
	}
	return operation.Outcome{}, protectedElsewhere(c)
}

// softDeletedInstance returns the error of a server whose soft-deleted instance
// blocks a new one in the same vault; nil if there is none.
func (a azure) softDeletedInstance(ctx context.Context, c step.Call, s server) error {
	all, err := a.dataProtection(c).ListDeletedInstances(ctx, s.instance.Vault)
	if err != nil {
		return err
	}
	for _, deleted := range all {
		if resourceid.Equal(deleted.DatasourceID, s.ServerID) {
			return instanceSoftDeleted(deleted)
		}
	}
	return nil
}
