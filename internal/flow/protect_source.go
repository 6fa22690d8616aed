package flow

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/arm/dataprotection"
	"azbackupflow/internal/arm/dataprotection/kinds"
	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

// protectSteps returns the steps that protect a datasource of a Backup vault.
func protectSteps[P protectable](a azure) []step.Step {
	of := func(f func(context.Context, step.Call, protectedSource) (operation.Outcome, error)) run {
		return forProtection[P](a, f)
	}
	validation := operationWait{
		retry: "validate", protected: "find-existing", validates: true, what: validationOfSource, explain: a.explainValidation(kindOf[P]()),
	}
	return []step.Step{
		{
			Name: "check-policy", Effect: step.Read, Run: of(a.checkProtectionPolicy), Calls: []string{"BackupPolicies_Get"},
			Asks: "reads the policy", Then: "a policy that does not exist or is not for the datasource is rejected",
		},
		{
			Name: "find-instance", Effect: step.Read, Run: of(a.findInstance), Calls: []string{"BackupInstances_Get"},
			Asks: "reads the backup instance", Then: "protected with this policy: done. Protected with another policy: reported, never changed. A protection error continues with `configure`",
		},
		{
			Name: "validate", Effect: step.Repeatable, Run: of(a.validateProtection), Calls: []string{"BackupInstances_ValidateForBackup"},
			Asks: "validates that the datasource can be protected", Then: "a datasource that is already protected continues with `find-existing`",
		},
		a.awaitOperation("await-validation", validation),
		{
			Name: "configure", Effect: step.Idempotent, Run: of(a.configureProtection), Calls: []string{"BackupInstances_CreateOrUpdate"},
			Asks: "writes the backup instance",
		},
		a.awaitOperation("await-configuration", operationWait{retry: "validate", protected: "find-existing", what: "the configuration of the backup"}),
		{
			Name: "await-protection", Effect: step.Read, Run: of(a.awaitProtection), Calls: []string{"BackupInstances_Get"},
			Asks: "reads the backup instance until it is `ProtectionConfigured`", Then: "a protection error goes back to `configure`, at the pace of missing permissions",
		},
		{
			Name: "find-existing", Effect: step.Read, Run: of(a.findExisting), Calls: []string{"BackupInstances_List", "DeletedBackupInstances_List"},
			Asks: "lists the vault's backup instances, and the soft-deleted ones",
			Then: "only if Azure reported that the datasource is already protected. In this vault with this policy: done. Otherwise the error contains where, and the purge date of a soft-deleted instance",
		},
	}
}

// kindOf returns the datasource type that a flow protects if the request does not
// choose another.
func kindOf[P protectable]() string {
	var defaults P
	return defaults.protection().kind
}

// protectedSource is a request to protect a datasource, with its backup instance.
type protectedSource struct {
	protection
	entry    kinds.Kind
	instance dataprotection.InstanceID
}

// forProtection passes a step the datasource that it works on.
func forProtection[P protectable](a azure, f func(context.Context, step.Call, protectedSource) (operation.Outcome, error)) run {
	return with(func(ctx context.Context, c step.Call, parameters P) (operation.Outcome, error) {
		p := parameters.protection()
		vault, err := resourceid.ParseVaultID(p.vaultID, resourceid.BackupVault)
		if err != nil {
			return operation.Outcome{}, unreadable(err)
		}
		entry, known := a.kind(p.kind)
		if !known {
			return operation.Outcome{}, unreadable(fmt.Errorf("datasource type %q is unknown", p.kind))
		}
		return f(ctx, c, protectedSource{protection: p, entry: entry, instance: dataprotection.InstanceID{Vault: vault, Name: p.InstanceName}})
	})
}

// checkProtectionPolicy rejects a policy that the vault does not have or that is
// not for the datasource.
func (a azure) checkProtectionPolicy(ctx context.Context, c step.Call, s protectedSource) (operation.Outcome, error) {
	policy, err := a.readInstancePolicy(ctx, c, s.instance.Vault, s.policy)
	if err != nil {
		return operation.Outcome{}, err
	}
	if err := policyFits(policy, s.kind); err != nil {
		return operation.Outcome{}, err
	}
	if err := s.containersFit(policy); err != nil {
		return operation.Outcome{}, err
	}
	return learn(next("policy "+policy.Name+" is for a "+s.entry.Name), map[string]string{learnedPolicy: policy.ID, learnedDatasourceType: s.entry.Type}), nil
}

// containersFit returns the error of containers that the policy does not need, or
// that are missing: only a policy with backup rules copies containers to the
// vault.
func (s protectedSource) containersFit(policy dataprotection.Policy) *operation.Error {
	vaulted := len(policy.BackupRules) > 0
	switch {
	case s.entry.Parameters != kinds.ParametersBlob && s.entry.Parameters != kinds.ParametersADLS, vaulted == (len(s.containers) > 0):
		return nil
	case vaulted:
		return fatal("ContainersMissing", "parameters.containers: policy "+policy.Name+" backs up containers to the vault; the request names none",
			"Send the request again with the names of the containers, or with a policy for operational backup.")
	}
	return fatal("ContainersNotAllowed", "parameters.containers: policy "+policy.Name+" backs up the whole account continuously",
		"Send the request again without containers, or with a policy for vaulted backup.")
}

