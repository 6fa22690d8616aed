package armsim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// shape is the fields that an object may have, spelt exactly so; those whose
// shape is nil may hold anything. Azure's own reader is not that strict
// everywhere, but where it is not, it drops what it does not know.
type shape map[string]shape

// check refuses a field that the shape does not have, naming it.
func (s shape) check(path string, v any) *armError {
	m, ok := v.(map[string]any)
	if !ok {
		return nil // what should be an object and is none fails to be decoded
	}
	for _, name := range sortedNames(m) {
		sub, known := s[name]
		field := strings.TrimPrefix(path+"."+name, ".")
		if !known {
			return invalidField(field, "there is no such field%s", s.hint(name))
		}
		if sub == nil {
			continue
		}
		if err := sub.check(field, m[name]); err != nil {
			return err
		}
	}
	return nil
}

// hint names the field that was probably meant.
func (s shape) hint(name string) string {
	plain := func(text string) string { return strings.ToLower(strings.ReplaceAll(text, "_", "")) }
	for known := range s {
		if plain(known) == plain(name) {
			return "; it is spelt " + known
		}
	}
	return ""
}

func sortedNames(m map[string]any) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// invalidField is Microsoft.DataProtection's 400 about a request, naming the
// field.
func invalidField(field, format string, args ...any) *armError {
	e := newUserError(codeInvalidInput, "Input provided for the call is invalid. "+field+": "+fmt.Sprintf(format, args...),
		"Correct the request and send it again.")
	e.target = field
	return e.refusal(http.StatusBadRequest)
}

// datasourceShape is a Datasource or a DatasourceSet.
func datasourceShape() shape {
	return shape{
		"datasourceType": nil, "objectType": nil, "resourceID": nil, "resourceId": nil, "resourceLocation": nil,
		"resourceName": nil, "resourceType": nil, "resourceUri": nil, "resourceProperties": nil,
	}
}

func credentialsShape() shape {
	return shape{"objectType": nil, "secretStoreResource": {"secretStoreType": nil, "uri": nil, "value": nil}}
}

// instanceShape is a BackupInstance; what only answers have may be sent back.
func instanceShape() shape {
	return shape{
		"friendlyName": nil, "objectType": nil, "validationType": nil, "identityDetails": nil, "resourceGuardOperationRequests": nil,
		"dataSourceInfo": datasourceShape(), "dataSourceSetInfo": datasourceShape(),
		"policyInfo":                {"policyId": nil, "policyVersion": nil, "policyParameters": nil},
		"datasourceAuthCredentials": credentialsShape(),
		"protectionStatus":          nil, "currentProtectionState": nil, "protectionErrorDetails": nil, "provisioningState": nil,
	}
}

// datasourceBody is a Datasource or a DatasourceSet of a request.
type datasourceBody struct {
	DatasourceType   string `json:"datasourceType"`
	ObjectType       string `json:"objectType"`
	ResourceID       string `json:"resourceID"` // or resourceId
	ResourceLocation string `json:"resourceLocation"`
	ResourceType     string `json:"resourceType"`
}

// instanceBody is a BackupInstance of a request.
type instanceBody struct {
	FriendlyName      string          `json:"friendlyName"`
	ObjectType        string          `json:"objectType"`
	DataSourceInfo    *datasourceBody `json:"dataSourceInfo"`
	DataSourceSetInfo *datasourceBody `json:"dataSourceSetInfo"`
	PolicyInfo        *struct {
		PolicyID string `json:"policyId"`
	} `json:"policyInfo"`
}

// decodeShaped reads the request's JSON body, which has to have the shape.
func (c *call) decodeShaped(s shape, into any) *armError {
	var raw map[string]any
	if err := c.decode(&raw); err != nil {
		return err
	}
	if err := s.check("", raw); err != nil {
		return err
	}
	return c.decode(into)
}

// optionalBody reads a body that may be missing.
func (c *call) optionalBody(s shape) *armError {
	if len(c.body) == 0 {
		return nil
	}
	return c.decodeShaped(s, &map[string]any{})
}

