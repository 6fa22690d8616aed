package dataprotection

import (
	"context"
	"fmt"
	"strings"
	"time"

	"azbackupflow/internal/arm"
	"azbackupflow/internal/arm/azjson"
)

// Kinds of data stores, also called tiers.
const (
	StoreVault       = "VaultStore"
	StoreArchive     = "ArchiveStore"
	StoreOperational = "OperationalStore"
)

// Values of a data store's rehydrationStatus.
const (
	RehydrationInProgress = "CREATE_IN_PROGRESS"
	RehydrationCompleted  = "COMPLETED"
)

// RecoveryPoint is a backup that can be restored.
type RecoveryPoint struct {
	ID string
	// RecoveryPointID is the name that a restore asks for. FriendlyName is not,
	// although Learn's restore page names its recovery point by it.
	RecoveryPointID string
	FriendlyName    string
	Time            time.Time
	// Type is Full, Incremental and so on.
	Type string
	// State is Completed, or Partial where some of it could not be backed up.
	State string
	// ExpiryTime is zero where Azure gives none.
	ExpiryTime       time.Time
	RetentionTagName string
	PolicyName       string
	DataStores       []DataStore
}

// DataStore is where a recovery point lies.
type DataStore struct {
	ID string
	// Type is one of the Store constants.
	Type string
	// State is COMMITTED when the recovery point is whole there.
	State        string
	CreationTime time.Time
	// ExpiryTime is zero where Azure gives none.
	ExpiryTime time.Time
	// RehydrationStatus is empty where nothing was rehydrated from the archive.
	RehydrationStatus     string
	RehydrationExpiryTime time.Time
}

// In gives the recovery point's data store of a kind; ok is false if it does
// not lie there.
func (p RecoveryPoint) In(store string) (d DataStore, ok bool) {
	for _, d := range p.DataStores {
		if strings.EqualFold(d.Type, store) {
			return d, true
		}
	}
	return DataStore{}, false
}

// RecoveryPointFilter says which recovery points to list; a zero time does not
// bound.
type RecoveryPointFilter struct {
	Start, End time.Time
}

// recoveryPointTime is how the filter writes a time, in UTC: the Azure CLI
// sends it so.
const recoveryPointTime = "2006-01-02T15:04:05.0000000Z"

// odata writes the filter, which is not in the API description: startDate and
// endDate are the Azure CLI's and Azure PowerShell's.
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
			ID: string(d.ID), Type: string(d.Type), State: string(d.State),
			CreationTime: d.CreationTime.Time, ExpiryTime: d.ExpiryTime.Time,
			RehydrationStatus: string(d.RehydrationStatus), RehydrationExpiryTime: d.RehydrationExpiryTime.Time,
		})
	}
	return r
}

// ListRecoveryPoints lists the instance's recovery points, all pages, in no
// order that Azure promises.
//
// Recovery Points - List: GET {instance}/recoveryPoints.
func (c *Client) ListRecoveryPoints(ctx context.Context, id InstanceID, f RecoveryPointFilter) ([]RecoveryPoint, error) {
	path, err := id.path("recoveryPoints")
	if err != nil {
		return nil, err
	}
	items, err := arm.All[recoveryPointBody](ctx, c.arm, path, query(f.odata()))
	if err != nil {
		return nil, err
	}
	found := make([]RecoveryPoint, len(items))
	for i, b := range items {
		found[i] = b.point()
	}
	return found, nil
}

// GetRecoveryPoint reads one recovery point by its RecoveryPointID.
//
// Recovery Points - Get: GET {instance}/recoveryPoints/{recoveryPoint}.
func (c *Client) GetRecoveryPoint(ctx context.Context, id InstanceID, recoveryPointID string) (RecoveryPoint, error) {
	path, err := id.path("recoveryPoints", recoveryPointID)
	if err != nil {
		return RecoveryPoint{}, err
	}
	var body recoveryPointBody
	if err := c.arm.Get(ctx, path, query(""), &body); err != nil {
		return RecoveryPoint{}, err
	}
	return body.point(), nil
}