// findInstance finds out whether the vault already has the instance.
func (a azure) findInstance(ctx context.Context, c step.Call, s protectedSource) (operation.Outcome, error) {
	instance, err := a.dataProtection(c).GetInstance(ctx, s.instance)
	if azerr.IsNotFound(err) {
		return next("there is no backup instance " + s.instance.Name + " yet"), nil
	}
	if err != nil {
		return operation.Outcome{}, err
	}
	if !s.protects(instance) {
		return operation.Outcome{}, fatal("InstanceNameTaken", fmt.Sprintf("backup instance %s protects %s", s.instance.Name, instance.DatasourceID),
			"Send the request again with another parameters.instanceName, or without one.")
	}
	return fromExisting(c, instance)
}

// fromExisting continues from an instance of the datasource that already exists.
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
	// Azure reports such a datasource as already protected, so a validation fails.
	return learn(skipTo("configure", "the backup instance exists, "+instance.CurrentProtectionState), facts), nil
}

// request returns the body of the backup instance.
func (s protectedSource) request(c step.Call) (dataprotection.InstanceRequest, error) {
	datasource, set, err := dataprotection.Describe(s.entry, s.sourceID, s.location)
	if err != nil {
		return dataprotection.InstanceRequest{}, unreadable(err)
	}
	return dataprotection.InstanceRequest{
		Kind: s.entry, FriendlyName: cmp.Or(s.friendlyName, datasource.ResourceName), Datasource: datasource, DatasourceSet: set,
		PolicyID: c.Operation.Learned[learnedPolicy], SnapshotGroupID: s.snapshotGroupID, Containers: s.containers, Cluster: s.cluster,
		UserAssignedIdentityID: s.IdentityID, Tags: s.Tags,
	}, nil
}

// protects reports whether an instance protects the datasource. A storage account
// may be two datasources of different types.
func (s protectedSource) protects(i dataprotection.Instance) bool {
	return resourceid.Equal(i.DatasourceID, s.sourceID) && (i.DatasourceType == "" || strings.EqualFold(i.DatasourceType, s.kind))
}

func (a azure) validateProtection(ctx context.Context, c step.Call, s protectedSource) (operation.Outcome, error) {
	request, err := s.request(c)
	if err != nil {
		return operation.Outcome{}, err
	}
	submitted, err := a.dataProtection(c).ValidateForBackup(ctx, s.instance.Vault, request)
	return orProtected(acceptedValidation(submitted, err, validationOfSource, "Azure validates that the datasource can be protected"))
}

func (a azure) configureProtection(ctx context.Context, c step.Call, s protectedSource) (operation.Outcome, error) {
	request, err := s.request(c)
	if err != nil {
		return operation.Outcome{}, err
	}
	submitted, err := a.dataProtection(c).PutInstance(ctx, s.instance, request)
	return orProtected(accepted(submitted, err, "the backup is being configured"))
}

// orProtected continues with find-existing if Azure reports that the datasource is
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
// datasource is protected, ProtectionConfigured does.
func (a azure) awaitProtection(ctx context.Context, c step.Call, s protectedSource) (operation.Outcome, error) {
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
		return learn(finish("protected with policy "+s.policy+", as "+instance.Name), facts), nil
	case repair:
		return learn(s.configureAgain(instance), facts), nil
	case proceed, await, reject:
	}
	return learn(waitAtJobPace("the instance is "+instance.CurrentProtectionState), facts), nil
}

// validationOfSource names the validation for people.
const validationOfSource = "the validation"

// configureAgain writes an own instance again, because Azure does not repair a
// failed protection by itself. It waits as for missing permissions, which are the
// usual reason. An instance of another name is somebody else's.
func (s protectedSource) configureAgain(instance dataprotection.Instance) operation.Outcome {
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

// findExisting finds the instance that already protects the datasource: in this vault
// with this policy it succeeds.
func (a azure) findExisting(ctx context.Context, c step.Call, s protectedSource) (operation.Outcome, error) {
	instances, err := a.dataProtection(c).ListInstances(ctx, s.instance.Vault)
	if err != nil {
		return operation.Outcome{}, err
	}
	for _, instance := range instances {
		if !s.protects(instance) {
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

// softDeletedInstance returns the error of a datasource whose soft-deleted instance
// blocks a new one in the same vault; nil if there is none.
func (a azure) softDeletedInstance(ctx context.Context, c step.Call, s protectedSource) error {
	all, err := a.dataProtection(c).ListDeletedInstances(ctx, s.instance.Vault)
	if err != nil {
		return err
	}
	for _, deleted := range all {
		if s.protects(deleted.Instance) {
			return instanceSoftDeleted(deleted)
		}
	}
	return nil
}
