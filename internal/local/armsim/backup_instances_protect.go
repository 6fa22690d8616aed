package armsim

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// validateForBackup answers POST validateForBackup. A datasource that is
// already protected is rejected at once, as on the Learn page; the operation
// reports everything else.
func (s *Simulator) validateForBackup(c *call) (answer, *armError) {
	var b struct {
		BackupInstance *instanceBody `json:"backupInstance"`
	}
	if err := c.decodeShaped(shape{"backupInstance": instanceShape()}, &b); err != nil {
		return answer{}, err
	}
	t, err := s.checkInstance(c, "backupInstance", b.BackupInstance, c.rawAt("backupInstance"))
	if err != nil {
		return answer{}, err
	}
	if other := s.world.protectorOf(t.source); other != nil {
		return answer{}, s.alreadyProtected(c, other)
	}
	if err := s.softDeletedHere(c, t.source.id); err != nil {
		return answer{}, err
	}
	out := s.outcome(operationValidateBackup, t.source.name, t.friendly)
	o := s.startInstance(c, s.config.Durations.ValidateForBackup, out, func(*instanceOperation, time.Time) *userError {
		return t.failure()
	}, nil)
	return s.acceptedInstance(c, o, validateRetryAfter), nil
}

// failure returns the reason why the datasource cannot be protected. The code
// is a choice.
func (t protectionRequest) failure() *userError {
	switch {
	case !t.known || t.source.gone || t.source.kind.Type == databaseType && !t.source.databaseExists:
		return newUserError(codeNoDatabase, "", "")
	case t.source.denied:
		return newUserError(codeMissingPermissions, "", "")
	}
	return nil
}

// protectorOf returns the instance, in any vault, that protects a datasource.
// An instance whose configuration failed does not count.
func (w *world) protectorOf(d datasource) *instance {
	for _, v := range w.backupVaults {
		for _, i := range v.instances {
			if sameID(i.source.id, d.id) && i.source.kind.Type == d.kind.Type && i.state != configuringFailed {
				return i
			}
		}
	}
	return nil
}

// alreadyProtected returns the error of the Learn page.
func (s *Simulator) alreadyProtected(c *call, by *instance) *armError {
	vault := by.vault.ID()
	return newUserError(codeAlreadyProtected,
		"Datasource is already protected under the Backup vault "+vault+".",
		"Delete the backup instance "+by.name+" from the Backup vault "+vault+" to re-protect the datasource in any other vault.").
		withActivity(s.activity(c)).rejection(http.StatusBadRequest)
}

// softDeletedHere rejects a datasource that has a soft-deleted instance in the
// vault (recorded); other vaults may protect it.
func (s *Simulator) softDeletedHere(c *call, datasource string) *armError {
	for _, i := range c.backupVault.deleted {
		if strings.EqualFold(i.source.id, datasource) {
			return newUserError("UserErrorDatasourceAlreadyPresentInTheSameVault",
				"The datasource "+i.friendly+" is already present in the same vault, with the status SoftDeleted.",
				"Undelete the backup instance to protect the datasource.").withActivity(s.activity(c)).rejection(http.StatusBadRequest)
		}
	}
	return nil
}

// configureInstance answers PUT backupInstances/{b} with 201 and only the
// status URL. The protection is configured some time after the operation has
// succeeded (recorded). Another PUT of the same instance changes its policy, and
// answers the same.
func (s *Simulator) configureInstance(c *call) (answer, *armError) {
	var b struct {
		Properties *instanceBody `json:"properties"`
		Tags       any           `json:"tags"`
	}
	outer := shape{"properties": instanceShape(), "id": nil, "name": nil, "type": nil, "tags": nil}
	if err := c.decodeShaped(outer, &b); err != nil {
		return answer{}, err
	}
	t, err := s.checkInstance(c, "properties", b.Properties, c.rawAt("properties"))
	if err != nil {
		return answer{}, err
	}
	v, name := c.backupVault, c.path.names[1]
	i := v.instance(name)
	if err := s.mayConfigure(c, i, t); err != nil {
		return answer{}, err
	}
	state := configuringProtection
	if i == nil {
		i = &instance{vault: v, name: name, since: c.now}
		v.instances = append(v.instances, i)
	} else if i.state != configuringFailed {
		state = updatingProtection
	}
	i.version++
	i.friendly, i.source, i.policy, i.properties = t.friendly, t.source, t.policy, t.properties
	i.parameters, i.tags = t.parameters, b.Tags
	i.state, i.provisioning, i.failure = state, provisioning, nil
	a := jsonAnswer(http.StatusCreated, i.view())
	o := s.startConfiguring(c, i, t)
	a.header.Set("Azure-AsyncOperation", s.instanceStatusURL(c, o))
	a.header.Set("Retry-After", s.seconds(configureRetryAfter))
	return a, nil
}

