package dataprotection

import (
	"context"
	"fmt"
	"strings"
	"time"

	"azbackupflow/internal/arm/azjson"
	"azbackupflow/internal/arm/dataprotection/kinds"
	"azbackupflow/internal/arm/vaultapi"
)

// Types of data stores, also called tiers.
const (
	StoreVault       = kinds.StoreVault
	StoreArchive     = kinds.StoreArchive
	StoreOperational = kinds.StoreOperational
)

// Values of a data store's rehydrationStatus.
const (
	RehydrationInProgress = "CREATE_IN_PROGRESS"
	RehydrationCompleted  = "COMPLETED"
)

// RecoveryPointCompleted is the state of a recovery point that holds everything.
// Snapshots have no state.
const RecoveryPointCompleted = "Completed"

// RecoveryPoint is a backup that can be restored.
type RecoveryPoint struct {
	ID string
	// RecoveryPointID is the name that a restore needs. FriendlyName is not,
	// although Learn's page on restores uses it.
	RecoveryPointID string
	FriendlyName    string
	Time            time.Time
	// Type is Full, Incremental and so on.
	Type string
	// State is Completed, or Partial if some data could not be backed up.
	State string
	// ExpiryTime is zero if Azure reports none.
	ExpiryTime       time.Time
	RetentionTagName string
	PolicyName       string
	DataStores       []DataStore
}

// DataStore is a data store that holds a recovery point.
type DataStore struct {
	ID string
	// Type is one of the Store constants.
	Type string
	// State is COMMITTED once the recovery point is complete there.
	State string
	// Hidden reports that Azure does not show the recovery point there.
	Hidden       bool
	CreationTime time.Time
	// ExpiryTime is zero if Azure reports none.
	ExpiryTime time.Time
	// RehydrationStatus is empty if the recovery point was not rehydrated from
	// the archive.
	RehydrationStatus     string
	RehydrationExpiryTime time.Time
}

// In returns the recovery point's data store of a type; ok is false if it has
// none.
func (p RecoveryPoint) In(store string) (d DataStore, ok bool) {
	for _, d := range p.DataStores {
		if strings.EqualFold(d.Type, store) {
			return d, true
		}
	}
	return DataStore{}, false
}

// Usable reports whether a restore from a store can be expected to succeed at a
// time: the recovery point is complete, and in the store it is visible, not
// deleted and not expired. A copy that was rehydrated from the archive must still
// be there. A recovery point without an expiry time does not expire.
func (p RecoveryPoint) Usable(store string, now time.Time) bool {
	d, ok := p.In(store)
	return ok && (p.State == "" || strings.EqualFold(p.State, RecoveryPointCompleted)) &&
		!d.Hidden && !strings.Contains(strings.ToUpper(d.State), "DELET") &&
		!passed(p.ExpiryTime, now) && !passed(d.ExpiryTime, now) && d.rehydrated(now)
}

// rehydrated reports whether the store's copy is complete, if it is one of an
// archived recovery point. The archive's own copy stays when the rehydrated one
// goes.
func (d DataStore) rehydrated(now time.Time) bool {
	if strings.EqualFold(d.Type, StoreArchive) {
		return true
	}
	return (d.RehydrationStatus == "" || strings.EqualFold(d.RehydrationStatus, RehydrationCompleted)) && !passed(d.RehydrationExpiryTime, now)
}

// passed reports whether a time is known and not in the future.
func passed(t, now time.Time) bool { return !t.IsZero() && !t.After(now) }

// RecoveryPointFilter filters a list of recovery points by time. A zero time
// does not filter.
type RecoveryPointFilter struct {
	Start, End time.Time
}

// recoveryPointTime is the time format of the filter, in UTC, as the Azure CLI
// sends it.
const recoveryPointTime = "2006-01-02T15:04:05.0000000Z"

// odata returns the OData filter. The API description does not document it; the
// Azure CLI and Azure PowerShell send startDate and endDate.
func (f RecoveryPointFilter) odata() string {
	var terms []string
	if !f.Start.IsZero() {
		terms = append(terms, fmt.Sprintf("startDate eq '%s'", f.Start.UTC().Format(recoveryPointTime)))
	}
	if !f.End.IsZero() {
		terms = append(terms, fmt.Sprintf("endDate eq '%s'", f.End.UTC().Format(recoveryPointTime)))
	}
	return strings.Join(terms, " and ")
}

type recoveryPointBody struct {
	ID         string
	Name       string
	Properties struct {
		RecoveryPointID                azjson.Text
		RecoveryPointTime              azjson.Time
		RecoveryPointType              azjson.Text
		RecoveryPointState             azjson.Text
		FriendlyName                   azjson.Text
		ExpiryTime                     azjson.Time
		RetentionTagName               azjson.Text
		PolicyName                     azjson.Text
		RecoveryPointDataStoresDetails []struct {
			ID                    azjson.Text
			Type                  azjson.Text
			State                 azjson.Text
			Visible               azjson.Text
			CreationTime          azjson.Time
			ExpiryTime            azjson.Time
			RehydrationStatus     azjson.Text
			RehydrationExpiryTime azjson.Time
		}
	}
}

func (b recoveryPointBody) point() RecoveryPoint {
	p := b.Properties
	r := RecoveryPoint{
		ID: b.ID, RecoveryPointID: string(p.RecoveryPointID), FriendlyName: string(p.FriendlyName),
		Time: p.RecoveryPointTime.Time, Type: string(p.RecoveryPointType), State: string(p.RecoveryPointState),
		ExpiryTime: p.ExpiryTime.Time, RetentionTagName: string(p.RetentionTagName), PolicyName: string(p.PolicyName),
	}
	if r.RecoveryPointID == "" {
		r.RecoveryPointID = b.Name
	}
	for _, d := range p.RecoveryPointDataStoresDetails {
		r.DataStores = append(r.DataStores, DataStore{
			ID: string(d.ID), Type: string(d.Type), State: string(d.State), Hidden: strings.EqualFold(string(d.Visible), "false"),
			CreationTime: d.CreationTime.Time, ExpiryTime: d.ExpiryTime.Time,
			RehydrationStatus: string(d.RehydrationStatus), RehydrationExpiryTime: d.RehydrationExpiryTime.Time,
		})
	}
	return r
}

// ListRecoveryPoints lists the instance's recovery points, all pages. Azure
// guarantees no order.
//
// Recovery Points - List: GET {instance}/recoveryPoints.
func (c *Client) ListRecoveryPoints(ctx context.Context, id InstanceID, f RecoveryPointFilter) ([]RecoveryPoint, error) {
	return vaultapi.List(ctx, c.api, recoveryPointBody.point, f.odata(), id.Vault, id.names("recoveryPoints")...)
}

// GetRecoveryPoint reads one recovery point by its RecoveryPointID.
//
// Recovery Points - Get: GET {instance}/recoveryPoints/{recoveryPoint}.
func (c *Client) GetRecoveryPoint(ctx context.Context, id InstanceID, recoveryPointID string) (RecoveryPoint, error) {
	return vaultapi.Get(ctx, c.api, recoveryPointBody.point, id.Vault, id.names("recoveryPoints", recoveryPointID)...)
}
