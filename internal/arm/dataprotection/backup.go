package dataprotection

import (
	"context"
	"errors"
	"net/http"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	sdk "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/dataprotection/armdataprotection/v3"

	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/arm/lro"
	"azbackupflow/internal/arm/vaultapi"
)

// BackupRuleOptions holds the options of an on-demand backup.
type BackupRuleOptions struct {
	// RuleName is one of the policy's BackupRules.
	RuleName string
	// RetentionTagOverride is the retention rule of the backup; empty means the
	// rule's default.
	RetentionTagOverride string
}

// Backup starts an on-demand backup. A second call starts a second backup.
// attemptID is sent as x-ms-client-request-id; according to recordings, the job
// that starts has it as its ActivityID.
//
// Backup Instances - Adhoc Backup: POST {instance}/backup. It answers 202 with
// Retry-After 30. The Azure-AsyncOperation has no Retry-After and names the job
// by its full resource ID.
func (c *Client) Backup(ctx context.Context, id InstanceID, o BackupRuleOptions, attemptID string) (lro.Submission, error) {
	if o.RuleName == "" {
		return lro.Submission{}, azerr.Malformed(errors.New("an on-demand backup needs the name of a backup rule of its policy"))
	}
	return c.api.Start(ctx, vaultapi.Call{
		Method: http.MethodPost, ClientRequestID: attemptID,
		Body: sdk.TriggerBackupRequest{BackupRuleOptions: &sdk.AdHocBackupRuleOptions{
			RuleName:      to.Ptr(o.RuleName),
			TriggerOption: &sdk.AdhocBackupTriggerOption{RetentionTagOverride: optional(o.RetentionTagOverride)},
		}},
	}, id.Vault, id.names("backup")...)
}
