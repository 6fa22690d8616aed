package main

import (
	"context"
	"io/fs"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

// repository is the root of this repository.
const repository = "../../.."

// azure returns the folder of Azure's types. Looking it up once saves time.
var azure = sync.OnceValues(func() (string, error) { return typesFolder(context.Background()) })

func types(t *testing.T) *catalog {
	t.Helper()
	folder, err := azure()
	require.NoError(t, err)
	c, err := openCatalog(folder)
	require.NoError(t, err)
	return c
}

// changed is the repository with some files replaced, added, or, if the text is
// empty, removed.
type changed struct {
	fs.FS
	files map[string]string
}

func (c changed) Open(name string) (fs.File, error) {
	if text, ok := c.files[name]; ok {
		if text == "" {
			return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
		}
		return fstest.MapFS{name: {Data: []byte(text), Mode: 0o600}}.Open(name)
	}
	return c.FS.Open(name)
}

func TestCheck_FindsNothingInThisRepository(t *testing.T) {
	t.Parallel()
	files := os.DirFS(repository)
	found, err := check(files, types(t))
	require.NoError(t, err)
	require.Empty(t, found)
	all, _, err := templates(files)
	require.NoError(t, err)
	resources := 0
	for _, one := range all {
		resources += len(one.resources)
	}
	require.Greater(t, resources, 30, "too few resources are checked")
}

func TestCheck_FindsEachMistakeAtItsPosition(t *testing.T) {
	t.Parallel()
	known := types(t)
	const app, bus, storage, mainFile, settings = "infra/app/function-app.bicep", "infra/app/service-bus.bicep", "infra/app/storage.bicep", "infra/main.bicep", "local.settings.sample.json"
	for name, m := range map[string]struct {
		file, old, new string
		// at is a text on the line that the finding names, in the changed file
		// or in another one; without it, the first line of new.
		inFile, at string
		want       string
	}{
		"an unknown property":                               {file: bus, old: "maxDeliveryCount: 10", new: "maxDeliverys: 10", want: "properties.maxDeliverys is not a property that Azure knows"},
		"a property in other casing":                        {file: bus, old: "disableLocalAuth: true", new: "DisableLocalAuth: true", want: "but disableLocalAuth is"},
		"an unknown property deep below":                    {file: app, old: "instanceMemoryMB: instanceMemoryMB", new: "memory: instanceMemoryMB", want: "properties.functionAppConfig.scaleAndConcurrency.memory is not a property"},
		"an unknown property of a nested resource":          {file: storage, old: "publicAccess: 'None'", new: "access: 'None'", want: "properties.access is not a property"},
		"a value outside of the enum":                       {file: storage, old: "'TLS1_2'", new: "'TLS9'", want: `properties.minimumTlsVersion is "TLS9", want`},
		"a bad value in one branch of a condition":          {file: storage, old: "publicNetworkAccess ? 'Enabled' : 'Disabled'", new: "publicNetworkAccess ? 'On' : 'Disabled'", want: `properties.publicNetworkAccess is "On"`},
		"an unknown runtime":                                {file: app, old: "name: 'custom'", new: "name: 'go'", want: `runtime.name is "go"`},
		"a bad value in a variable":                         {file: storage, old: "sku: { name: redundancy }", new: "sku: { name: deploymentContainerName }", want: `sku.name is "deployments", want Standard_LRS or`},
		"a missing property":                                {file: "infra/app/monitoring.bicep", old: "    Application_Type: 'web'\n", new: "", at: "  properties: {\n    WorkspaceResourceId", want: "properties.Application_Type is missing"},
		"a missing name":                                    {file: "infra/app/identity.bicep", old: "  name: name\n", new: "", at: "resource identity", want: "name is missing"},
		"a missing discriminator":                           {file: "infra/events.bicep", old: "      endpointType: 'AzureFunction'\n", new: "", at: "destination: {", want: "properties.destination.endpointType is missing"},
		"an unknown discriminator":                          {file: "infra/events.bicep", old: "'StringIn'", new: "'StringAmong'", want: `operatorType is "StringAmong"`},
		"a text instead of a number":                        {file: bus, old: "maxDeliveryCount: 10", new: "maxDeliveryCount: '10'", want: "properties.maxDeliveryCount is of type string, want int"},
		"a parameter of another type":                       {file: app, old: "httpsOnly: true", new: "httpsOnly: clientId", want: "properties.httpsOnly is of type string, want bool"},
		"an object instead of a list":                       {file: "infra/app/network.bicep", old: "groupIds: [target.group]", new: "groupIds: { a: target.group }", want: "groupIds is of type object, want array"},
		"a property that is read-only":                      {file: bus, old: "    disableLocalAuth: true\n", new: "    status: 'x'\n    disableLocalAuth: true\n", want: "properties.status is read-only"},
		"an api-version that does not exist":                {file: bus, old: "namespaces@2022-10-01-preview", new: "namespaces@2022-10-11", at: "resource namespace", want: `has no api-version "2022-10-11"`},
		"a type that does not exist":                        {file: bus, old: "Microsoft.ServiceBus/namespaces@", new: "Microsoft.ServiceBus/spaces@", at: "resource namespace", want: "is not a resource type that Azure knows"},
		"a type in the wrong scope":                         {file: mainFile, old: "Microsoft.Resources/resourceGroups@2024-03-01", new: "Microsoft.ServiceBus/namespaces@2021-11-01", at: "resource group '", want: "cannot be deployed to a subscription"},
		"a missing brace":                                   {file: bus, old: "    minimumTlsVersion: '1.2'\n  }\n", new: "    minimumTlsVersion: '1.2'\n", inFile: bus, at: "", want: "syntax error"},
		"a missing comma":                                   {file: "infra/access.bicep", old: "['read', 'backup', 'protect']", new: "['read' 'backup', 'protect']", at: "['read' 'backup'", want: "a comma is missing"},
		"an unused parameter":                               {file: bus, old: "param name string\n", new: "param name string\nparam spare string = ''\n", at: "param spare", want: "parameter spare is never used"},
		"an unused variable":                                {file: bus, old: "var queueNames", new: "var spare = 1\nvar queueNames", want: "variable spare is never used"},
		"an undeclared name":                                {file: bus, old: "location: location", new: "location: place", want: "place is not declared"},
		"an unknown function":                               {file: bus, old: "split(split(", new: "cut(split(", at: "cut(split(", want: "cut is not a known function"},
		"a module that does not exist":                      {file: mainFile, old: "'app/storage.bicep'", new: "'app/store.bicep'", at: "module storage", want: "the module app/store.bicep does not exist"},
		"a parameter that the module does not have":         {file: mainFile, old: "    publicNetworkAccess: !vnetEnabled\n", new: "    public: !vnetEnabled\n", want: "has no parameter public"},
		"a missing parameter of a module":                   {file: mainFile, old: "    deploymentContainer: storage.outputs.deploymentContainer\n", new: "", at: "module functionApp", want: "requires the parameter deploymentContainer"},
		"a parameter of the wrong type":                     {file: mainFile, old: "maximumInstanceCount: maximumInstanceCount", new: "maximumInstanceCount: location", want: "maximumInstanceCount is of type string"},
		"an output that the module does not have":           {file: mainFile, old: "monitoring.outputs.applicationInsightsName", new: "monitoring.outputs.insights", want: "has no output insights"},
		"a file that does not exist":                        {file: "infra/app/workbook.bicep", old: "'workbook.json'", new: "'other.json'", at: "loadTextContent", want: "the file other.json does not exist"},
		"a key that the file does not have":                 {file: mainFile, old: "abbreviations.storageAccount}", new: "abbreviations.storage}", at: "abbreviations.storage}", want: "abbreviations has no storage"},
		"an unknown parameter in the parameter file":        {file: "infra/main.parameters.json", old: `"vnetEnabled"`, new: `"network"`, want: "has no parameter network"},
		"a missing parameter in the parameter file":         {file: "infra/main.parameters.json", old: `    "location": { "value": "${AZURE_LOCATION}" },` + "\n", new: "", at: "{", want: "requires the parameter location"},
		"storage that accepts keys":                         {file: storage, old: "allowSharedKeyAccess: false", new: "allowSharedKeyAccess: true", want: "keys could be used"},
		"storage that accepts keys by default":              {file: storage, old: "    allowSharedKeyAccess: false\n", new: "", at: "  properties: {\n    allowBlob", want: "keys could be used"},
		"a bus that accepts keys":                           {file: bus, old: "disableLocalAuth: true", new: "disableLocalAuth: false", want: "keys could be used"},
		"a bus that accepts any version of TLS":             {file: bus, old: "    minimumTlsVersion: '1.2'\n", new: "", at: "  properties: {\n    disableLocalAuth", want: "a version of TLS before 1.2 could be used"},
		"a conditional module that may be null":             {file: mainFile, old: "network!.outputs.appSubnetId", new: "network.outputs.appSubnetId", want: "network may be null, because its deployment has a condition: write !.outputs where the condition holds, or .?outputs (BCP318)"},
		"a conditional resource that may be null":           {file: "infra/app/vault-access.bicep", old: "guid(recoveryServices.id,", new: "guid(recoveryServices.location,", want: "recoveryServices may be null"},
		"an access after contains":                          {file: "infra/app/network.bicep", old: "busZones[?environment().name] ??", new: "contains(busZones, environment().name) ? busZones[environment().name] :", want: "write busZones[?environment().name] ?? … instead of testing it with contains (use-safe-access)"},
		"a member access after contains":                    {file: "infra/app/network.bicep", old: "busZones[?environment().name] ??", new: "contains(busZones, 'AzureChinaCloud') ? busZones.AzureChinaCloud :", want: "(use-safe-access)"},
		"a discriminator that is not a literal":             {file: app, old: "    name: 'ftp'\n", new: "    name: clientId\n", at: "resource ftpPublishing", want: "name is not a literal, so that the compiler cannot check this object: write one object for each value (BCP225)"},
		"a vault without a role of the loop":                {file: vaultSample, old: ", 'c088a766-074b-43ba-90d4-1fb21feae531']", new: "]", at: "//", want: "the role c088a766-074b-43ba-90d4-1fb21feae531 (PostgreSQL Flexible Server Long Term Retention Backup Role) is not assigned to the vault, which internal/preflight/"},
		"a vault without a role":                            {file: vaultSample, old: "'Microsoft.Authorization/roleDefinitions', storageBlobDataContributor)", new: "'Microsoft.Authorization/roleDefinitions', serverRoles[0])", at: "//", want: "the role ba92f5b4-2d11-453d-a403-e96b0029c9fe (Storage Blob Data Contributor) is not assigned"},
		"an optional role that is always assigned":          {file: "infra/access.bicep", old: "union(['read'], allowVirtualMachines ? ['virtual-machines'] : [], allowDatasources", new: "union(['read', 'virtual-machines'], allowDatasources", want: "the role virtual-machines is assigned without a parameter that allows it"},
		"an optional role on groups that are not empty":     {file: "infra/access.bicep", old: "param drillResourceGroups string = ''", new: "param drillResourceGroups string = 'all'", at: "customRoles: ['read', 'datasources', 'drill']", want: "the role datasources is assigned without a parameter that allows it"},
		"an optional role that is on by default":            {file: mainFile, old: "param allowVirtualMachines bool = false", new: "param allowVirtualMachines bool = true", want: "the parameter allowVirtualMachines allows a role, so its default must be false"},
		"a template that reads a key":                       {file: app, old: "storage.properties.primaryEndpoints.queue", new: "storage.listKeys().keys[0].value", at: "listKeys", want: "listKeys reads keys"},
		"a key in a text":                                   {file: app, old: "AZBACKUPFLOW_ARM_ENDPOINT: ''", new: "AZBACKUPFLOW_ARM_ENDPOINT: 'AccountKey=x'", want: "a key is part of a text"},
		"an unknown role":                                   {file: storage, old: "974c5e8b-45b9-4653-ba55-5f855dd0fb88", new: "8e3af657-a8ff-443c-a75c-2fe8c4bcb635", at: "8e3af657", want: "is not a role that templates may assign"},
		"a role on the whole group of a vault":              {file: "infra/app/vault-access.bicep", old: "  scope: recoveryServices\n", new: "", at: "resource onRecoveryServices", want: "a role is assigned on a whole resource group"},
		"a role on the whole subscription":                  {file: "infra/access.bicep", old: "'status', suffix))", new: "'protect', suffix))", at: "resource status", want: "a role is assigned on the whole subscription"},
		"a setting that is not deployed":                    {file: app, old: "      AZBACKUPFLOW_TENANT: 'default'\n", new: "", at: "    properties: {\n      AzureWebJobsStorage__credential", want: "the setting AZBACKUPFLOW_TENANT is missing, which internal/settings/settings.go:"},
		"a setting of a timer that is not deployed":         {file: app, old: "      SweepSchedule: '0 */5 * * * *'\n", new: "", at: "    properties: {\n      AzureWebJobsStorage__credential", want: "the setting SweepSchedule is missing, which functions/sweep/function.json:"},
		"a connection that is not deployed":                 {file: app, old: "ServiceBusConnection__", new: "Bus__", at: "    properties: {\n      AzureWebJobsStorage__credential", want: "the settings ServiceBusConnection__… are missing"},
		"a setting that is missing in the sample":           {file: settings, old: `    "AZBACKUPFLOW_TENANT": "default",` + "\n", new: "", at: `"Values"`, want: "the setting AZBACKUPFLOW_TENANT is missing"},
		"a deployed setting that is missing in the sample":  {file: app, old: "      AZBACKUPFLOW_TENANT: 'default'\n", new: "      AZBACKUPFLOW_TENANT: 'default'\n      SPARE: ''\n", inFile: settings, at: `"Values"`, want: "the setting SPARE is missing, which infra/app/function-app.bicep:"},
		"a queue that only a binding has":                   {file: "functions/run-step/function.json", old: `"steps"`, new: `"step"`, at: `"step"`, want: "the queue step is not deployed by infra/app/service-bus.bicep:"},
		"a dead-letter queue without a queue":               {file: "functions/run-step/function.json", old: `"steps"`, new: `"step/$DeadLetterQueue"`, at: `"step/`, want: "the queue step is not deployed"},
		"a queue that only the code has":                    {file: bus, old: "'requests', 'steps'", new: "'steps'", inFile: "internal/settings/settings.go", at: "RequestsQueue = ", want: "the queue requests is not deployed"},
		"a queue that only infra has":                       {file: bus, old: "'requests', 'steps'", new: "'requests', 'spare', 'steps'", at: "'spare'", want: "the app does not use the queue spare"},
		"an alert for a message that is not logged":         {file: "infra/app/alerts.bicep", old: `"invocation failed"`, new: `"invocation fails"`, at: `"invocation fails"`, want: `nothing logs "invocation fails"`},
		"a script that does not exist":                      {file: "azure.yaml", old: "infra/hooks/events.sh", new: "infra/hooks/event.sh", at: "infra/hooks/event.sh", want: "the script infra/hooks/event.sh does not exist"},
		"a script with an unknown parameter":                {file: "infra/hooks/events.sh", old: "  systemTopicName=", new: "  topic=", at: "  topic=", want: "infra/events.bicep has no parameter topic"},
		"a script without a required parameter":             {file: "infra/hooks/events.ps1", old: "  functionAppName=$env:AZBACKUPFLOW_FUNCTION_APP `\n", new: "", at: "--template-file", want: "infra/events.bicep requires the parameter functionAppName"},
		"a script without its template":                     {file: "infra/hooks/events.sh", old: "infra/events.bicep \\", new: "infra/event.bicep \\", at: "--template-file", want: "the template infra/event.bicep does not exist"},
		"an alert that the docs do not explain":             {file: "infra/app/alerts.bicep", old: "key: 'overdue'", new: "key: 'late'", want: "does not explain the alert azbackupflow-late"},
		"a single alert that the docs do not explain":       {file: "infra/app/alerts.bicep", old: "name: 'azbackupflow-bus-throttled'", new: "name: 'azbackupflow-bus'", want: "does not explain the alert azbackupflow-bus"},
		"a value that the docs do not explain":              {file: "infra/main.parameters.json", old: "VNET_ENABLED", new: "NETWORK", at: "NETWORK", want: "does not explain NETWORK"},
		"a workbook query for a message that is not logged": {file: "infra/app/workbook.json", old: `\"sweep done\"`, new: `\"cleaned\"`, at: `\"cleaned\"`, want: `nothing logs "cleaned"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			raw, err := fs.ReadFile(os.DirFS(repository), m.file)
			require.NoError(t, err)
			require.Contains(t, string(raw), m.old, "the file no longer contains the text to replace")
			mistaken := strings.ReplaceAll(string(raw), m.old, m.new)
			files := changed{os.DirFS(repository), map[string]string{m.file: mistaken}}
			found, err := check(files, known)
			require.NoError(t, err)
			require.NotEmpty(t, found, "not found")
			file, at := m.file, m.at
			if m.inFile != "" {
				file = m.inFile
			}
			if at == "" {
				at = firstLine(m.new)
			}
			in, err := fs.ReadFile(files, file)
			require.NoError(t, err)
			require.Contains(t, string(in), at)
			for _, f := range found {
				if f.File == file && (f.Line == lineOf(in, at) || m.want == "syntax error") && strings.Contains(f.Text, m.want) {
					return
				}
			}
			require.Failf(t, "not found at this position", "want %s:%d: %s; found %v", file, lineOf(in, at), m.want, found)
		})
	}
}

func TestFinding_NamesFileAndLine(t *testing.T) {
	t.Parallel()
	require.Equal(t, "infra/main.bicep:7: is wrong", Finding{"infra/main.bicep", 7, "is wrong"}.String())
}

func TestOpenCatalog_FailsWithoutTypes(t *testing.T) {
	t.Parallel()
	_, err := openCatalog(t.TempDir())
	require.ErrorIs(t, err, fs.ErrNotExist)
}
