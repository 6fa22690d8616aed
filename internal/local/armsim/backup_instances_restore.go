package armsim

import (
	"net/http"
	"strconv"
	"time"

	"azbackupflow/internal/arm/dataprotection/kinds"
)

// validateRestore answers POST validateRestore. Errors of the request itself
// are rejected at once; the operation reports the rest.
func (s *Simulator) validateRestore(c *call) (answer, *armError) {
	var b struct {
		Request *restoreBody `json:"restoreRequestObject"`
	}
	if err := c.decodeShaped(shape{"restoreRequestObject": restoreShape()}, &b); err != nil {
		return answer{}, err
	}
	i, missing := c.findInstance()
	if missing != nil {
		return answer{}, missing
	}
	plan, err := s.checkRestore(c, i, "restoreRequestObject.", b.Request)
	if err != nil {
		return answer{}, err
	}
	out := s.outcome(operationValidateRestore, i.name, i.friendly, i.source.name)
	o := s.startInstance(c, s.config.Durations.ValidateRestore, out, func(*instanceOperation, time.Time) *userError {
		return s.restoreFailure(plan)
	}, nil)
	return s.acceptedInstance(c, o, validateRetryAfter), nil
}

// restoreFailure returns the reason why a restore would fail now. The codes of
// disks, accounts and clusters are choices.
func (s *Simulator) restoreFailure(p *restorePlan) *userError {
	switch p.way.Target {
	case kinds.TargetContainer:
		if b, known := s.world.blobContainer(p.account, p.container); !known || b.Denied {
			return newUserError(codeContainerNotAccessible, "", "")
		}
		return nil
	case kinds.TargetDisk:
		if _, known := s.world.datasource(p.destination, ""); known {
			return newUserError("UserErrorTargetDiskAlreadyExists", "The target disk already exists.", "Choose another name for the target disk.")
		}
		return nil
	case kinds.TargetAccount, kinds.TargetCluster:
		return s.targetFailure(p)
	case kinds.TargetDatabase:
	}
	d, known := s.world.datasource(p.destination, databaseType)
	switch {
	case !known || d.gone:
		return newUserError(codeNoDatabase, "", "")
	case olderThan(d.version, p.point.version):
		e := newUserError(codeLowerVersion, "", "")
		e.inner = "Restoring backup from version:" + p.point.version + " of PostgreSQL to " + d.version +
			" of PostgreSQL not supported, as the restore server version is lower."
		return e
	case d.databaseExists:
		return newUserError(codeDatabaseInUse, "", "")
	}
	return nil
}

// targetFailure checks an account or a cluster that a restore writes to.
func (s *Simulator) targetFailure(p *restorePlan) *userError {
	d, known := s.world.datasource(p.destination, p.instance.source.kind.Type)
	switch {
	case !known:
		return newUserError("UserErrorTargetResourceNotFound", "The target resource was not found.", "Make sure that the target exists.")
	case d.denied:
		return newUserError(codeMissingPermissions, "", "")
	}
	for _, name := range p.newContainers {
		if _, exists := s.world.blobContainer(d.name, name); exists {
			return newUserError("UserErrorTargetContainerAlreadyExists", "The container "+name+" exists in the target account.", "Delete or rename the container.")
		}
	}
	return nil
}

// restored changes the world as a restore does.
func (s *Simulator) restored(p *restorePlan) {
	switch p.way.Target {
	case kinds.TargetDisk:
		s.world.addResource(p.destination, p.instance.source.location)
	case kinds.TargetDatabase:
		s.world.addDatabase(p.destination)
	case kinds.TargetAccount:
		for _, a := range s.world.accounts {
			for _, name := range p.newContainers {
				if sameID(a.ID(), p.destination) {
					a.BlobContainers = append(a.BlobContainers, BlobContainer{Name: name})
				}
			}
		}
	case kinds.TargetContainer, kinds.TargetCluster:
	}
}

// olderThan compares versions such as 9.5 and 10.
func olderThan(version, than string) bool {
	a, errA := strconv.ParseFloat(version, 64)
	b, errB := strconv.ParseFloat(than, 64)
	return errA == nil && errB == nil && a < b
}

// restoreInstance answers POST restore. It rejects a second restore to the same
// target while one runs (the code is known; the immediate rejection is a
// choice). If the restore cannot succeed, its job fails.
func (s *Simulator) restoreInstance(c *call) (answer, *armError) {
	var b restoreBody
	if err := c.decodeShaped(restoreShape(), &b); err != nil {
		return answer{}, err
	}
	i, missing := c.findInstance()
	if missing != nil {
		return answer{}, missing
	}
	plan, err := s.checkRestore(c, i, "", &b)
	if err != nil {
		return answer{}, err
	}
	if s.world.restoring[plan.target()] {
		return answer{}, newUserError(codeRestoreInProgress, "", "").withActivity(s.activity(c)).rejection(http.StatusConflict)
	}
	out := s.outcome(operationRestore, i.name, i.friendly, i.source.name, plan.destination)
	var j *instanceJob
	if out.userError() == nil {
		j = s.startRestoreJob(c, plan, out)
	}
	o := s.startInstance(c, s.config.Durations.RestoreOperation, out, func(o *instanceOperation, _ time.Time) *userError {
		o.job = j
		return nil
	}, nil)
	s.restores = append(s.restores, plan.made(c, o, j))
	return s.acceptedInstance(c, o, instanceRetryAfter), nil
}

// startRestoreJob starts the job of a restore. A restore from the archive tier
// rehydrates first.
func (s *Simulator) startRestoreJob(c *call, p *restorePlan, out *Outcome) *instanceJob {
	takes := s.config.Durations.Restore
	if p.body.SourceDataStoreType == archiveStore {
		takes += s.config.Durations.Rehydrate
	}
	s.world.restoring[p.target()] = true
	return s.startInstanceJob(c, &instanceJob{operation: operationRestore, instance: p.instance, restore: p}, takes, out, func(time.Time) *userError {
		if failure := s.restoreFailure(p); failure != nil {
			return failure
		}
		s.restored(p)
		return nil
	}, func() { delete(s.world.restoring, p.target()) })
}

// addDatabase adds a database to its single server.
func (w *world) addDatabase(id string) {
	d, _ := w.datasource(id, databaseType)
	for _, server := range w.singleServers {
		if sameID(server.ID(), d.server) {
			server.databases = append(server.databases, d.name)
		}
	}
}

// made returns the restore as Simulator.Restores lists it.
func (p *restorePlan) made(c *call, o *instanceOperation, j *instanceJob) Restore {
	made := Restore{
		Time: c.now, Vault: c.backupVault.ID(), Instance: p.instance.name, PointInTime: p.at,
		OperationID: o.name, ActivityID: c.clientID,
		ObjectType: p.body.ObjectType, SourceDataStore: p.body.SourceDataStoreType,
		RehydrationPriority: p.body.RehydrationPriority, RehydrationRetention: p.body.RehydrationRetention,
		TargetType: p.body.Target.ObjectType, Target: p.destination, FilePrefix: p.prefix, SecretURI: p.secret,
	}
	if p.point != nil {
		made.RecoveryPoint = p.point.id
	}
	if j != nil {
		made.JobID = j.id
	}
	return made
}
