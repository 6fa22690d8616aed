package autoprotect

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"azbackupflow/internal/flow"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/request"
)

// The flows that rules start.
const (
	flowFileShare = "protect-file-share"
	flowPostgres  = "protect-postgres"
)

// Labels of every operation that a rule starts.
const (
	labelRule   = "rule"
	labelSource = "source"
)

// request returns the request that the rule creates for a resource.
func (r Rule) request(res Resource, key string) (request.Request, error) {
	req := request.Request{Key: key}
	var parameters any
	switch res.Kind {
	case FileShare:
		req.Flow = flowFileShare
		p := flow.ProtectFileShare{VaultID: r.Protect.VaultID, StorageAccountID: res.AccountID, FileShare: res.Name, Policy: r.Protect.Policy}
		if r.Protect.FirstBackup {
			p.FirstBackup = &flow.FirstBackup{}
		}
		parameters = p
	case PostgresFlexibleServer:
		req.Flow = flowPostgres
		parameters = flow.ProtectPostgres{VaultID: r.Protect.VaultID, ServerID: res.ID, Location: res.Location, Policy: r.Protect.Policy}
	default:
		return req, fmt.Errorf("resources of type %q cannot be protected", res.Kind)
	}
	var err error
	req.Parameters, err = json.Marshal(parameters)
	return req, err
}

// requestKey returns the idempotency key of the request. It is the same for one
// resource and rule until the resource is deleted, so that an update of the
// resource starts nothing. retry distinguishes later attempts; it is empty for
// the first.
func (r Rule) requestKey(res Resource, retry string) string {
	sum := sha256.Sum256([]byte(strings.ToLower(res.ID)))
	created := "unknown"
	if !res.Created.IsZero() {
		created = res.Created.UTC().Format("20060102T150405Z")
	}
	key := "protect:" + hex.EncodeToString(sum[:12]) + ":" + r.Name + ":" + created
	if retry != "" {
		key += ":" + retry
	}
	return key
}

// operationID returns the ID of the operation that the rule starts first for a
// resource.
func (r Rule) operationID(tenant string, res Resource) string {
	flow := flowFileShare
	if res.Kind == PostgresFlexibleServer {
		flow = flowPostgres
	}
	return operation.ID(tenant, flow, r.requestKey(res, ""))
}
