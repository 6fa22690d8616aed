package flow

import (
	"context"
	"fmt"
	"strings"

	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/arm/recoveryservices"
	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

// findRegistration skips the discovery if the storage account is already
// registered with the vault.
func (a azure) findRegistration(ctx context.Context, c step.Call, _ ProtectFileShare, s share) (operation.Outcome, error) {
	name := resourceid.LastName(s.account)
	containers, err := a.recoveryServices(c).ListRegisteredContainers(ctx, s.vault, name)
	if err != nil {
		return operation.Outcome{}, err
	}
	for _, container := range containers {
		if resourceid.Equal(container.SourceResourceID, s.account) && registered(container) {
			return learn(skipTo("inquire", "storage account "+name+" is already registered"),
				map[string]string{learnedContainer: container.Name, learnedAccount: container.SourceResourceID}), nil
		}
	}
	return next("storage account " + name + " is not registered yet"), nil
}

// registered reports whether the vault can use the container. The container of
// soft-deleted shares stays SoftDeleted after they are undeleted.
func registered(c recoveryservices.Container) bool {
	return c.RegistrationStatus == "" || strings.EqualFold(c.RegistrationStatus, recoveryservices.Registered) || strings.EqualFold(c.RegistrationStatus, "SoftDeleted")
}

func (a azure) register(ctx context.Context, c step.Call, _ ProtectFileShare, s share) (operation.Outcome, error) {
	submitted, err := a.recoveryServices(c).RegisterStorageAccount(ctx, s.vault, c.Operation.Learned[learnedContainer], c.Operation.Learned[learnedAccount])
	return accepted(submitted, err, "the storage account is being registered")
}

// awaitRegistration returns the step that waits for the registration and then reads
// the container: an operation that has succeeded does not mean that the vault can
// use the container, its registrationStatus does.
func (a azure) awaitRegistration() step.Step {
	s := a.awaitOperation("await-registration", operationWait{retry: "register", gone: "find-registration", what: "the registration of the storage account"})
	s.Calls = append(s.Calls, "ProtectionContainers_Get")
	s.Asks = "reads the status until the operation has ended, then the container until it is registered"
	readStatus := s.Run
	s.Run = func(ctx context.Context, c step.Call) (operation.Outcome, error) {
		out, err := readStatus(ctx, c)
		if err != nil || out.Kind != operation.Advance || out.Next != "" {
			return out, err
		}
		return forShare(func(ctx context.Context, c step.Call, _ ProtectFileShare, s share) (operation.Outcome, error) {
			if err := a.registrationFailure(ctx, c, s); err != nil {
				return operation.Outcome{}, err
			}
			return out, nil
		})(ctx, c)
	}
	return s
}

// registrationFailure returns an error until the vault reports the container of
// the storage account as registered.
func (a azure) registrationFailure(ctx context.Context, c step.Call, s share) error {
	container, err := a.recoveryServices(c).GetContainer(ctx, s.vault, c.Operation.Learned[learnedContainer])
	status := fmt.Sprintf("reports %s as %q", resourceid.LastName(s.account), container.RegistrationStatus)
	switch {
	case azerr.IsNotFound(err):
		status = "does not show " + resourceid.LastName(s.account)
	case err != nil:
		return err
	case registered(container):
		return nil
	}
	return notYet("StorageAccountNotRegistered", fmt.Sprintf("the registration has succeeded, but vault %s %s", s.vault.Name, status),
		"Look at the storage account in the vault, under Backup Infrastructure. If its registration has failed, unregister it. Then retry this operation.")
}
