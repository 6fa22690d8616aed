package armsim

import "time"

// Past describes the backups of a protected item before the simulator started. Ages
// are not divided by the speed factor.
type Past struct {
	// Backup is the age of the last backup that completed; 0 means that none did.
	Backup time.Duration
	// Failed is the age of a later backup that failed; 0 means that none did.
	Failed time.Duration
	// State replaces the protection state.
	State string
}

// remember sets the past of an item. Without one, its last backup completed at the
// start.
func (i *item) remember(p *Past, start time.Time) {
	if p == nil {
		i.backedUpBefore(start)
		return
	}
	if p.Backup > 0 {
		i.backedUpBefore(start.Add(-p.Backup))
	}
	if p.Failed > 0 {
		i.lastStatus, i.lastBackup = jobFailed, start.Add(-p.Failed)
	}
	if p.State != "" {
		i.state = p.State
	}
}

// remember adds the jobs of an instance's past to its vault.
func (i *instance) remember(p *Past, start time.Time, ids *random) {
	if p == nil {
		return
	}
	if p.State != "" {
		i.state = p.State
	}
	for _, j := range []struct {
		age    time.Duration
		status string
	}{{p.Backup, jobCompleted}, {p.Failed, jobFailed}} {
		if at := start.Add(-j.age); j.age > 0 {
			i.vault.jobs = append(i.vault.jobs, &instanceJob{
				id: ids.guid(), activity: ids.guid(), operation: operationBackup, status: j.status, instance: i, policy: i.policy,
				started: at, ended: at.Add(time.Minute), visible: at,
			})
		}
	}
}
