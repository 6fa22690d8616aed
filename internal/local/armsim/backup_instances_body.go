package armsim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"azbackupflow/internal/arm/dataprotection/kinds"
	"azbackupflow/internal/arm/resourceid"
)

// shape lists the fields that an object may have, in their exact spelling. A
// field with a nil shape may hold anything. Azure's reader is less strict in
// places, but it drops fields that it does not know.
type shape map[string]shape

// check rejects a field that the shape does not have, and names it.
func (s shape) check(path string, v any) *armError {
	m, ok := v.(map[string]any)
	if !ok {
		return nil // a value that is not an object fails to decode later
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

// hint names the field with a similar spelling, if there is one.
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

// invalidField returns the 400 of Microsoft.DataProtection for an invalid
// field, and names the field.
func invalidField(field, format string, args ...any) *armError {
	e := newUserError(codeInvalidInput, "Input provided for the call is invalid. "+field+": "+fmt.Sprintf(format, args...),
		"Correct the request and send it again.")
	e.target = field
	return e.rejection(http.StatusBadRequest)
}

// datasourceShape returns the shape of a Datasource or a DatasourceSet.
func datasourceShape() shape {
	return shape{
		"datasourceType": nil, "objectType": nil, "resourceID": nil, "resourceId": nil, "resourceLocation": nil,
		"resourceName": nil, "resourceType": nil, "resourceUri": nil, "resourceProperties": nil,
	}
}

func credentialsShape() shape {
	return shape{"objectType": nil, "secretStoreResource": {"secretStoreType": nil, "uri": nil, "value": nil}}
}

// instanceShape returns the shape of a BackupInstance. Clients may send back
// the fields that only answers have.
func instanceShape() shape {
	return shape{
		"friendlyName": nil, "objectType": nil, "validationType": nil, "identityDetails": nil, "resourceGuardOperationRequests": nil,
		"dataSourceInfo": datasourceShape(), "dataSourceSetInfo": datasourceShape(),
		"policyInfo":                {"policyId": nil, "policyVersion": nil, "policyParameters": {"dataStoreParametersList": nil, "backupDatasourceParametersList": nil}},
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
		PolicyID   string            `json:"policyId"`
		Parameters *policyParameters `json:"policyParameters"`
	} `json:"policyInfo"`
	Identity *identityDetails `json:"identityDetails"`
}

// decodeShaped decodes the JSON body of the request, which must have the shape.
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

// optionalBody checks a body that may be missing.
func (c *call) optionalBody(s shape) *armError {
	if len(c.body) == 0 {
		return nil
	}
	return c.decodeShaped(s, &map[string]any{})
}

// protectionRequest is the meaning of a valid BackupInstance.
type protectionRequest struct {
	source   datasource
	known    bool // whether the datasource exists
	policy   string
	friendly string
	// properties and parameters hold the fields that the vault keeps as received.
	properties map[string]any
	parameters any
}

// checkInstance checks the BackupInstance at a path of the request.
func (s *Simulator) checkInstance(c *call, path string, b *instanceBody, raw map[string]any) (protectionRequest, *armError) {
	switch {
	case b == nil:
		return protectionRequest{}, invalidField(path, "it is missing")
	case b.ObjectType != "BackupInstance":
		return protectionRequest{}, invalidField(path+".objectType", "%q is not BackupInstance", b.ObjectType)
	case b.DataSourceInfo == nil:
		return protectionRequest{}, invalidField(path+".dataSourceInfo", "it is missing")
	case b.PolicyInfo == nil:
		return protectionRequest{}, invalidField(path+".policyInfo", "it is missing")
	}
	d, known, err := s.checkDatasource(path+".dataSourceInfo", b.DataSourceInfo)
	if err != nil {
		return protectionRequest{}, err
	}
	if err := checkSet(path+".dataSourceSetInfo", d, known, b.DataSourceSetInfo); err != nil {
		return protectionRequest{}, err
	}
	if err := b.Identity.check(path+".identityDetails", c.backupVault); err != nil {
		return protectionRequest{}, err
	}
	t := protectionRequest{source: d, known: known, friendly: b.FriendlyName, properties: map[string]any{}}
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
		return protectionRequest{}, invalidField(path+".policyInfo.policyId", "the vault has no policy %q", id)
	}
	if !c.backupVault.policyFits(t.policy, d.kind.Type) {
		return protectionRequest{}, invalidField(path+".policyInfo.policyId", "the policy %q is not for %s", t.policy, d.kind.Type)
	}
	if err := b.PolicyInfo.Parameters.check(c, path+".policyInfo.policyParameters", d.kind, c.backupVault.policy(t.policy)); err != nil {
		return protectionRequest{}, err
	}
	for _, name := range []string{"dataSourceInfo", "dataSourceSetInfo", "datasourceAuthCredentials", "identityDetails"} {
		if raw[name] != nil {
			t.properties[name] = raw[name]
		}
	}
	if info, ok := raw["policyInfo"].(map[string]any); ok {
		t.parameters = info["policyParameters"]
	}
	return t, nil
}

// checkDatasource checks a Datasource. It returns whether the datasource
// exists, which only the operation reports.
func (s *Simulator) checkDatasource(path string, b *datasourceBody) (datasource, bool, *armError) {
	if b.ObjectType != "" && b.ObjectType != "Datasource" {
		return datasource{}, false, invalidField(path+".objectType", "%q is not Datasource", b.ObjectType)
	}
	kind, found := kinds.Find(kinds.All(), b.DatasourceType)
	if !found {
		return datasource{}, false, invalidField(path+".datasourceType", "%q is not a type of datasource", b.DatasourceType)
	}
	if !strings.EqualFold(b.ResourceType, kind.ResourceType) {
		return datasource{}, false, invalidField(path+".resourceType", "%q is not %s", b.ResourceType, kind.ResourceType)
	}
	if b.ResourceID == "" {
		return datasource{}, false, invalidField(path+".resourceID", "it is missing")
	}
	if r, err := resourceid.Parse(b.ResourceID); err != nil || !strings.EqualFold(r.ResourceType.String(), kind.SourceType) {
		return datasource{}, false, invalidField(path+".datasourceType", "%q is not a %s", b.ResourceID, kind.Type)
	}
	d, known := s.world.datasource(b.ResourceID, kind.Type)
	if !known {
		d = datasource{kind: kind, id: b.ResourceID, name: b.ResourceID[strings.LastIndex(b.ResourceID, "/")+1:], location: b.ResourceLocation}
	}
	return d, known, nil
}

// rawAt returns the object at a field of the request body.
func (c *call) rawAt(field string) map[string]any {
	var raw map[string]map[string]any
	if json.Unmarshal(c.body, &raw) != nil {
		return nil
	}
	return raw[field]
}
