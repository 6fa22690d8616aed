package armsim

import "net/http"

// userError is an error of Microsoft.DataProtection: a code and a text, with
// the recommended action nested inside.
type userError struct {
	code, message string
	actions       []string
	// inner is the untranslated text of the error.
	inner    string
	target   string
	activity string
}

// knownErrors returns the known codes with their texts. The first three are
// from the Learn pages; the texts of the others are choices.
func knownErrors(code string) userError {
	switch code {
	case codeMissingPermissions:
		return userError{
			message: "Appropriate permissions to perform the operation is missing.",
			actions: []string{"Grant appropriate permissions to perform this operation as mentioned at https://aka.ms/UserErrorMissingRequiredPermissions and retry the operation."},
			inner:   "Validate for Protection failed. Exception Message: The client '" + systemIdentity + "' does not have authorization to perform action 'Microsoft.Authorization/roleAssignments/read' or the scope is invalid. If access was recently granted, please refresh your credentials.",
		}
	case codeLowerVersion:
		return userError{
			message: "Restoring backups of a higher PostgreSQL version to a lower version is not supported.",
			actions: []string{"Restore to the same or a higher PostgreSQL version from which the backup was taken."},
		}
	case codeAlreadyProtected:
		return userError{message: "Datasource is already protected under the Backup vault."}
	case codeDatabaseInUse:
		return userError{
			message: "The target database name is already in use.",
			actions: []string{"Restore to a database name that does not exist on the target server."},
		}
	case codeNoDatabase:
		return userError{
			message: "The database or its server was not found.",
			actions: []string{"Make sure that the server and the database exist."},
		}
	case codeContainerNotAccessible:
		return userError{
			message: "The target container is not accessible.",
			actions: []string{"Make sure that the container exists and that the Backup vault's managed identity has access to its storage account."},
		}
	case codeRestoreInProgress:
		return userError{
			message: "Another restore is in progress on the same target.",
			actions: []string{"Wait until the other restore has ended, or choose another target."},
		}
	case codeBackupInProgress:
		return userError{
			message: "Unable to initiate backup as another backup operation is currently in progress.",
			actions: []string{"Wait until the running backup has ended."},
		}
	}
	return userError{message: "The operation failed with error " + code + "."}
}

// Codes of the errors that the simulator itself detects.
const (
	codeMissingPermissions     = "UserErrorMissingRequiredPermissions"
	codeLowerVersion           = "UserErrorRestoreToLowerVersion"
	codeAlreadyProtected       = "UserErrorDppDatasourceAlreadyProtected"
	codeDatabaseInUse          = "UserErrorDatabaseNameAlreadyInUse"
	codeNoDatabase             = "UserErrorDBNotFound"
	codeContainerNotAccessible = "UserErrorContainerNotAccessible"
	codeRestoreInProgress      = "UserErrorAnotherRestoreInProgressOnSameTarget"
	codeBackupInProgress       = "UserErrorBackupOperationInProgress"
	codeInvalidInput           = "BMSUserErrorInvalidInput"
	codeImmutable              = "UserErrorOperationDeniedOnImmutableItem"
)

// newUserError returns the error of a code. Non-empty texts replace the known
// ones.
func newUserError(code, message, recommendation string) *userError {
	e := knownErrors(code)
	e.code = code
	if message != "" {
		e.message, e.inner = message, ""
	}
	if recommendation != "" {
		e.actions = []string{recommendation}
	}
	return &e
}

// withActivity sets the activity ID of the request that met the error.
func (e *userError) withActivity(activity string) *userError {
	e.activity = activity
	return e
}

// userFacing returns the UserFacingError, as on the Learn pages. isRetryable and
// isUserError are false even where the text contradicts them (documented).
func (e *userError) userFacing() map[string]any {
	actions := e.actions
	if actions == nil {
		actions = []string{}
	}
	f := map[string]any{
		"message": e.message, "recommendedAction": actions, "details": nil, "code": e.code, "target": e.target,
		"innerError": nil, "isRetryable": false, "isUserError": false,
		"properties": map[string]any{"ActivityId": e.activity},
	}
	if e.inner != "" {
		f["innerError"] = map[string]any{
			"code":           e.code,
			"additionalInfo": map[string]any{"DetailedNonLocalisedMessage": e.inner},
		}
	}
	return f
}

// view returns the error of a failed operation.
func (e *userError) view() map[string]any {
	return map[string]any{
		"additionalInfo": []any{map[string]any{"type": "UserFacingError", "info": e.userFacing()}},
		"code":           e.code, "message": e.message,
	}
}

// rejection returns the error as the answer to a request.
func (e *userError) rejection(status int) *armError {
	return &armError{status: status, code: e.code, message: e.message, userFacing: e}
}

// body returns the body of an error answer.
func (e *userError) body() []byte {
	v := e.view()
	v["target"], v["details"] = nil, nil
	return mustJSON(map[string]any{"error": v})
}

// AnswerUserError answers with a nested error of Microsoft.DataProtection, with
// a recommended action. For codes of the error catalogue, an empty message or
// recommendation is filled in.
func AnswerUserError(status int, code, message, recommendation string, header http.Header) Effect {
	return Answer(status, string(newUserError(code, message, recommendation).body()), header)
}
