package dataprotection

import (
	"context"
	"errors"
	"maps"
	"net/http"

	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/arm/lro"
	"azbackupflow/internal/arm/vaultapi"
)

// InstanceBody is a backup instance as Azure returned it, with all its fields. A
// change writes it back, so that nothing else changes.
type InstanceBody struct {
	properties map[string]any
	tags       map[string]any
}

// GetInstanceBody reads a backup instance with all its fields.
//
// Backup Instances - Get: GET {vault}/backupInstances/{instance}.
func (c *Client) GetInstanceBody(ctx context.Context, id InstanceID) (InstanceBody, error) {
	type body struct{ Properties, Tags map[string]any }
	return vaultapi.Get(ctx, c.api, func(b body) InstanceBody { return InstanceBody{properties: b.Properties, tags: b.Tags} }, id.Vault, id.names()...)
}

// PolicyID returns the resource ID of the instance's policy.
func (b InstanceBody) PolicyID() string { return textAt(b.properties, "policyInfo", "policyId") }

// DatasourceID returns the resource ID of the datasource.
func (b InstanceBody) DatasourceID() string {
	if id := textAt(b.properties, "dataSourceInfo", "resourceID"); id != "" {
		return id
	}
	return textAt(b.properties, "dataSourceInfo", "resourceId")
}

// textAt returns the text at a field of an object; empty if there is none.
func textAt(object map[string]any, name, field string) string {
	inner, _ := object[name].(map[string]any)
	text, _ := inner[field].(string)
	return text
}

// readOnly are the fields that Azure sets.
func readOnly() []string {
	return []string{"currentProtectionState", "protectionStatus", "protectionErrorDetails", "provisioningState"}
}

// WithPolicy returns a copy with another policy.
func (b InstanceBody) WithPolicy(policyID string) InstanceBody {
	properties := maps.Clone(b.properties)
	for _, name := range readOnly() {
		delete(properties, name)
	}
	info := map[string]any{}
	if old, ok := properties["policyInfo"].(map[string]any); ok {
		info = maps.Clone(old)
	}
	delete(info, "policyVersion")
	info["policyId"] = policyID
	properties["policyInfo"] = info
	return InstanceBody{properties: properties, tags: b.tags}
}

// PutInstanceBody writes a backup instance that was read and changed.
//
// Backup Instances - Create Or Update: PUT {vault}/backupInstances/{instance}. A
// change of the policy was recorded to answer 201 with the instance
// UpdatingProtection and an Azure-AsyncOperation. There is no job.
func (c *Client) PutInstanceBody(ctx context.Context, id InstanceID, b InstanceBody) (lro.Submission, error) {
	if b.DatasourceID() == "" || b.PolicyID() == "" {
		return lro.Submission{}, azerr.Malformed(errors.New("the backup instance was returned without its datasource or policy"))
	}
	body := map[string]any{"properties": b.properties}
	if len(b.tags) > 0 {
		body["tags"] = b.tags
	}
	return c.api.Start(ctx, vaultapi.Call{Method: http.MethodPut, Body: body}, id.Vault, id.names()...)
}
