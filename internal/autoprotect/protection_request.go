package autoprotect

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"strings"

	"azbackupflow/internal/operation"
	"azbackupflow/internal/request"
	"azbackupflow/internal/step"
)

// Labels of every operation that a rule starts.
const (
	labelRule   = "rule"
	labelSource = "source"
)

// request returns the request that the rule creates for a resource. The error is a
// *step.Invalid if the resource has a name that no request can name.
func (r Rule) request(res Resource, key string) (request.Request, error) {
	e := res.Kind.entry()
	if e.flow == "" {
		return request.Request{}, fmt.Errorf("resources of type %q cannot be protected", res.Kind)
	}
	// In a request, * stands for any databases.
	if e.workload != "" && strings.Contains(res.Name, "*") {
		return request.Request{}, &step.Invalid{Fields: []step.FieldError{{
			Field: "parameters.databases", Problem: fmt.Sprintf("database %q has a * in its name, which would name other databases too", res.Name),
			Want: "a request of your own that protects the instance with autoProtect",
		}}}
	}
	parameters := r.ownParameters(res)
	for _, more := range []map[string]any{e.defaults, r.Protect.Parameters} {
		maps.Copy(parameters, more)
	}
	raw, err := json.Marshal(parameters)
	return request.Request{Flow: e.flow, Key: key, Parameters: raw}, err
}

// ownParameters returns the parameters that the resource and the rule decide.
func (r Rule) ownParameters(res Resource) map[string]any {
	e := res.Kind.entry()
	own := map[string]any{"vaultId": r.Protect.vaultIn(res.Location), "policy": r.Protect.Policy, e.idField: res.SourceID}
	maps.Copy(own, e.fixed)
	switch {
	case e.shares:
		own["fileShare"] = res.Name
	case e.workload != "":
		own["instance"], own["databases"] = res.Instance, []string{res.Name}
	case e.datasource != "":
		own["location"] = res.Location
	}
	if r.Protect.FirstBackup {
		own["firstBackup"] = map[string]any{}
	}
	return own
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
	return operation.ID(tenant, res.Kind.entry().flow, r.requestKey(res, ""))
}
