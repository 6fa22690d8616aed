package dataprotection

import (
	"context"
	"errors"
	"net/http"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	sdk "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/dataprotection/armdataprotection/v3"

	"azbackupflow/internal/arm"
	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/arm/lro"
)

// BackupRuleOptions is what an on-demand backup is asked with.
type BackupRuleOptions struct {
	// RuleName is one of the policy's BackupRules.
	RuleName string
	// RetentionTagOverride is the retention rule to keep the backup by; empty
	// leaves it to the rule's default.
	RetentionTagOverride string
}

// Backup starts an on-demand backup. It must not be made twice: attemptID is
// sent as x-ms-client-request-id, and as far as recordings show the job that
// starts carries it as its ActivityID.
//
// Backup Instances - Adhoc Backup: POST {instance}/backup. Answers 202 with
// Retry-After 30; the Azure-AsyncOperation, which has none, names the job by its
// full resource id.
func (c *Client) Backup(ctx context.Context, id InstanceID, o BackupRuleOptions, attemptID string) (lro.Submission, error) {
	path, err := id.path("backup")
	if err != nil {
		return lro.Submission{}, err
	}
	if o.RuleName == "" {
		return lro.Submission{}, azerr.Malformed(errors.New("an on-demand backup needs the name of one of its policy's backup rules"))
	}
	return lro.Start(ctx, c.arm, arm.Request{
		Method: http.MethodPost, Path: path, Query: query(""), ClientRequestID: attemptID,
		Body: sdk.TriggerBackupRequest{BackupRuleOptions: &sdk.AdHocBackupRuleOptions{
			RuleName:      to.Ptr(o.RuleName),
			TriggerOption: &sdk.AdhocBackupTriggerOption{RetentionTagOverride: given(o.RetentionTagOverride)},
		}},
	})
}
