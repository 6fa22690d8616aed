package keyvault

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"azbackupflow/internal/operation"
)

// failed returns an *operation.Error with the class of an error, and one line of text.
func failed(action string, err error) error {
	if errors.Is(err, context.Canceled) {
		return fmt.Errorf("%s: %w", action, err)
	}
	var answer *azcore.ResponseError
	if !errors.As(err, &answer) {
		return fmt.Errorf("%s: %w", action, &operation.Error{
			Code: "KeyVaultUnavailable", Class: operation.Transient, Message: "Key Vault did not answer: " + err.Error(),
		})
	}
	e := &operation.Error{
		Code: answer.ErrorCode, Class: operation.Transient,
		Message: fmt.Sprintf("Key Vault answered HTTP %d %s", answer.StatusCode, answer.ErrorCode),
	}
	switch answer.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden:
		e.Class = operation.UserAction
		e.RecommendedAction = []string{
			"Assign the role Key Vault Crypto User on the key to the app's identity. Check that the key is enabled, and the firewall of the vault.",
		}
	case http.StatusNotFound:
		e.Class = operation.UserAction
		e.RecommendedAction = []string{"Set AZBACKUPFLOW_EVIDENCE_KEY to the URL of a key and version that exist."}
	case http.StatusTooManyRequests:
		e.Class = operation.Throttled
	}
	if e.Code == "" {
		e.Code = fmt.Sprintf("HTTP%d", answer.StatusCode)
	}
	return fmt.Errorf("%s: %w", action, e)
}

// unexpected returns the error of a key, or of an answer about it, that cannot be
// used.
func unexpected(key Key, why string) error {
	return &operation.Error{
		Code: "SigningKeyUnusable", Class: operation.UserAction,
		Message:           fmt.Sprintf("key %s in %s cannot sign evidence: %s", key.Name, key.Vault, why),
		RecommendedAction: []string{"Create a key of the type EC on the curve P-256, and set AZBACKUPFLOW_EVIDENCE_KEY to its URL."},
	}
}
