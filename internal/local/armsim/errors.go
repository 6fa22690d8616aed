package armsim

import (
	"encoding/json"
	"fmt"
	"net/http"
)

// armError is a refusal: a status and an error of Azure's shape.
type armError struct {
	status  int
	code    string
	message string
	target  string
	header  http.Header
	// facing, if set, is the error as Microsoft.DataProtection nests it.
	facing *userError
}

// errorBody is the body of a refusal. Errors of the gateway have only a code
// and a message (recorded); those of the backup service have also a target and
// details, which are null when there are none.
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

// fromBackupService tells the backup service's codes by their prefix.
func fromBackupService(code string) bool {
	for _, p := range []string{"BMSUserError", "UserError", "Cloud"} {
		if len(code) > len(p) && code[:len(p)] == p {
			return true
		}
	}
	return false
}

// mustJSON encodes what the simulator itself put together, which cannot fail.
func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		return []byte(fmt.Sprintf("%q", err.Error()))
	}
	return b
}

// invalidInput is the backup service's 400 about a request, naming the field.
// The text up to the field is Azure's.
func invalidInput(field, format string, args ...any) *armError {
	return &armError{
		status: http.StatusBadRequest, code: "BMSUserErrorInvalidInput", target: field,
		message: "Input provided for the call is invalid. " + field + ": " + fmt.Sprintf(format, args...),
	}
}

// itemNotFound is recorded by users of the Terraform provider, for a GET.
func itemNotFound() *armError {
	return &armError{
		status: http.StatusNotFound, code: "BMSUserErrorDataSourceObjectNotFound",
		message: "Item not found.\r\nSelected item might have been deleted. Please check if item is registered to the vault.",
	}
}

// notFound is the gateway's 404 about the resource that the first types of the
// path name, as recorded.
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

// operationNotFound is the answer about an operation that is unknown or no
// longer known. Azure's own code for it was not recorded.
func operationNotFound(id string) *armError {
	return &armError{
		status: http.StatusNotFound, code: "ResourceNotFound",
		message: fmt.Sprintf("The operation '%s' was not found.", id),
	}
}

// jobNotFound is the answer about an unknown job. A choice.
func jobNotFound(id string) *armError {
	return &armError{
		status: http.StatusNotFound, code: "BMSUserErrorObjectNotFound", target: "jobName",
		message: fmt.Sprintf("The specified job '%s' was not found in the vault.", id),
	}
}
