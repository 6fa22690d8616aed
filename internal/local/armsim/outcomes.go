package armsim

// Outcome sets how the next work ends. Work without an outcome succeeds.
type Outcome struct {
	// Operation selects the work; Backup if empty. With a job: Backup,
	// ConfigureBackup, DisableBackup, DeleteBackupData; for Backup vaults Backup
	// and Restore. Without a job: Refresh, Register, Inquire, Unregister and
	// Cancel; for Backup vaults ValidateForBackup, ConfigureProtection,
	// DeleteBackupInstance, ValidateRestore, StopProtection, SuspendBackups,
	// ResumeProtection, ResumeBackups and Undelete.
	Operation string
	// Item is the name or friendly name of the item, container or backup instance,
	// or the name of its datasource; any if empty. Names are case-insensitive.
	Item string
	// Times is how often the outcome applies; 1 if 0.
	Times int
	// OperationCode and OperationMessage, if set, fail the operation itself with
	// this error, without a job. For Backup vaults, an empty OperationMessage or
	// Recommendation is filled in for codes of the error catalogue, such as
	// UserErrorMissingRequiredPermissions.
	OperationCode, OperationMessage string
	// JobStatus is the final status of the job: Completed, CompletedWithWarnings,
	// Failed or Cancelled. The operation succeeds. It is empty with an
	// OperationCode.
	JobStatus string
	// ErrorCode (an integer in jobs), ErrorText and Recommendation fill the
	// errorDetails of the job, if ErrorCode or ErrorText is set.
	ErrorCode      int
	ErrorText      string
	Recommendation string
	// Code replaces ErrorCode for jobs and protections of Backup vaults, whose
	// errors have text codes.
	Code string
	// ProtectionState is the state of a backup instance after its operation has
	// succeeded, in place of ProtectionConfigured: ProtectionError or
	// ConfiguringProtectionFailed, with an error of Code.
	ProtectionState string
	// KeepsRunning leaves the job InProgress until it is cancelled.
	KeepsRunning bool
	// OperationKeepsRunning leaves the operation InProgress. Its job, if it has
	// one, continues.
	OperationKeepsRunning bool
}
