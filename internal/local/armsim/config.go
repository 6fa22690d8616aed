package armsim

import (
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"time"

	"azbackupflow/internal/local/fault"
)

// Config configures a Simulator. The zero value simulates DemoWorld at Azure's
// own speed on a free port.
type Config struct {
	// Address is the loopback address to listen on; "127.0.0.1:0" if empty.
	Address string
	// SpeedFactor divides every duration: at 60, a minute of Azure takes a second.
	// Retry-After becomes max(1, ceil(seconds/SpeedFactor)). 0 means 1.
	SpeedFactor float64
	// Now returns the current time; the clock of the machine if nil. Work advances
	// when a request arrives or the state is read, never in the background, so
	// that a test clock drives everything.
	Now func() time.Time
	// Random is the source of IDs, keys and tokens; crypto/rand if nil.
	Random io.Reader
	// Fault is called at each moment of each request, with Service "arm" and the
	// Kind that Request.Kind describes.
	Fault fault.Hook
	// World lists the resources that exist at the start; DemoWorld if nil. It is
	// copied.
	World *World
	// Durations are the durations of Azure's work before division by SpeedFactor.
	// A zero field means the recorded duration.
	Durations Durations
	// Quotas limits requests. The zero value limits nothing.
	Quotas Quotas
	// PageSize is the number of entries on a page of a list; 200 if 0.
	PageSize int
	// RequireSignedPolls rejects polls without a signature. Tests set it to check
	// that a client requests poll URLs unchanged. Azure serves such polls: the Azure
	// CLI composes its poll URLs from IDs (recorded). A signature that is present
	// must be valid either way.
	RequireSignedPolls bool
	// Logger receives one debug record per request; nil discards them.
	Logger *slog.Logger
}

// Durations are the durations of Azure's work, before division by
// Config.SpeedFactor.
type Durations struct {
	Refresh    time.Duration // refreshContainers; recorded 12 s
	Register   time.Duration // PUT protectionContainers; recorded 37 s
	Inquire    time.Duration // inquire; recorded 20 s
	Unregister time.Duration // DELETE protectionContainers; recorded 24 s
	Protect    time.Duration // PUT protectedItems, operation and job; recorded 45 s
	Unprotect  time.Duration // DELETE protectedItems, operation and job; recorded 26 s
	// BackupOperation is the time from POST backup until its operation names the
	// job; recorded 5 s.
	BackupOperation time.Duration
	// ShareBackup, MachineBackup and DatabaseBackup are the times from POST backup
	// until the job ends: 30 s (recorded), 20 min and 5 min (choices).
	ShareBackup    time.Duration
	MachineBackup  time.Duration
	DatabaseBackup time.Duration
	// JobVisible is the time from the start of a job until reads of jobs show it.
	// A job is visible at the latest when its operation names it. 2 s is a choice:
	// the recordings read jobs only after their operation named them.
	JobVisible time.Duration
	// Cancel is the time from POST cancel until the job is Cancelled; 20 s (a
	// choice).
	Cancel time.Duration
	// ItemProtected is the time from the end of the first backup until the item
	// changes from IRPending to Protected; 2 min, recorded more than 1 min.
	ItemProtected time.Duration
	// ShareRestore, DatabaseRestore and the durations after them are the times from
	// POST restore until the job ends: recorded 33 s, 3 min; of machines 36 min for
	// unmanaged disks, 69 s for managed disks, 133 s for a new machine, 23 min to
	// replace disks.
	ShareRestore, DatabaseRestore                                   time.Duration
	DisksRestore, ManagedDisksRestore, MachineRestore, ReplaceDisks time.Duration
	Undelete                                                        time.Duration // recorded 11 s
	// RegisterServer is the time of PUT protectionContainers of a database server;
	// recorded 2 to 5 min.
	RegisterServer time.Duration

	// The durations below are those of Backup vaults.

	ValidateForBackup   time.Duration // recorded 41 s
	ConfigureProtection time.Duration // the operation of PUT backupInstances; recorded 2 s
	// ProtectionConfigured is the time from the end of that operation until the
	// protection is configured; recorded about 37 s.
	ProtectionConfigured time.Duration
	// InstanceBackupOperation and RestoreOperation are the times until the
	// operation names the job; recorded 1 s.
	InstanceBackupOperation time.Duration
	InstanceBackup          time.Duration // until the job ends; recorded 15 min 41 s
	ValidateRestore         time.Duration // recorded 41 s
	RestoreOperation        time.Duration
	Restore                 time.Duration // until the job ends; recorded 2 min 4 s
	// Rehydrate is the extra time of a restore from the archive tier. 1 h is a
	// choice: Azure documents up to 15 h, by priority.
	Rehydrate        time.Duration
	DeleteInstance   time.Duration // DELETE backupInstances; 16 s (from the Learn page)
	ChangeProtection time.Duration // stop, suspend, resume; 15 s (a choice)
}

