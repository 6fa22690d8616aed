package arm

import (
	"strings"
	"time"

	"azbackupflow/internal/operation"
)

// Codes that flows ask for by name, because they look further instead of
// failing.
const (
	// CodeAlreadyProtected and CodeAlreadyHasInstance: another vault, or this
	// one, protects the datasource already.
	CodeAlreadyProtected   = "UserErrorDppDatasourceAlreadyProtected"
	CodeAlreadyHasInstance = "UserErrorDppDatasourceAlreadyHasBackupInstance"
	// CodeDataSourceNotFound: the vault has not discovered the item yet.
	CodeDataSourceNotFound = "BMSUserErrorDataSourceObjectNotFound"
	// CodeResourceNotFound: ARM knows no such resource.
	CodeResourceNotFound = "ResourceNotFound"
)

// Entry is what one of Azure's error codes means.
type Entry struct {
	Codes []string
	Class operation.Class
	// RetryAfter is how long to wait where Azure names no time.
	RetryAfter time.Duration
	// Text is found in the message where there is no code of its own.
	Text string
	// Advice is our recommended action, for where Azure has none.
	Advice string
	// Permission: the app's identity lacks a role, and a refused call tells
	// which.
	Permission bool
}

// Catalogue lists the codes that are known, with their class. What is not
// listed falls to its HTTP status, and to Fatal without one. File share codes
// are those of Learn's "Troubleshoot Azure file share backup". The bodies' own
// isRetryable and isUserError are not used: they say false even where the text
// says to retry.
func Catalogue() []Entry {
	return []Entry{
		// Waiting.
		{
			Codes: []string{"ResourceRequestsThrottled", "SubscriptionRequestsThrottled", "TooManyRequests"},
			Class: operation.Throttled,
		},
		{
			// Spelt so. A 400, although it asks to come back after some hours.
			Codes: []string{"CloudDosTimeboudLimitReached", "CloudDosTimeboundLimitReached"},
			Class: operation.Throttled, RetryAfter: 3 * time.Hour,
			Advice: "Azure Backup limits how often this may be done in a few hours; it is asked again later.",
		},
		{
			Codes: []string{"CloudDosAbsoluteLimitReached"},
			Class: operation.Throttled, RetryAfter: 24 * time.Hour,
			Advice: "Azure Backup limits how often this may be done in a day; it is asked again the next day.",
		},
		// Faults that pass.
		{
			Codes: []string{
				"CloudInternalError", "InvalidGatewayHost", "InternalServerError", "InternalError", "ServerTimeout",
				"ServiceUnavailable", "ServerBusy", "GatewayTimeout", "BadGateway", "RequestTimeout",
				"UserErrorServerConnectionClosed", "PostgreSQLFlexServerError",
			},
			Class: operation.Transient,
		},
		{
			Codes:  []string{"FileshareBackupFailedWithAzureRpRequestThrottling", "FileshareRestoreFailedWithAzureRpRequestThrottling"},
			Class:  operation.Transient,
			Advice: "The storage account was too busy; back up or restore at a quieter time.",
		},
		// Not visible yet.
		{
			Codes:  []string{CodeDataSourceNotFound},
			Class:  operation.NotYet,
			Advice: "See that the item exists; the vault sees new file shares after the storage account was inquired.",
		},
		// Something else at work.
		{
			Codes:  []string{"ParallelSnapshotRequest", "UserErrorBackupOperationInProgress"},
			Class:  operation.Conflict,
			Advice: "A backup of this item is running; wait for it to end.",
		},
		{
			Codes:  []string{"UserErrorAnotherRestoreInProgressOnSameTarget", "UserErrorDTSDestLocked"},
			Class:  operation.Conflict,
			Advice: "A restore to this target is running; wait for it to end.",
		},
		{
			Codes: []string{
				"BMSUserErrorConflictingProtectionOperation", "BMSUserErrorObjectLocked",
				"AnotherOperationInProgress", "OperationInProgress", "ConflictingOperationInProgress",
			},
			Class:  operation.Conflict,
			Advice: "Another operation on this item is running; wait for it to end.",
		},
		// A person must do something first.
		{
			Codes: []string{"AuthorizationFailed", "LinkedAuthorizationFailed"},
			Class: operation.UserAction, Permission: true,
			Advice: "Assign the function app's managed identity a role that allows this; docs/roles.md lists what it needs on vaults and on what they back up.",
		},
		{
			Codes:  []string{"InvalidAuthenticationToken", "InvalidAuthenticationTokenTenant", "AuthenticationFailed", "ExpiredAuthenticationToken"},
			Class:  operation.UserAction,
			Advice: "See that the managed identity belongs to the subscription's tenant and that cloud and audience are set right.",
		},
		{
			Codes:  []string{"UserErrorMissingRequiredPermissions", "UserErrorMSIMissingPermissions"},
			Class:  operation.UserAction,
			Advice: "Assign the vault's managed identity the missing role; it may take half an hour to spread.",
		},
		{
			Codes:  []string{"UserErrorDBUserAuthFailed", "UserErrorInvalidSecret", "UserErrorMissingPermissionsOnSecretStore"},
			Class:  operation.UserAction,
			Advice: "Correct the database credentials, the secret, or the vault's access to the key vault that holds it.",
		},
		{
			Codes:  []string{"UserErrorStorageAccountIsLocked", "ScopeLocked"},
			Class:  operation.UserAction,
			Advice: "Remove the lock from the storage account or its resource group.",
		},
		{
			Codes:  []string{"UserErrorBackupAFSInSoftDeleteState"},
			Class:  operation.UserAction,
			Advice: "The file share is soft-deleted; undelete it to go on backing it up.",
		},
		{
			Codes:  []string{"MissingSubscriptionRegistration", "SubscriptionNotRegistered"},
			Class:  operation.UserAction,
			Advice: "Register the resource provider Microsoft.RecoveryServices or Microsoft.DataProtection in the subscription.",
		},
		// Retrying cannot mend these.
		{
			Codes:  []string{CodeAlreadyProtected, CodeAlreadyHasInstance},
			Class:  operation.Fatal,
			Advice: "The datasource is protected already; stop that protection first to move it to another vault or policy.",
		},
		{
			Codes:  []string{"UserErrorRestoreToLowerVersion"},
			Class:  operation.Fatal,
			Advice: "Restore to a server of the same or a newer version.",
		},
		{
			Codes:  []string{"UserErrorDatabaseNameAlreadyInUse", "UserErrorDBNotFound", "UserErrorContainerNotAccessible"},
			Class:  operation.Fatal,
			Advice: "Correct the restore's target: its database name, server or storage container.",
		},
		{
			Codes:  []string{"BMSUserErrorInvalidInput", "BMSUserErrorInvalidConfigureProtectionRequest"},
			Class:  operation.Fatal,
			Advice: "See that the storage account is registered with the vault and that the policy is for this kind of item.",
		},
		{
			Codes: []string{
				"FileShareNotFound", "UserErrorStorageAccountNotFound", "UserErrorDTSStorageAccountNotFound",
				"UserErrorBackupAFSInDeleteState", "UserErrorResourceGroupNotFound",
			},
			Class:  operation.Fatal,
			Advice: "The file share or its storage account does not exist any more; stop its protection if it is gone for good.",
		},
		{
			Codes:  []string{"UserErrorFileShareEndpointUnreachable", "UserErrorStorageAccountInternetRoutingNotSupported"},
			Class:  operation.Fatal,
			Advice: "Azure Backup does not support the storage account as it is: see its kind, and that its routing preference is Microsoft network routing.",
		},
		{
			Codes:  []string{"AFSMaxSnapshotReached"},
			Class:  operation.Fatal,
			Advice: "The file share has as many snapshots as it can hold; delete some, or keep fewer by the policy.",
		},
		{
			Codes:  []string{"ResourceGuardOperationForbidden"},
			Text:   "ResourceGuard Operation requestid",
			Class:  operation.Fatal,
			Advice: "The vault asks for multi-user authorization; have the operation approved on its Resource Guard.",
		},
		{
			Codes:  []string{"RequestDisallowedByPolicy", "ReadOnlyDisabledSubscription"},
			Class:  operation.Fatal,
			Advice: "An Azure Policy or the state of the subscription forbids this.",
		},
		{
			Codes: []string{CodeResourceNotFound, "ResourceGroupNotFound", "SubscriptionNotFound"},
			Class: operation.Fatal,
		},
	}
}

// known finds a code in the catalogue, whatever its casing.
func known(code string) (Entry, bool) {
	for _, e := range Catalogue() {
		for _, c := range e.Codes {
			if strings.EqualFold(c, code) {
				return e, true
			}
		}
	}
	return Entry{}, false
}

// knownByText finds an entry whose text is in the message.
func knownByText(message string) (Entry, bool) {
	for _, e := range Catalogue() {
		if e.Text != "" && strings.Contains(strings.ToLower(message), strings.ToLower(e.Text)) {
			return e, true
		}
	}
	return Entry{}, false
}

// namedIn finds a code that a text names as a word: jobs number their errors
// and name the code, if at all, in the text.
func namedIn(text string) (code string, e Entry, ok bool) {
	words := strings.FieldsFunc(text, func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9')
	})
	for _, w := range words {
		// A short word such as Conflict may just be one.
		if len(w) < len("FileShareNotFound") {
			continue
		}
		if e, ok := known(w); ok {
			return w, e, true
		}
	}
	return "", Entry{}, false
}
