package flow

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"azbackupflow/internal/arm/recoveryservices"
	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

// autoProtectSteps returns the steps that let Azure protect the databases of an
// instance.
func (a azure) autoProtectSteps() []step.Step {
	return []step.Step{
		{
			Name: "find-intent", Effect: step.Read, Run: forVault(a.findIntent("auto-protect")), Calls: []string{"BackupProtectionIntent_List"},
			Asks: "lists the instances that are protected automatically", Then: "one with this policy: done. With another policy: reported, never changed",
		},
		{
			Name: "auto-protect", Effect: step.Idempotent, Run: forVault(a.autoProtect), Calls: []string{"ProtectionIntent_CreateOrUpdate"},
			Asks: "writes the auto-protection of the instance, which Azure confirms at once",
		},
		{
			Name: "confirm-intent", Effect: step.Read, Run: forVault(a.findIntent("")), Calls: []string{"BackupProtectionIntent_List"},
			Asks: "lists the instances that are protected automatically until the instance is one of them",
		},
	}
}

// pickInstance continues with the instance to protect automatically.
func (p ProtectDatabase) pickInstance(c step.Call, protectable []recoveryservices.ProtectableItem, here func(string) bool) (operation.Outcome, error) {
	kind := "SQLInstance"
	if p.workload() == recoveryservices.WorkloadHana {
		kind = "SAPHanaSystem"
	}
	for _, i := range protectable {
		if !here(i.ContainerName) || !strings.EqualFold(i.Type, kind) || !strings.EqualFold(i.FriendlyName, p.Instance) {
			continue
		}
		if !i.AutoProtectable && !i.AutoProtected {
			return operation.Outcome{}, fatal("InstanceNotAutoProtectable", fmt.Sprintf("Azure cannot protect instance %s automatically %s", p.Instance, i.Problem), "Name the databases in parameters.databases.")
		}
		return learn(skipTo("find-intent", "the vault knows the instance as "+i.ItemName), map[string]string{learnedInstanceID: i.ID}), nil
	}
	if c.Operation.Learned[learnedInquired] == "" {
		return skipTo("inquire", "the vault does not know the instance"), nil
	}
	return operation.Outcome{}, fatal("InstanceNotFound", fmt.Sprintf("the vault knows no %s instance %s on %s", p.Workload, p.Instance, p.VirtualMachineID), "Check parameters.instance.")
}

// findIntent looks for the auto-protection of the instance. Without otherwise it
// waits for it.
func (a azure) findIntent(otherwise string) func(context.Context, step.Call, ProtectDatabase, resourceid.VaultID) (operation.Outcome, error) {
	return func(ctx context.Context, c step.Call, p ProtectDatabase, vault resourceid.VaultID) (operation.Outcome, error) {
		intents, err := a.recoveryServices(c).ListIntents(ctx, vault, p.workload())
		if err != nil {
			return operation.Outcome{}, err
		}
		known := c.Operation.Learned
		for _, i := range intents {
			switch {
			case !resourceid.Equal(i.ItemID, known[learnedInstanceID]):
			case resourceid.Equal(i.PolicyID, known[learnedPolicy]):
				return finish("instance " + p.Instance + " is protected automatically with policy " + p.Policy), nil
			default:
				return operation.Outcome{}, protectedByAnotherPolicy(fmt.Sprintf("instance %s is already protected automatically, with the policy %s", p.Instance, i.PolicyID))
			}
		}
		if otherwise == "" {
			return operation.Outcome{}, notYet("ItemNotVisible", "auto-protection was enabled, but the vault does not list it yet")
		}
		return skipTo(otherwise, "the instance is not protected automatically yet"), nil
	}
}

// autoProtect writes the intent. Its name follows from the instance: a second
// call has no further effect.
func (a azure) autoProtect(ctx context.Context, c step.Call, _ ProtectDatabase, vault resourceid.VaultID) (operation.Outcome, error) {
	known := c.Operation.Learned
	name := uuid.NewSHA1(uuid.NameSpaceURL, []byte(strings.ToLower(known[learnedInstanceID]))).String()
	if err := a.recoveryServices(c).AutoProtect(ctx, vault, name, known[learnedInstanceID], known[learnedPolicy]); err != nil {
		return operation.Outcome{}, err
	}
	return next("the instance is protected automatically"), nil
}
