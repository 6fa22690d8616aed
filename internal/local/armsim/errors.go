package armsim

import (
	"encoding/json"
	"fmt"
	"net/http"
)

// armError is an error answer: a status and an error in Azure's format.
type armError struct {
	status  int
	code    string
	message string
	target  string
	header  http.Header
	// userFacing, if set, is the error as Microsoft.DataProtection nests it.
	userFacing *userError
}

// errorBody returns the body of an error answer. Errors of the gateway have
// only a code and a message (recorded). Errors of the backup service also have
// a target and details, which are null if there are none.
func errorBody(code, message, target string) []byte {
	type body struct {
		Code    string  `json:"code"`
		Message string  `json:"message"`
		Target  *string `json:"target"`
		Details []any   `json:"details"`
	}
	type gatewayBody struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	}
	var inner any = gatewayBody{code, message}
	if fromBackupService(code) {
		b := body{Code: code, Message: message}
		if target != "" {
			b.Target = &target
		}
		inner = b
	}
	return mustJSON(map[string]any{"error": inner})
}

// fromBackupService reports whether a code belongs to the backup service, by
// its prefix.
func fromBackupService(code string) bool {
	for _, p := range []string{"BMSUserError", "UserError", "Cloud"} {
		if len(code) > len(p) && code[:len(p)] == p {
			return true
		}
	}
	return false
}

// mustJSON encodes a value that the simulator itself built, which cannot fail.
func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		return []byte(fmt.Sprintf("%q", err.Error()))
	}
	return b
}

// invalidInput returns the 400 of the backup service for an invalid field, and
// names the field. The text up to the field is Azure's.
func invalidInput(field, format string, args ...any) *armError {
	return &armError{
		status: http.StatusBadRequest, code: "BMSUserErrorInvalidInput", target: field,
		message: "Input provided for the call is invalid. " + field + ": " + fmt.Sprintf(format, args...),
	}
}

// itemNotFound returns the error that users of the Terraform provider recorded
// for a GET.
func itemNotFound() *armError {
	return &armError{
		status: http.StatusNotFound, code: "BMSUserErrorDataSourceObjectNotFound",
		message: "Item not found.\r\nSelected item might have been deleted. Please check if item is registered to the vault.",
	}
}

// notFound returns the 404 of the gateway for the resource that the first types
// of the path name, as recorded.
func (c *call) notFound(types int) *armError {
	resource := c.path.provider
	for n := range types {
		resource += "/" + c.path.types[n] + "/" + c.path.names[n]
	}
	return &armError{
		status: http.StatusNotFound, code: "ResourceNotFound",
		message: fmt.Sprintf("The Resource '%s' under resource group '%s' was not found. "+
			"For more details please go to https://aka.ms/ARMResourceNotFoundFix", resource, c.path.group),
		header: http.Header{"X-Ms-Failure-Cause": {"gateway"}},
	}
}

// operationNotFound returns the error for an unknown or expired operation.
// Azure's own code for it was not recorded.
func operationNotFound(id string) *armError {
	return &armError{
		status: http.StatusNotFound, code: "ResourceNotFound",
		message: fmt.Sprintf("The operation '%s' was not found.", id),
	}
}

// jobNotFound returns the error for an unknown job. It is a choice.
func jobNotFound(id string) *armError {
	return &armError{
		status: http.StatusNotFound, code: "BMSUserErrorObjectNotFound", target: "jobName",
		message: fmt.Sprintf("The specified job '%s' was not found in the vault.", id),
	}
}