// toProtect is what a valid BackupInstance means.
type toProtect struct {
	source   datasource
	known    bool // whether the datasource exists
	policy   string
	friendly string
	// properties are those that the vault keeps as they were sent.
	properties map[string]any
}

// checkInstance checks a BackupInstance at a path of the request.
func (s *Simulator) checkInstance(c *call, path string, b *instanceBody, raw map[string]any) (toProtect, *armError) {
	switch {
	case b == nil:
		return toProtect{}, invalidField(path, "it is missing")
	case b.ObjectType != "BackupInstance":
		return toProtect{}, invalidField(path+".objectType", "%q is not BackupInstance", b.ObjectType)
	case b.DataSourceInfo == nil:
		return toProtect{}, invalidField(path+".dataSourceInfo", "it is missing")
	case b.PolicyInfo == nil:
		return toProtect{}, invalidField(path+".policyInfo", "it is missing")
	}
	d, known, err := s.checkDatasource(path+".dataSourceInfo", b.DataSourceInfo)
	if err != nil {
		return toProtect{}, err
	}
	if d.kind == databaseType && (b.DataSourceSetInfo == nil || known && !strings.EqualFold(b.DataSourceSetInfo.ResourceID, d.server)) {
		return toProtect{}, invalidField(path+".dataSourceSetInfo", "it has to be the database's server")
	}
	t := toProtect{source: d, known: known, friendly: b.FriendlyName, properties: map[string]any{}}
	if t.friendly == "" {
		t.friendly = d.friendly()
	}
	id := b.PolicyInfo.PolicyID
	for _, p := range c.backupVault.Policies {
		if strings.EqualFold(id, c.backupVault.policyID(p.Name)) {
			t.policy = p.Name
		}
	}
	if t.policy == "" {
		return toProtect{}, invalidField(path+".policyInfo.policyId", "the vault has no policy %q", id)
	}
	if !c.backupVault.policyFits(t.policy, d.kind) {
		return toProtect{}, invalidField(path+".policyInfo.policyId", "the policy %q is not for %s", t.policy, d.kind)
	}
	for _, name := range []string{"dataSourceInfo", "dataSourceSetInfo", "datasourceAuthCredentials"} {
		if raw[name] != nil {
			t.properties[name] = raw[name]
		}
	}
	return t, nil
}

// checkDatasource checks a Datasource; whether it exists is known later, and
// to the operation only.
func (s *Simulator) checkDatasource(path string, b *datasourceBody) (datasource, bool, *armError) {
	if b.ObjectType != "" && b.ObjectType != "Datasource" {
		return datasource{}, false, invalidField(path+".objectType", "%q is not Datasource", b.ObjectType)
	}
	if !strings.EqualFold(b.DatasourceType, flexibleServerType) && !strings.EqualFold(b.DatasourceType, databaseType) {
		return datasource{}, false, invalidField(path+".datasourceType", "%q is neither %s nor %s", b.DatasourceType, flexibleServerType, databaseType)
	}
	if !strings.EqualFold(b.ResourceType, b.DatasourceType) {
		return datasource{}, false, invalidField(path+".resourceType", "%q is not %s", b.ResourceType, b.DatasourceType)
	}
	if b.ResourceID == "" {
		return datasource{}, false, invalidField(path+".resourceID", "it is missing")
	}
	d, known := s.world.datasource(b.ResourceID)
	if !known {
		d = datasource{kind: b.DatasourceType, id: b.ResourceID, name: b.ResourceID[strings.LastIndex(b.ResourceID, "/")+1:], location: b.ResourceLocation}
	}
	if !strings.EqualFold(d.kind, b.DatasourceType) {
		return datasource{}, false, invalidField(path+".datasourceType", "%q is a %s", b.ResourceID, d.kind)
	}
	return d, known, nil
}

// rawAt is the object at a field of the request's body.
func (c *call) rawAt(field string) map[string]any {
	var raw map[string]map[string]any
	if json.Unmarshal(c.body, &raw) != nil {
		return nil
	}
	return raw[field]
}
