package azerr

import (
	"slices"
	"strings"
	"time"

	"azbackupflow/internal/operation"
)

// Azure's codes that flows handle themselves instead of failing.
const (
	// CodeAlreadyProtected and CodeAlreadyHasInstance: this vault or another
	// one already protects the datasource.
	CodeAlreadyProtected   = "UserErrorDppDatasourceAlreadyProtected"
	CodeAlreadyHasInstance = "UserErrorDppDatasourceAlreadyHasBackupInstance"
	// CodeAlreadyInSameVault: this vault has an instance of the datasource, which
	// may be soft-deleted.
	CodeAlreadyInSameVault = "UserErrorDatasourceAlreadyPresentInTheSameVault"
	// CodeDataSourceNotFound: the vault has not discovered the item yet.
	CodeDataSourceNotFound = "BMSUserErrorDataSourceObjectNotFound"
	// CodeResourceNotFound: the resource does not exist.
	CodeResourceNotFound = "ResourceNotFound"
)

// Entry holds what is known about a group of Azure's error codes.
type Entry struct {
	Codes []string
	Class operation.Class
	// RetryAfter is the minimum wait before a retry.
	RetryAfter time.Duration
	// MessageContains identifies the error by its message where it has no code
	// of its own.
	MessageContains string
	// RecommendedAction is the remedy for an operator. Azure's own recommended
	// action takes precedence.
	RecommendedAction string
	// Permission marks codes for a role that the app's identity lacks. Classify
	// then names the missing role.
	Permission bool
}

// Catalogue returns the known error codes with their class. Codes that are not
// listed are classified by HTTP status, and as Fatal without one. File share
// codes come from Learn's "Troubleshoot Azure file share backup". The error
// bodies' isRetryable and isUserError are not used: they are false even where
// the text says to retry.
func Catalogue() []Entry {
	return slices.Concat(throttled(), transient(), notYet(), conflicts(), userActions(), fatalInstances(), fatalResources())
}

// throttled lists the codes of calls that exceed a rate limit.
func throttled() []Entry {
	return []Entry{
		{
			Codes: []string{"ResourceRequestsThrottled", "SubscriptionRequestsThrottled", "TooManyRequests"},
			Class: operation.Throttled,
		},
		{
			// Azure spells it this way. Its status is 400 although the text says
			// to retry after some hours.
			Codes: []string{"CloudDosTimeboudLimitReached", "CloudDosTimeboundLimitReached"},
			Class: operation.Throttled, RetryAfter: 3 * time.Hour,
			RecommendedAction: "None. Azure Backup limits how often this can run within a few hours; azbackupflow retries it.",
		},
		{
			Codes: []string{"CloudDosAbsoluteLimitReached"},
			Class: operation.Throttled, RetryAfter: 24 * time.Hour,
			RecommendedAction: "None. Azure Backup limits how often this can run within a day; azbackupflow retries it after 24 hours.",
		},
	}
}

// transient lists the codes of faults that pass without action.
func transient() []Entry {
	return []Entry{
		{
			Codes: []string{
				"CloudInternalError", "InvalidGatewayHost", "InternalServerError", "InternalError", "ServerTimeout",
				"ServiceUnavailable", "ServerBusy", "GatewayTimeout", "BadGateway", "RequestTimeout",
				"UserErrorServerConnectionClosed", "PostgreSQLFlexServerError",
			},
			Class: operation.Transient,
		},
		{
			// A workload job's 510011: Azure does not know the cause.
			Codes:             []string{"WorkloadRestoreFailed"},
			Class:             operation.Transient,
			RecommendedAction: "Check the database server and its backup extension on the target. Then send the restore again, or with parameters.retryFailedJob.",
		},
		{
			Codes:             []string{"FileshareBackupFailedWithAzureRpRequestThrottling", "FileshareRestoreFailedWithAzureRpRequestThrottling"},
			Class:             operation.Transient,
			RecommendedAction: "Azure throttled requests to the storage account. Run the backup or restore when the account is less busy.",
		},
	}
}

