package flow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/arm/dataprotection"
	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

// ProtectPostgres asks for a PostgreSQL flexible server to be put under a
// policy of a Backup vault.
// Source: learn.microsoft.com, "Back up Azure Database for PostgreSQL -
// Flexible servers using REST API".
type ProtectPostgres struct {
	// VaultID is the Backup vault, ServerID the flexible server, Location the
	// server's region, such as westeurope.
	VaultID  string `json:"vaultId"`
	ServerID string `json:"serverId"`
	Location string `json:"location"`
	// Policy is the name of one of the vault's policies, or its resource id.
	Policy string `json:"policy"`
	// InstanceName is the backup instance's; without one it is the server's
	// name and an id that is derived from the server's resource id, so that a
	// repeat is the same instance.
	InstanceName string `json:"instanceName,omitempty"`
}

func checkProtectPostgres(raw json.RawMessage) (json.RawMessage, error) {
	var p ProtectPostgres
	if err := step.Decode(raw, &p, "parameters"); err != nil {
		return nil, err
	}
	var c checks
	vault := c.backupVault("vaultId", p.VaultID)
	c.server("serverId", p.ServerID, dataprotection.DatasourceFlexibleServer)
	if p.Location == "" {
		c.add("location", "is missing", "the server's region, such as westeurope")
	}
	p.Policy = c.backupPolicy("policy", p.Policy, vault)
	if p.InstanceName == "" {
		p.InstanceName = InstanceName(p.ServerID)
	}
	if strings.ContainsAny(p.InstanceName, "/?#%\\ ") {
		c.add("instanceName", fmt.Sprintf("%q is not a backup instance's name", p.InstanceName), "letters, digits and hyphens")
	}
	return c.done(p)
}

// InstanceName derives the name of a server's backup instance: the server's
// name and an id made from its resource id.
func InstanceName(serverID string) string {
	name := serverID[strings.LastIndexByte(serverID, '/')+1:]
	return name + "-" + uuid.NewSHA1(uuid.NameSpaceURL, []byte(strings.ToLower(serverID))).String()
}

// backupPolicy checks a policy of a Backup vault given by name or by id, and
// gives its name.
func (c *checks) backupPolicy(field, value string, vault resourceid.VaultID) string {
	want := "the name of a policy of the vault, or its resource id"
	if value == "" {
		c.add(field, "is missing", want)
		return ""
	}
	if !strings.HasPrefix(value, "/") {
		return value
	}
	head, name, found := cutLastFold(value, "/backupPolicies/")
	parent, err := resourceid.ParseVaultID(head, resourceid.BackupVault)
	switch {
	case !found || err != nil:
		c.add(field, fmt.Sprintf("%q is not the resource id of a backup policy", value), wantBackupVault+"/backupPolicies/{policy}")
	case !parent.Equal(vault):
		c.add(field, "belongs to vault "+parent.Name, "a policy of the vault in vaultId")
	}
	return name
}

func (a azure) protectPostgres() step.Flow {
	return step.Flow{
		Name: "protect-postgres", Version: 1, Item: protectedServerKey,
		Summary:  "validate and configure the backup of a PostgreSQL flexible server, until it is protected",
		Deadline: 12 * time.Hour,
		Priority: operation.PriorityProtect,
		Check:    checkProtectPostgres,
		Steps: []step.Step{
			{Name: "check-policy", Effect: step.Read, Run: forServer(a.checkServerPolicy)},
			{Name: "find-instance", Effect: step.Read, Run: forServer(a.findInstance)},
			{Name: "validate", Effect: step.Repeatable, Run: forServer(a.validateServer)},
			a.awaitOperation("await-validation", awaited{retry: "validate", protected: "find-existing", onlyAsks: true, what: "the validation"}),
			{Name: "configure", Effect: step.Idempotent, Run: forServer(a.configureServer)},
			a.awaitOperation("await-configuration", awaited{retry: "validate", protected: "find-existing", what: "the configuration of the backup"}),
			{Name: "await-protection", Effect: step.Read, Run: forServer(a.awaitProtection)},
			// Only where Azure said that the server is protected already.
			{Name: "find-existing", Effect: step.Read, Run: forServer(a.findExisting)},
		},
	}
}

