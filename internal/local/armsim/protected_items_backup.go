package armsim

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// backupRequest is the body of POST backup.
type backupRequest struct {
	Properties *struct {
		ObjectType string  `json:"objectType"`
		BackupType string  `json:"backupType"`
		Expiry     *string `json:"recoveryPointExpiryTimeInUTC"`
	} `json:"properties"`
}

// backUp answers POST backup. It rejects a second backup of the item with 409
// while one runs. The code is documented; the immediate rejection is a choice,
// and an Outcome can fail the operation or the job instead.
func (s *Simulator) backUp(c *call) (answer, *armError) {
	var b backupRequest
	if err := c.decode(&b); err != nil {
		return answer{}, err
	}
	_, i := c.findItem()
	if i == nil {
		return answer{}, itemNotFound()
	}
	if err := i.checkBackup(b, c.now); err != nil {
		return answer{}, err
	}
	if i.state == protectionStopped || i.state == backupsSuspended {
		return answer{}, invalidInput("protectedItemName", "the protection of the item is stopped") // a choice
	}
	if i.running != nil {
		return answer{}, &armError{
			status: http.StatusConflict, code: "UserErrorBackupOperationInProgress",
			message: "Unable to initiate backup as another backup operation is currently in progress.",
		}
	}
	out := s.outcome(operationBackup, i.friendly, i.name)
	var j *job
	if out.operationError() == nil {
		j = s.startBackupJob(c, i, b.Properties.BackupType, out)
	}
	o := s.start(c, 4, s.config.Durations.BackupOperation, out, func(o *operation) *armError {
		o.job = j
		return nil
	})
	made := Backup{
		Time: c.now, Vault: c.vault.ID(), Container: i.container.itemsName, Item: i.name, FriendlyName: i.friendly,
		OperationID: o.id, ActivityID: c.clientID,
		ObjectType: b.Properties.ObjectType, BackupType: b.Properties.BackupType,
	}
	if j != nil {
		made.JobID = j.id
	}
	s.backups = append(s.backups, made)
	return s.accepted(c, o), nil
}

// startBackupJob starts the job of a backup. The recovery point has the time of
// the start, when Azure takes the snapshot, and is listed when the job ends.
func (s *Simulator) startBackupJob(c *call, i *item, backupType string, out *Outcome) *job {
	if i.share != nil && !slices.Contains(i.container.account.shares, i.share) {
		// The failure is documented for file shares; the number is a choice.
		out = &Outcome{
			JobStatus: jobFailed, ErrorCode: http.StatusNotFound,
			ErrorText:      "The specified file share does not exist (FileShareNotFound).",
			Recommendation: "Make sure that the file share exists, or stop its protection.",
		}
	}
	j := s.startJob(c, operationBackup, i, s.backupTakes(i), out, func(at time.Time) {
		i.addPoint(c.now, backupType)
		s.world.events.at(at.Add(s.scaled(s.config.Durations.ItemProtected)), func(time.Time) { i.backedUp(at) })
	})
	j.onEnd = func() { i.running = nil }
	j.kind = backupType
	i.running = j
	return j
}

func (s *Simulator) backupTakes(i *item) time.Duration {
	switch i.workload {
	case virtualMachine:
		return s.config.Durations.MachineBackup
	case sqlDatabase, hanaDatabase:
		return s.config.Durations.DatabaseBackup
	case fileShare:
	}
	return s.config.Durations.ShareBackup
}

// checkBackup checks the body of a backup request.
func (i *item) checkBackup(b backupRequest, now time.Time) *armError {
	p, want := b.Properties, i.workload.names().requestType
	switch {
	case p == nil:
		return invalidInput("properties", "they are missing")
	case p.ObjectType != want:
		return invalidInput("properties.objectType", "%q is not %s", p.ObjectType, want)
	}
	if p.Expiry != nil {
		t, err := time.Parse(time.RFC3339, *p.Expiry)
		if err != nil {
			return invalidInput("properties.recoveryPointExpiryTimeInUTC", "%q is not a time", *p.Expiry)
		}
		if !t.After(now) {
			return invalidInput("properties.recoveryPointExpiryTimeInUTC", "%q is in the past", *p.Expiry)
		}
	}
	if want != sqlDatabase.names().requestType {
		return nil
	}
	types := []string{"Full", "Differential", "Log", "CopyOnlyFull", "Incremental", "SnapshotFull", "SnapshotCopyOnlyFull"}
	if !slices.Contains(types, p.BackupType) {
		return invalidInput("properties.backupType", "%q is none of %s", p.BackupType, strings.Join(types, ", "))
	}
	return nil
}