// notYet lists the codes of items that the vault has not discovered yet.
func notYet() []Entry {
	return []Entry{
		{
			Codes:             []string{CodeDataSourceNotFound},
			Class:             operation.NotYet,
			RecommendedAction: "Check that the item exists. The vault discovers new file shares only when it inquires the storage account.",
		},
	}
}

// conflicts lists the codes of operations that another operation blocks.
func conflicts() []Entry {
	return []Entry{
		{
			Codes:             []string{"ParallelSnapshotRequest", "UserErrorBackupOperationInProgress"},
			Class:             operation.Conflict,
			RecommendedAction: "Another backup of this item is running. Wait until it ends, then retry this operation.",
		},
		{
			Codes:             []string{"UserErrorAnotherRestoreInProgressOnSameTarget", "UserErrorDTSDestLocked"},
			Class:             operation.Conflict,
			RecommendedAction: "Another restore to this target is running. Wait until it ends, then retry this operation.",
		},
		{
			Codes: []string{
				"BMSUserErrorConflictingProtectionOperation", "BMSUserErrorObjectLocked",
				"AnotherOperationInProgress", "OperationInProgress", "ConflictingOperationInProgress",
			},
			Class:             operation.Conflict,
			RecommendedAction: "Another operation on this item is running. Wait until the vault's jobs list shows its end, then retry this operation.",
		},
	}
}

// userActions lists the codes of errors that an operator must resolve before a retry can succeed.
func userActions() []Entry {
	return []Entry{
		{
			Codes: []string{"AuthorizationFailed", "LinkedAuthorizationFailed"},
			Class: operation.UserAction, Permission: true,
			RecommendedAction: "Assign the function app's managed identity a role that allows this call; docs/roles.md lists the roles on vaults and on backed-up resources.",
		},
		{
			Codes:             []string{"InvalidAuthenticationToken", "InvalidAuthenticationTokenTenant", "AuthenticationFailed", "ExpiredAuthenticationToken"},
			Class:             operation.UserAction,
			RecommendedAction: "Check that the managed identity belongs to the tenant of the subscription, and that the settings for cloud and token audience are correct.",
		},
		{
			Codes:             []string{"UserErrorMissingRequiredPermissions", "UserErrorMSIMissingPermissions"},
			Class:             operation.UserAction,
			RecommendedAction: "Assign the missing role to the vault's managed identity. Azure can take 30 minutes to apply a role assignment.",
		},
		{
			Codes:             []string{"UserErrorDBUserAuthFailed", "UserErrorInvalidSecret", "UserErrorMissingPermissionsOnSecretStore"},
			Class:             operation.UserAction,
			RecommendedAction: "Check the database user and its password, the Key Vault secret that holds them, and the vault's access to that key vault.",
		},
		{
			Codes:             []string{"UserErrorStorageAccountIsLocked", "ScopeLocked"},
			Class:             operation.UserAction,
			RecommendedAction: "Remove the resource lock from the storage account or its resource group, then retry this operation.",
		},
		{
			Codes:             []string{"UserErrorBackupAFSInSoftDeleteState"},
			Class:             operation.UserAction,
			RecommendedAction: "The file share is soft-deleted. Undelete it in the storage account, then retry this operation.",
		},
		{
			Codes:             []string{"MissingSubscriptionRegistration", "SubscriptionNotRegistered"},
			Class:             operation.UserAction,
			RecommendedAction: "Register the resource provider in the subscription: run `az provider register --namespace` with Microsoft.RecoveryServices or Microsoft.DataProtection.",
		},
	}
}