// server is what the steps of protect-postgres work on.
type server struct {
	ProtectPostgres
	instance dataprotection.InstanceID
}

func forServer(run func(context.Context, step.Call, server) (operation.Outcome, error)) func(context.Context, step.Call) (operation.Outcome, error) {
	return func(ctx context.Context, c step.Call) (operation.Outcome, error) {
		var s server
		if err := json.Unmarshal(c.Operation.Parameters, &s.ProtectPostgres); err != nil {
			return operation.Outcome{}, fatal("ParametersUnreadable", err.Error())
		}
		vault, err := resourceid.ParseVaultID(s.VaultID, resourceid.BackupVault)
		if err != nil {
			return operation.Outcome{}, fatal("ParametersUnreadable", err.Error())
		}
		s.instance = dataprotection.InstanceID{Vault: vault, Name: s.InstanceName}
		return run(ctx, c, s)
	}
}

func (a azure) checkServerPolicy(ctx context.Context, c step.Call, s server) (operation.Outcome, error) {
	policy, err := a.dataProtection(c).GetPolicy(ctx, s.instance.Vault, s.Policy)
	if isNotFound(err) {
		return operation.Outcome{}, fatal("PolicyNotFound",
			fmt.Sprintf("vault %s or its policy %s does not exist, or may not be read", s.instance.Vault.Name, s.Policy),
			"Check parameters.vaultId and parameters.policy: `az dataprotection backup-policy list` lists the vault's policies.")
	}
	if err != nil {
		return operation.Outcome{}, err
	}
	fits := slices.ContainsFunc(policy.DatasourceTypes, func(t string) bool { return strings.EqualFold(t, dataprotection.DatasourceFlexibleServer) })
	if !fits {
		return operation.Outcome{}, fatal("PolicyDoesNotFit",
			fmt.Sprintf("policy %s is for %s, not for PostgreSQL flexible servers", policy.Name, strings.Join(policy.DatasourceTypes, ", ")),
			"Name a policy whose datasource type is "+dataprotection.DatasourceFlexibleServer+".")
	}
	return learn(next("policy "+policy.Name+" fits flexible servers"), map[string]string{learnedPolicy: policy.ID}), nil
}

// findInstance looks whether the vault has the instance already.
func (a azure) findInstance(ctx context.Context, c step.Call, s server) (operation.Outcome, error) {
	instance, err := a.dataProtection(c).GetInstance(ctx, s.instance)
	if isNotFound(err) {
		return next("the server has no backup instance " + s.instance.Name + " yet"), nil
	}
	if err != nil {
		return operation.Outcome{}, err
	}
	if !resourceid.Equal(instance.DatasourceID, s.ServerID) {
		return operation.Outcome{}, fatal("InstanceNameTaken", fmt.Sprintf("backup instance %s protects %s", s.instance.Name, instance.DatasourceID),
			"Name another parameters.instanceName, or none.")
	}
	return a.asFound(c, instance)
}

// asFound goes on from an instance of the server that is there already.
func (a azure) asFound(c step.Call, instance dataprotection.Instance) (operation.Outcome, error) {
	if err := unusable(instance); err != nil {
		return operation.Outcome{}, err
	}
	if err := samePolicy(instance, c.Operation.Learned[learnedPolicy]); err != nil {
		return operation.Outcome{}, err
	}
	facts := factsOfInstance(instance)
	switch instance.CurrentProtectionState {
	case dataprotection.StateProtectionConfigured:
		return learn(operation.Outcome{Kind: operation.Finish, Note: "already protected, as " + instance.Name}, facts), nil
	case dataprotection.StateConfiguringProtection, dataprotection.StateUpdatingProtection:
		return learn(skipTo("await-protection", "protection is being configured already"), facts), nil
	}
	return learn(skipTo("validate", "the backup instance is there, "+instance.CurrentProtectionState), facts), nil
}

