package signin

import (
	"encoding/json"
	"errors"
	"io"
	"regexp"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

// entraCode is an error code of Microsoft Entra.
var entraCode = regexp.MustCompile(`AADSTS\d+`)

// remedies returns the remedy for each known error code of Microsoft Entra.
// https://learn.microsoft.com/entra/identity-platform/reference-error-codes
func remedies() map[string]string {
	const federation = "compare the issuer, subject and audience of the federated credential with those of the pipeline"
	return map[string]string{
		"AADSTS500011": "check --audience: the tenant has no app registration with this application ID URI",
		"AADSTS65001":  "let an administrator consent to the app registration, or add the Azure CLI to its authorized client applications",
		"AADSTS90002":  "check --tenant-id",
		"AADSTS700016": "check --client-id and --tenant-id",
		"AADSTS70021":  federation, "AADSTS700211": federation, "AADSTS700212": federation, "AADSTS700213": federation, "AADSTS700223": federation, "AADSTS700024": federation,
		"AADSTS501051": "assign an app role of the app registration to the identity",
		"AADSTS50105":  "assign an app role of the app registration to the user or one of its groups",
		"AADSTS50173":  "sign in again with az login",
		"AADSTS700082": "sign in again with az login",
	}
}

// failed returns the error of a sign-in in words, without the text of a library.
func (c Config) failed(err error) error {
	e := &Error{Method: c.Method, Problem: "no token was issued", Remedy: c.usualRemedy()}
	text := err.Error() + entraText(err)
	switch code := entraCode.FindString(text); {
	case code != "":
		e.Problem = "Microsoft Entra rejected it with " + code
		if remedy, known := remedies()[code]; known {
			e.Remedy = remedy
		} else {
			e.Remedy = "see https://login.microsoftonline.com/error?code=" + strings.TrimPrefix(code, "AADSTS")
		}
	case c.Method == AzureCLI && strings.Contains(text, "not found"):
		e.Problem, e.Remedy = "the Azure CLI is not installed", "install it, or select another method with --sign-in"
	case c.Method == AzureCLI:
		e.Problem = "the Azure CLI has no sign-in for this app"
	case c.Method == ManagedIdentity:
		e.Problem = "this machine has no such managed identity"
	}
	return e
}

// entraText returns the response of Microsoft Entra to a failed request.
func entraText(err error) string {
	var failed *azidentity.AuthenticationFailedError
	if !errors.As(err, &failed) || failed.RawResponse == nil {
		return ""
	}
	const maxAnswer = 64 << 10
	raw, err := io.ReadAll(io.LimitReader(failed.RawResponse.Body, maxAnswer))
	var answer struct {
		Description string `json:"error_description"`
	}
	if err != nil || json.Unmarshal(raw, &answer) != nil {
		return ""
	}
	return " " + answer.Description
}

func (c Config) usualRemedy() string {
	switch c.Method {
	case AzureCLI:
		return "run az login, with --tenant if the app is in another tenant"
	case ManagedIdentity:
		return "assign a managed identity to this machine, and name a user-assigned one with --client-id"
	case WorkloadIdentity:
		return "compare the federated credential of the identity with the pipeline"
	}
	return "check --tenant-id, --client-id and --audience"
}