// fatalInstances lists the codes that reject the protection or restore of a
// datasource. No retry resolves them.
func fatalInstances() []Entry {
	return []Entry{
		{
			Codes:             []string{CodeAlreadyProtected, CodeAlreadyHasInstance, CodeAlreadyInSameVault},
			Class:             operation.Fatal,
			RecommendedAction: "The datasource is already protected. To move it to another vault or policy, stop that protection first.",
		},
		{
			// A workload job's 520512.
			Codes:             []string{"UserErrorIncompatibleSrcTargetSystemsForRestore"},
			Class:             operation.Fatal,
			RecommendedAction: "Restore to a target that fits the source: the same database type and version, and a system database only under its own name.",
		},
		{
			Codes:             []string{"UserErrorRestoreToLowerVersion"},
			Class:             operation.Fatal,
			RecommendedAction: "Restore to a server with the same or a newer version.",
		},
		{
			Codes:             []string{"UserErrorDatabaseNameAlreadyInUse", "UserErrorDBNotFound", "UserErrorContainerNotAccessible"},
			Class:             operation.Fatal,
			RecommendedAction: "Correct the target of the restore. Check that the database name is free, that the server exists, and that the vault can access the storage container.",
		},
		{
			Codes:             []string{"BMSUserErrorInvalidInput", "BMSUserErrorInvalidConfigureProtectionRequest"},
			Class:             operation.Fatal,
			RecommendedAction: "Check that the storage account is registered with the vault, and that the policy is for this type of item.",
		},
	}
}

// fatalResources lists the codes that reject a resource or its configuration. No
// retry resolves them.
func fatalResources() []Entry {
	return []Entry{
		{
			Codes: []string{
				"FileShareNotFound", "UserErrorStorageAccountNotFound", "UserErrorDTSStorageAccountNotFound",
				"UserErrorBackupAFSInDeleteState", "UserErrorResourceGroupNotFound",
			},
			Class:             operation.Fatal,
			RecommendedAction: "The file share or its storage account no longer exists. If it was deleted on purpose, stop its protection.",
		},
		{
			Codes:             []string{"UserErrorFileShareEndpointUnreachable", "UserErrorStorageAccountInternetRoutingNotSupported"},
			Class:             operation.Fatal,
			RecommendedAction: "Azure Backup does not support this configuration of the storage account. Check the account kind, and that the routing preference is Microsoft network routing.",
		},
		{
			Codes:             []string{"AFSMaxSnapshotReached"},
			Class:             operation.Fatal,
			RecommendedAction: "The file share has reached its maximum number of snapshots. Delete snapshots, or reduce the retention in the backup policy.",
		},
		{
			Codes:             []string{"ResourceGuardOperationForbidden"},
			MessageContains:   "ResourceGuard Operation requestid",
			Class:             operation.Fatal,
			RecommendedAction: "The vault requires multi-user authorization. Ask the owner of its Resource Guard to approve this operation, then retry it.",
		},
		{
			Codes:             []string{"RequestDisallowedByPolicy", "ReadOnlyDisabledSubscription"},
			Class:             operation.Fatal,
			RecommendedAction: "An Azure Policy or the state of the subscription does not allow this. Ask the owner of the policy for an exemption, or enable the subscription.",
		},
		{
			Codes: []string{CodeResourceNotFound, "ResourceGroupNotFound", "SubscriptionNotFound"},
			Class: operation.Fatal,
		},
	}
}

// entryWithCode returns the entry that lists the code, in any casing.
func entryWithCode(code string) (Entry, bool) {
	for _, e := range Catalogue() {
		for _, c := range e.Codes {
			if strings.EqualFold(c, code) {
				return e, true
			}
		}
	}
	return Entry{}, false
}

// entryWithMessage returns the entry whose MessageContains is in the message.
func entryWithMessage(message string) (Entry, bool) {
	for _, e := range Catalogue() {
		if e.MessageContains != "" && strings.Contains(strings.ToLower(message), strings.ToLower(e.MessageContains)) {
			return e, true
		}
	}
	return Entry{}, false
}

// entryOf returns the catalogue's entry for an error.
func entryOf(f fault) (Entry, bool) {
	if e, ok := entryWithCode(f.code); ok {
		return e, true
	}
	return entryWithMessage(f.message)
}

// codeInText returns the first word of the text that is a known code. Jobs
// number their errors and name the code, if at all, in the text.
func codeInText(text string) (code string, ok bool) {
	words := strings.FieldsFunc(text, func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9')
	})
	for _, w := range words {
		// A short word such as Conflict may be ordinary English.
		if len(w) < len("FileShareNotFound") {
			continue
		}
		if _, ok := entryWithCode(w); ok {
			return w, true
		}
	}
	return "", false
}