// mayConfigure rejects a PUT that would protect a datasource twice, change the
// datasource of an instance, or replace an instance that is being deleted or
// soft-deleted. Only the first rejection is documented; the others are choices.
func (s *Simulator) mayConfigure(c *call, i *instance, t protectionRequest) *armError {
	if other := s.world.protectorOf(t.source); other != nil && other != i {
		return s.alreadyProtected(c, other)
	}
	if i == nil && named(c.backupVault.deleted, c.path.names[1]) != nil {
		return invalidField("backupInstanceName", "the backup instance %q is soft-deleted; undelete it or choose another name", c.path.names[1])
	}
	if i == nil {
		return nil
	}
	if i.deleting {
		return newUserError("UserErrorBackupInstanceDeleteInProgress", "The backup instance is being deleted.", "Wait until it is deleted.").
			rejection(http.StatusConflict)
	}
	if !strings.EqualFold(i.source.id, t.source.id) {
		return invalidField("properties.dataSourceInfo.resourceID", "the backup instance protects %q", i.source.id)
	}
	return nil
}

// startConfiguring starts the operation of a PUT, and the work that follows it.
func (s *Simulator) startConfiguring(c *call, i *instance, t protectionRequest) *instanceOperation {
	version, activity := i.version, s.activity(c)
	out := s.outcome(operationConfigure, i.name, i.friendly, i.source.name)
	current := func() bool { return i.version == version && !i.deleting }
	settle := func(time.Time) {
		if !current() {
			return
		}
		i.state = protectionConfigured
		if out != nil && out.ProtectionState != "" {
			i.state, i.failure = out.ProtectionState, out.jobError(activity)
		}
	}
	return s.startInstance(c, s.config.Durations.ConfigureProtection, out, func(_ *instanceOperation, at time.Time) *userError {
		if failure := t.failure(); failure != nil {
			return failure
		}
		if current() {
			i.provisioning = provisioned
			s.world.events.at(at.Add(s.scaled(s.config.Durations.ProtectionConfigured)), settle)
		}
		return nil
	}, func(failure *userError) {
		if current() {
			i.state, i.provisioning, i.failure = configuringFailed, provisioningFailed, failure
		}
	})
}

// deleteInstance answers DELETE backupInstances/{b}.
func (s *Simulator) deleteInstance(c *call) (answer, *armError) {
	v := c.backupVault
	i := v.instance(c.path.names[1])
	if i == nil {
		return answer{status: http.StatusNoContent, header: http.Header{}}, nil // recorded
	}
	if err := rejectDataLoss(v.Immutability, v.ResourceGuard); err != nil {
		return answer{}, err.withActivity(s.activity(c)).rejection(http.StatusBadRequest)
	}
	before := i.state
	i.deleting = true
	if v.SoftDelete != softDeleteOff {
		i.state = softDeleting
	}
	out := s.outcome(operationDeleteInstance, i.name, i.friendly, i.source.name)
	activity := s.activity(c)
	o := s.startInstance(c, s.config.Durations.DeleteInstance, out, func(_ *instanceOperation, at time.Time) *userError {
		if slices.Contains(v.instances, i) {
			s.removeInstance(i, activity, at)
		}
		return nil
	}, func(*userError) { i.state, i.deleting = before, false })
	return s.acceptedInstance(c, o, instanceRetryAfter), nil
}

// removeInstance removes an instance, or soft-deletes it if the vault has soft
// delete.
func (s *Simulator) removeInstance(i *instance, activity string, at time.Time) {
	v := i.vault
	without := func(all []*instance) []*instance {
		return slices.DeleteFunc(all, func(other *instance) bool { return other == i })
	}
	v.instances = without(v.instances)
	if v.SoftDelete == softDeleteOff {
		return
	}
	i.state = softDeleted
	i.deleted = deletion{at: at, purge: at.Add(s.scaled(time.Duration(v.SoftDeleteDays) * 24 * time.Hour)), activity: activity}
	v.deleted = append(v.deleted, i)
	purge := i.deleted.purge
	s.world.events.at(purge, func(time.Time) {
		if i.deleted.purge.Equal(purge) { // not undeleted since
			v.deleted = without(v.deleted)
		}
	})
}
