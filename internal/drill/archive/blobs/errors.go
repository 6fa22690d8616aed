package blobs

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"

	"azbackupflow/internal/drill/archive"
	"azbackupflow/internal/operation"
)

// missing reports whether a blob or its container does not exist. A container that
// someone deleted is created again by the next Create.
func missing(err error) bool {
	return bloberror.HasCode(err, bloberror.BlobNotFound, bloberror.ContainerNotFound)
}

// failed returns an *operation.Error with the class of an error, and one line of text;
// nil for nil.
func failed(action string, err error) error {
	if err == nil {
		return nil
	}
	var answer *azcore.ResponseError
	switch {
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("%s: %w", action, err)
	case !errors.As(err, &answer):
		return fmt.Errorf("%s: %w", action, &operation.Error{
			Code: "EvidenceStoreUnavailable", Class: operation.Transient, Message: "the blob service did not answer: " + err.Error(),
		})
	}
	e := &operation.Error{
		Code: answer.ErrorCode, Class: operation.Transient,
		Message: fmt.Sprintf("the blob service answered HTTP %d %s", answer.StatusCode, answer.ErrorCode),
	}
	switch answer.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden:
		e.Class = operation.UserAction
		e.RecommendedAction = []string{
			"Assign the role Storage Blob Data Contributor on the container " + archive.Container + " to the app's identity, and check the firewall of the storage account.",
		}
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		e.Class = operation.Throttled
	}
	if e.Code == "" {
		e.Code = fmt.Sprintf("HTTP%d", answer.StatusCode)
	}
	return fmt.Errorf("%s: %w", action, e)
}
