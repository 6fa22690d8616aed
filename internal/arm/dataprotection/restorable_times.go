package dataprotection

import (
	"context"
	"errors"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	sdk "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/dataprotection/armdataprotection/v3"

	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/arm/azjson"
	"azbackupflow/internal/arm/vaultapi"
)

// TimeRange is a range of times to which a continuous backup can be restored.
type TimeRange struct{ Start, End time.Time }

// Includes reports whether the range includes a time.
func (r TimeRange) Includes(t time.Time) bool { return !t.Before(r.Start) && !t.After(r.End) }

// RestorableTimes returns the times to which a continuous backup can be restored:
// between two times, or all of them if both are zero. One without the other is
// rejected: Azure answers such a request with 500, which looks like a fault that
// passes. Empty ranges, whose end precedes their start, are left out; Azure
// returns one for times outside of the retention.
//
// Restorable Time Ranges - Find: POST {instance}/findRestorableTimeRanges. It
// answers at once.
func (c *Client) RestorableTimes(ctx context.Context, id InstanceID, from, until time.Time) ([]TimeRange, error) {
	if from.IsZero() != until.IsZero() {
		return nil, azerr.Malformed(errors.New("restorable times need both a start and an end, or neither"))
	}
	request := sdk.AzureBackupFindRestorableTimeRangesRequest{SourceDataStoreType: to.Ptr(sdk.RestoreSourceDataStoreTypeOperationalStore)}
	if !from.IsZero() {
		request.StartTime = to.Ptr(from.UTC().Format(recoveryPointTime))
		request.EndTime = to.Ptr(until.UTC().Format(recoveryPointTime))
	}
	return vaultapi.Ask(ctx, c.api, timeRangesBody.ranges, request, id.Vault, id.names("findRestorableTimeRanges")...)
}

type timeRangesBody struct {
	Properties struct {
		RestorableTimeRanges []struct{ StartTime, EndTime azjson.Time }
	}
}

func (b timeRangesBody) ranges() (ranges []TimeRange) {
	for _, r := range b.Properties.RestorableTimeRanges {
		if r.EndTime.After(r.StartTime.Time) {
			ranges = append(ranges, TimeRange{Start: r.StartTime.Time, End: r.EndTime.Time})
		}
	}
	return ranges
}