const (
	defaultAddress  = "127.0.0.1:0"
	defaultPageSize = 200
)

// recordedDurations returns the defaults of Config.Durations.
func recordedDurations() Durations {
	return Durations{
		Refresh:         12 * time.Second,
		Register:        37 * time.Second,
		Inquire:         20 * time.Second,
		Unregister:      24 * time.Second,
		Protect:         45 * time.Second,
		Unprotect:       26 * time.Second,
		BackupOperation: 5 * time.Second,
		ShareBackup:     30 * time.Second,
		MachineBackup:   20 * time.Minute,
		DatabaseBackup:  5 * time.Minute,
		JobVisible:      2 * time.Second,
		Cancel:          20 * time.Second,
		ItemProtected:   2 * time.Minute,

		ShareRestore:        33 * time.Second,
		DatabaseRestore:     3 * time.Minute,
		DisksRestore:        36 * time.Minute,
		ManagedDisksRestore: 69 * time.Second,
		MachineRestore:      133 * time.Second,
		ReplaceDisks:        23 * time.Minute,
		Undelete:            11 * time.Second,
		RegisterServer:      2 * time.Minute,

		ValidateForBackup:       41 * time.Second,
		ConfigureProtection:     2 * time.Second,
		ProtectionConfigured:    37 * time.Second,
		InstanceBackupOperation: time.Second,
		InstanceBackup:          15*time.Minute + 41*time.Second,
		ValidateRestore:         41 * time.Second,
		RestoreOperation:        time.Second,
		Restore:                 2*time.Minute + 4*time.Second,
		Rehydrate:               time.Hour,
		DeleteInstance:          16 * time.Second,
		ChangeProtection:        15 * time.Second,
	}
}

// withDefaults checks the configuration and fills in the defaults.
func (c Config) withDefaults() (Config, error) {
	if c.SpeedFactor < 0 {
		return c, fmt.Errorf("speed factor %v is negative; use a positive factor or 0 for 1", c.SpeedFactor)
	}
	if c.SpeedFactor == 0 {
		c.SpeedFactor = 1
	}
	if c.PageSize < 0 {
		return c, fmt.Errorf("page size %d is negative; use a positive size or 0 for 200", c.PageSize)
	}
	if c.PageSize == 0 {
		c.PageSize = defaultPageSize
	}
	if c.Address == "" {
		c.Address = defaultAddress
	}
	if c.Now == nil {
		c.Now = time.Now //nolint:forbidigo // the one place where the simulator meets the machine's clock
	}
	if c.Random == nil {
		c.Random = rand.Reader
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.World == nil {
		w := DemoWorld()
		c.World = &w
	}
	c.Durations = c.Durations.withDefaults(recordedDurations())
	return c, nil
}

// withDefaults returns d with its zero fields replaced by those of other.
func (d Durations) withDefaults(other Durations) Durations {
	for _, f := range []struct {
		mine  *time.Duration
		other time.Duration
	}{
		{&d.Refresh, other.Refresh},
		{&d.Register, other.Register},
		{&d.Inquire, other.Inquire},
		{&d.Unregister, other.Unregister},
		{&d.Protect, other.Protect},
		{&d.Unprotect, other.Unprotect},
		{&d.BackupOperation, other.BackupOperation},
		{&d.ShareBackup, other.ShareBackup},
		{&d.MachineBackup, other.MachineBackup},
		{&d.DatabaseBackup, other.DatabaseBackup},
		{&d.JobVisible, other.JobVisible},
		{&d.Cancel, other.Cancel},
		{&d.ItemProtected, other.ItemProtected},
		{&d.ShareRestore, other.ShareRestore},
		{&d.DatabaseRestore, other.DatabaseRestore},
		{&d.DisksRestore, other.DisksRestore},
		{&d.ManagedDisksRestore, other.ManagedDisksRestore},
		{&d.MachineRestore, other.MachineRestore},
		{&d.ReplaceDisks, other.ReplaceDisks},
		{&d.Undelete, other.Undelete},
		{&d.RegisterServer, other.RegisterServer},
		{&d.ValidateForBackup, other.ValidateForBackup},
		{&d.ConfigureProtection, other.ConfigureProtection},
		{&d.ProtectionConfigured, other.ProtectionConfigured},
		{&d.InstanceBackupOperation, other.InstanceBackupOperation},
		{&d.InstanceBackup, other.InstanceBackup},
		{&d.ValidateRestore, other.ValidateRestore},
		{&d.RestoreOperation, other.RestoreOperation},
		{&d.Restore, other.Restore},
		{&d.Rehydrate, other.Rehydrate},
		{&d.DeleteInstance, other.DeleteInstance},
		{&d.ChangeProtection, other.ChangeProtection},
	} {
		if *f.mine == 0 {
			*f.mine = f.other
		}
	}
	return d
}