// request describes the server as it is put under the policy.
func (s server) request(c step.Call) (dataprotection.InstanceRequest, error) {
	datasource, _, err := dataprotection.DatasourceOf(s.ServerID, s.Location)
	if err != nil {
		return dataprotection.InstanceRequest{}, fatal("ParametersUnreadable", err.Error())
	}
	return dataprotection.InstanceRequest{
		FriendlyName: datasource.ResourceName, Datasource: datasource, PolicyID: c.Operation.Learned[learnedPolicy],
	}, nil
}

func (a azure) validateServer(ctx context.Context, c step.Call, s server) (operation.Outcome, error) {
	request, err := s.request(c)
	if err != nil {
		return operation.Outcome{}, err
	}
	submitted, err := a.dataProtection(c).ValidateForBackup(ctx, s.instance.Vault, request)
	return orProtected(accepted(submitted, "Azure checks whether the server can be protected"), err)
}

func (a azure) configureServer(ctx context.Context, c step.Call, s server) (operation.Outcome, error) {
	request, err := s.request(c)
	if err != nil {
		return operation.Outcome{}, err
	}
	submitted, err := a.dataProtection(c).PutInstance(ctx, s.instance, request)
	return orProtected(accepted(submitted, "the backup is being configured"), err)
}

// learnedProtected is what Azure said of a datasource that is protected
// already.
const learnedProtected = "alreadyProtected"

// orProtected looks for the instance where Azure says that the server is
// protected already.
func orProtected(out operation.Outcome, err error) (operation.Outcome, error) {
	var known *operation.Error
	if errors.As(err, &known) && alreadyProtected(known) {
		return learn(skipTo("find-existing", known.Message), map[string]string{learnedProtected: known.Message}), nil
	}
	if err != nil {
		return operation.Outcome{}, err
	}
	return out, nil
}

// awaitProtection reads the instance: the PUT's Succeeded does not mean that
// the server is protected, ProtectionConfigured does.
func (a azure) awaitProtection(ctx context.Context, c step.Call, s server) (operation.Outcome, error) {
	id := s.instance
	if found, err := foundInstance(c); err == nil {
		id = found
	}
	instance, err := a.dataProtection(c).GetInstance(ctx, id)
	if isNotFound(err) {
		return operation.Outcome{}, notYet("InstanceNotVisible", "the vault does not show the backup instance yet")
	}
	if err != nil {
		return operation.Outcome{}, err
	}
	facts := factsOfInstance(instance)
	switch instance.CurrentProtectionState {
	case dataprotection.StateProtectionConfigured:
		return learn(operation.Outcome{Kind: operation.Finish, Note: "protected with policy " + s.Policy + ", as " + instance.Name}, facts), nil
	case dataprotection.StateProtectionError, dataprotection.StateConfiguringProtectionFailed:
		return learn(backTo("validate", broken(instance)), facts), nil
	}
	return learn(operation.Outcome{Kind: operation.Wait, Pace: operation.PaceJob, Note: "the instance is " + instance.CurrentProtectionState}, facts), nil
}

// broken is why an instance that exists is not protected.
func broken(i dataprotection.Instance) *operation.Error {
	if err := i.Failure(); err != nil {
		return err
	}
	return fatal("NotProtected", fmt.Sprintf("backup instance %s is %s, and Azure does not say why", i.Name, i.CurrentProtectionState),
		"Look at the backup instance in the vault.")
}

// findExisting looks for the instance by which the server is protected
// already: in this vault with this policy that is success.
func (a azure) findExisting(ctx context.Context, c step.Call, s server) (operation.Outcome, error) {
	instances, err := a.dataProtection(c).ListInstances(ctx, s.instance.Vault)
	if err != nil {
		return operation.Outcome{}, err
	}
	for _, instance := range instances {
		if !resourceid.Equal(instance.DatasourceID, s.ServerID) {
			continue
		}
		out, err := a.asFound(c, instance)
		if err == nil && out.Next == "validate" {
			// Validating once more would only say again that it is there.
			return operation.Outcome{}, final(broken(instance))
		}
		return out, err
	}
	return operation.Outcome{}, &operation.Error{
		Code: azerr.CodeAlreadyProtected, Class: operation.Fatal, Message: c.Operation.Learned[learnedProtected],
		RecommendedAction: []string{"Another vault protects the server; the message says which. Delete its backup instance there first, if that is what you want."},
	}
}
