package armsim

// Outcome says how the next pieces of work end. Without one, work succeeds.
type Outcome struct {
	// Operation is a job's operation (Backup, ConfigureBackup,
	// DisableBackup, DeleteBackupData) or Refresh, Register, Inquire, Unregister
	// or Cancel, which have no job; for Backup vaults Backup or Restore, or ValidateForBackup,
	// ConfigureProtection, DeleteBackupInstance, ValidateRestore,
	// StopProtection, SuspendBackups, ResumeProtection or ResumeBackups, which
	// have no job. Backup if empty.
	Operation string
	// Item is the name or friendly name of the item, container or backup
	// instance whose work it is, or its datasource's name; any if empty. Names compare case-insensitively.
	Item string
	// Times is how many pieces of work it applies to; 1 if 0.
	Times int
	// OperationCode and OperationMessage, if set, make the operation itself end
	// Failed with this error, without a job. For Backup vaults, codes of the
	// error catalogue such as UserErrorMissingRequiredPermissions have texts of
	// their own where OperationMessage and Recommendation are empty.
	OperationCode, OperationMessage string
	// JobStatus is how the job ends: Completed, CompletedWithWarnings, Failed
	// or Cancelled. The operation succeeds. "" with an OperationCode.
	JobStatus string
	// ErrorCode (an integer in jobs), ErrorText and Recommendation fill the
	// job's errorDetails, if ErrorCode or ErrorText is set.
	ErrorCode      int
	ErrorText      string
	Recommendation string
	// Code instead of ErrorCode is for jobs and protections of Backup vaults,
	// whose errors have text codes.
	Code string
	// ProtectionState is what a backup instance comes to after its operation
	// has succeeded, instead of ProtectionConfigured: ProtectionError or
	// ConfiguringProtectionFailed, with an error of Code.
	ProtectionState string
	// KeepsRunning leaves the job InProgress for ever (or until it is
	// cancelled).
	KeepsRunning bool
	// OperationKeepsRunning leaves the operation InProgress for ever; its job,
	// if it has one, goes on.
	OperationKeepsRunning bool
}
