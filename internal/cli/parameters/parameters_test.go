package parameters_test

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/cli"
	"azbackupflow/internal/cli/parameters"
	"azbackupflow/internal/schema"
)

const (
	subscription = "00000000-0000-0000-0000-000000000000"
	vaultType    = "Microsoft.RecoveryServices/vaults"
	backupVault  = "Microsoft.DataProtection/backupVaults"
	group        = "/subscriptions/" + subscription + "/resourceGroups/rg/providers/"
	vault        = group + vaultType + "/files-vault"
	containers   = "/backupFabrics/Azure/protectionContainers/"
)

type share struct {
	VaultID   string `json:"vaultId"`
	AccountID string `json:"storageAccountId"`
	Name      string `json:"name"`
}

type backup struct {
	ItemID     string            `json:"itemId"`
	FileShare  *share            `json:"fileShare"`
	InstanceID string            `json:"backupInstanceId"`
	JobID      string            `json:"jobId"`
	Policy     string            `json:"policy"`
	Type       string            `json:"backupType"`
	Retry      int               `json:"retryFailedJob"`
	Ratio      float64           `json:"ratio"`
	Compress   *bool             `json:"enableCompression"`
	Expiry     *time.Time        `json:"expiryTimeInUTC"`
	Keep       string            `json:"keep"`
	Tags       map[string]string `json:"tags"`
	Names      []string          `json:"names"`
	First      *struct{}         `json:"firstBackup"`
	Key        string            `json:"key"`
}

func list() []schema.Parameter {
	id := func(types ...string) schema.Object {
		var patterns []string
		for _, t := range types {
			patterns = append(patterns, schema.ResourceID(t))
		}
		return schema.Matches(patterns...)
	}
	return schema.Parameters{Type: reflect.TypeFor[backup](), Fields: schema.Fields{
		"itemId":                     {Rule: id(vaultType + "/backupFabrics/protectionContainers/protectedItems"), Items: []schema.ItemKind{schema.MachineItem, schema.DatabaseItem}},
		"fileShare.vaultId":          {Required: true, Rule: id(vaultType)},
		"fileShare.storageAccountId": {Required: true, Rule: id("Microsoft.Storage/storageAccounts")},
		"fileShare.name":             {Required: true},
		"backupInstanceId":           {Rule: id(backupVault + "/backupInstances")},
		"jobId":                      {Rule: id(vaultType+"/backupJobs", backupVault+"/backupJobs")},
		"policy":                     {Rule: schema.Matches("[a-z0-9]+", schema.ResourceID(vaultType+"/backupPolicies"))},
		"backupType":                 {When: "databases `only`", Meaning: "see [types](#types), `Full`", Rule: schema.OneOf("Full", "Log")},
		"retryFailedJob":             {Rule: schema.Object{"minimum": 0, "maximum": 3}},
		"keep":                       {Rule: schema.Object{"pattern": "^P([0-9]+D)$"}},
	}}.List()
}

func flow() parameters.Flow {
	return parameters.New("backup-now", "back up an item", list(), [][]byte{[]byte(`{"fileShare":{"vaultId":"` + vault + `","storageAccountId":"/x","name":"orders"}}`)}, []string{"key"})
}

func scope() parameters.Scope {
	return parameters.Scope{Subscription: subscription, ResourceGroup: "rg", Vault: "files-vault"}
}

// build returns the parameters for flags, as JSON.
func build(g parameters.Given) (string, error) {
	g.Now = time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC)
	raw, err := flow().Build(g)
	return string(raw), err
}

func TestNew_NamesAFlagForEveryParameter(t *testing.T) {
	t.Parallel()
	var names []string
	for _, f := range flow().Flags {
		names = append(names, f.Name)
	}
	require.Equal(t, []string{
		"item", "item-vm", "item-instance", "item-system", "item-database", "vault", "storage-account", "file-share", "backup-instance", "job", "policy", "backup-type", "retry-failed-job", "ratio",
		"enable-compression", "expiry-time-in-utc", "keep", "tags", "names", "first-backup", "parameter-key",
	}, names)
}

func TestBuild_ResolvesNamesAndKeepsIDs(t *testing.T) {
	t.Parallel()
	const account = group + "Microsoft.Storage/storageAccounts/acct"
	for name, c := range map[string]struct {
		flags map[string][]string
		scope parameters.Scope
		want  string
	}{
		"names, with the vault of the context": {
			map[string][]string{"storage-account": {"acct"}, "file-share": {"orders"}}, scope(),
			`{"fileShare":{"name":"orders","storageAccountId":"` + account + `","vaultId":"` + vault + `"}}`,
		},
		"a vault as a flag": {
			map[string][]string{"vault": {"other"}, "storage-account": {"acct"}, "file-share": {"orders"}}, scope(),
			`{"fileShare":{"name":"orders","storageAccountId":"` + account + `","vaultId":"` + group + vaultType + `/other"}}`,
		},
		"resource IDs": {
			map[string][]string{"vault": {vault}, "storage-account": {"/any/ID"}, "file-share": {"orders"}}, parameters.Scope{},
			`{"fileShare":{"name":"orders","storageAccountId":"/any/ID","vaultId":"` + vault + `"}}`,
		},
		"another resource group": {
			map[string][]string{"storage-account": {"storage/acct"}, "file-share": {"orders"}}, scope(),
			`{"fileShare":{"name":"orders","storageAccountId":"/subscriptions/` + subscription + `/resourceGroups/storage/providers/Microsoft.Storage/storageAccounts/acct","vaultId":"` + vault + `"}}`,
		},
		"below the vault of the context": {
			map[string][]string{"backup-instance": {"server-1"}}, scope(),
			`{"backupInstanceId":"` + group + backupVault + `/files-vault/backupInstances/server-1"}`,
		},
		"below a vault in another resource group": {
			map[string][]string{"backup-instance": {"g2/v2/server-1"}}, scope(),
			`{"backupInstanceId":"/subscriptions/` + subscription + `/resourceGroups/g2/providers/` + backupVault + `/v2/backupInstances/server-1"}`,
		},
		"an item without its fabric": {
			map[string][]string{"item": {"VMContainer;vm1/VM;vm1"}}, scope(),
			`{"itemId":"` + vault + `/backupFabrics/Azure/protectionContainers/VMContainer;vm1/protectedItems/VM;vm1"}`,
		},
		"below the vault of a flag, of the type that the vault has": {
			map[string][]string{"job": {"7"}, "vault": {vault}}, scope(), `{"jobId":"` + vault + `/backupJobs/7"}`,
		},
		"a virtual machine by its name": {
			map[string][]string{"item-vm": {"vm1"}}, scope(),
			`{"itemId":"` + vault + containers + `IaasVMContainer;iaasvmcontainerv2;rg;vm1/protectedItems/VM;iaasvmcontainerv2;rg;vm1"}`,
		},
		"a virtual machine of another group, in a vault of another group": {
			map[string][]string{"item-vm": {"machines/vm1"}, "vault": {"g2/v2"}}, scope(),
			`{"itemId":"/subscriptions/` + subscription + `/resourceGroups/g2/providers/` + vaultType + `/v2` + containers +
				`IaasVMContainer;iaasvmcontainerv2;machines;vm1/protectedItems/VM;iaasvmcontainerv2;machines;vm1"}`,
		},
		"an item of a vault of another group": {
			map[string][]string{"item": {"C;vm1/VM;vm1"}, "vault": {"g2/v2"}}, scope(),
			`{"itemId":"/subscriptions/` + subscription + `/resourceGroups/g2/providers/` + vaultType + `/v2` + containers + `C;vm1/protectedItems/VM;vm1"}`,
		},
		"a virtual machine by its ID": {
			map[string][]string{"item-vm": {"/subscriptions/x/resourceGroups/machines/providers/microsoft.compute/virtualmachines/vm1"}, "vault": {vault}}, parameters.Scope{},
			`{"itemId":"` + vault + containers + `IaasVMContainer;iaasvmcontainerv2;machines;vm1/protectedItems/VM;iaasvmcontainerv2;machines;vm1"}`,
		},
		"a database of SQL Server": {
			map[string][]string{"item-vm": {"sqlvm"}, "item-instance": {"MSSQLSERVER"}, "item-database": {"orders"}}, scope(),
			`{"itemId":"` + vault + containers + `VMAppContainer;Compute;rg;sqlvm/protectedItems/SQLDataBase;MSSQLSERVER;orders"}`,
		},
		"a database of SAP HANA": {
			map[string][]string{"item-vm": {"hanavm"}, "item-system": {"HXE"}, "item-database": {"SYSTEMDB"}}, scope(),
			`{"itemId":"` + vault + containers + `VMAppContainer;Compute;rg;hanavm/protectedItems/SAPHanaDatabase;HXE;SYSTEMDB"}`,
		},
		"a policy is a name": {map[string][]string{"policy": {"daily"}}, scope(), `{"policy":"daily"}`},
	} {
		got, err := build(parameters.Given{Flags: c.flags, Scope: c.scope})
		require.NoError(t, err, name)
		require.JSONEq(t, c.want, got, name)
	}
}

func TestBuild_ConvertsValues(t *testing.T) {
	t.Parallel()
	got, err := build(parameters.Given{Flags: map[string][]string{
		"backup-type": {"full"}, "retry-failed-job": {"2"}, "ratio": {"1.5"}, "enable-compression": {"true"}, "expiry-time-in-utc": {"+30d"},
		"keep": {"15d"}, "tags": {"a=1", "b=x=y"}, "names": {"one", "two"}, "first-backup": {"true"}, "parameter-key": {"k"},
	}})
	require.NoError(t, err)
	require.JSONEq(t, `{"backupType":"Full","retryFailedJob":2,"ratio":1.5,"enableCompression":true,"expiryTimeInUTC":"2026-12-21T03:00:00Z",
		"keep":"P15D","tags":{"a":"1","b":"x=y"},"names":["one","two"],"firstBackup":{},"key":"k"}`, got)
}

func TestBuild_ChangesTheFileByFlagsAndSet(t *testing.T) {
	t.Parallel()
	file := json.RawMessage(`{"fileShare":{"vaultId":"/v","name":"old"},"big":12345678901234567890,"tags":{"a":"1"}}`)
	untouched, err := build(parameters.Given{Base: file, Scope: scope()})
	require.NoError(t, err)
	require.Equal(t, string(file), untouched, "the context does not change a file")

	got, err := build(parameters.Given{
		Base: file, Flags: map[string][]string{"file-share": {"new"}}, Scope: scope(),
		Set: []string{"tags.b=2", "retryFailedJob=3", "parameters.unknown={\"x\":[1]}", "text=plain words", "itemId=VMContainer;vm1/VM;vm1"},
	})
	require.NoError(t, err)
	require.JSONEq(t, `{"fileShare":{"vaultId":"/v","name":"new"},"big":12345678901234567890,"tags":{"a":"1","b":"2"},"retryFailedJob":3,"unknown":{"x":[1]},
		"text":"plain words","itemId":"`+vault+`/backupFabrics/Azure/protectionContainers/VMContainer;vm1/protectedItems/VM;vm1"}`, got)

	got, err = build(parameters.Given{Base: file, Flags: map[string][]string{"vault": {"other"}}, Scope: scope()})
	require.NoError(t, err)
	require.Contains(t, got, group+vaultType+"/other", "a vault as a flag wins over the file")
}

func TestBuild_ExplainsWrongFlags(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		flags         map[string][]string
		set           []string
		scope         parameters.Scope
		problem, want string
	}{
		"a flag of another flow":         {map[string][]string{"server": {"x"}}, nil, scope(), "flow backup-now has no parameter --server", "use one of --item"},
		"a name without a subscription":  {map[string][]string{"storage-account": {"acct"}}, nil, parameters.Scope{ResourceGroup: "rg"}, "the subscription is unknown", "set --subscription"},
		"a name without a group":         {map[string][]string{"storage-account": {"acct"}}, nil, parameters.Scope{Subscription: "s"}, "the resource group is unknown", "set --resource-group"},
		"a name without a vault":         {map[string][]string{"backup-instance": {"x"}}, nil, parameters.Scope{Subscription: "s", ResourceGroup: "g"}, "does not name a vault", "add --vault NAME, or write BACKUP_VAULT/BACKUP_INSTANCE"},
		"too many parts":                 {map[string][]string{"storage-account": {"a/b/c"}}, nil, scope(), "neither a resource ID nor a name", "write STORAGE_ACCOUNT"},
		"an empty part":                  {map[string][]string{"storage-account": {"a//b"}}, nil, scope(), "neither a resource ID nor a name", "STORAGE_ACCOUNT"},
		"a vault of another type":        {map[string][]string{"backup-instance": {"x"}, "vault": {vault}}, nil, scope(), "is not a vault of the type Microsoft.DataProtection/backupVaults", "set --vault to such a vault"},
		"a name of two types":            {map[string][]string{"job": {"7"}}, nil, scope(), "can belong to Microsoft.RecoveryServices/vaults/backupJobs or", "use the resource ID"},
		"an item and its names":          {map[string][]string{"item": {"/x"}, "item-vm": {"vm1"}}, nil, scope(), "--item and its names are both set", "leave out --item"},
		"a machine without a vault":      {map[string][]string{"item-vm": {"vm1"}}, nil, parameters.Scope{Subscription: "s", ResourceGroup: "g"}, `--item-vm "vm1" does not name a vault`, "add --vault NAME"},
		"a machine without a group":      {map[string][]string{"item-vm": {"vm1"}, "vault": {vault}}, nil, parameters.Scope{Subscription: "s"}, "the resource group is unknown", "set --resource-group"},
		"a machine in a Backup vault":    {map[string][]string{"item-vm": {"vm1"}, "vault": {group + backupVault + "/v"}}, nil, scope(), "is not a vault of the type Microsoft.RecoveryServices/vaults", "set --vault to such a vault"},
		"the ID of another resource":     {map[string][]string{"item-vm": {group + "Microsoft.Storage/storageAccounts/a"}}, nil, scope(), "is not a virtual machine", "use its name, GROUP/NAME"},
		"a database without a machine":   {map[string][]string{"item-database": {"orders"}}, nil, scope(), "have no virtual machine", "add --item-vm NAME"},
		"a database without an instance": {map[string][]string{"item-vm": {"v"}, "item-database": {"orders"}}, nil, scope(), `"orders" names no instance`, "add --item-instance NAME"},
		"an instance without a database": {map[string][]string{"item-vm": {"v"}, "item-instance": {"I"}}, nil, scope(), "have no database", "add --item-database NAME"},
		"an instance and a system":       {map[string][]string{"item-vm": {"v"}, "item-instance": {"I"}, "item-system": {"S"}}, nil, scope(), "are both set", "--item-system for SAP HANA"},
		"a database with a slash":        {map[string][]string{"item-vm": {"v"}, "item-instance": {"I"}, "item-database": {"a/b"}}, nil, scope(), `--item-database "a/b" is not a name`, "the resource ID in --item"},
		"a vault that nothing needs":     {map[string][]string{"vault": {"v"}, "item": {vault + "/x"}}, nil, scope(), `--vault "v" is not used`, "leave out --vault"},
		"not one of the values":          {map[string][]string{"backup-type": {"Weekly"}}, nil, scope(), `--backup-type "Weekly" is not a valid value`, "use one of Full, Log"},
		"not a whole number":             {map[string][]string{"retry-failed-job": {"1.5"}}, nil, scope(), `--retry-failed-job "1.5" is not a whole number`, "use a whole number from 0 to 3"},
		"not a number":                   {map[string][]string{"ratio": {"NaN"}}, nil, scope(), `--ratio "NaN" is not a number`, "use a number"},
		"not true or false":              {map[string][]string{"enable-compression": {"maybe"}}, nil, scope(), "is not true or false", "use true or false"},
		"not a time":                     {map[string][]string{"expiry-time-in-utc": {"soon"}}, nil, scope(), "is not a time", "2026-11-21T03:00:00Z"},
		"a duration without a sign":      {map[string][]string{"expiry-time-in-utc": {"30d"}}, nil, scope(), "is not a time", "+30d"},
		"an empty time":                  {map[string][]string{"expiry-time-in-utc": {""}}, nil, scope(), "is not a time", "2026-11-21"},
		"not NAME=VALUE":                 {map[string][]string{"tags": {"team"}}, nil, scope(), `--tags "team" is not NAME=VALUE`, "team=files"},
		"set without a value":            {nil, []string{"a.b"}, scope(), `--set "a.b" is not PATH=VALUE`, "rule.name=BackupWeekly"},
		"set without a path":             {nil, []string{"=1"}, scope(), "is not PATH=VALUE", "rule.name=BackupWeekly"},
		"set with an empty part":         {nil, []string{"a..b=1"}, scope(), "is not PATH=VALUE", "rule.name=BackupWeekly"},
		"set below a text":               {nil, []string{"policy=x", "policy.name=y"}, scope(), "policy is not an object", "leave out the value of policy"},
		"set of a number that is a text": {nil, []string{"retryFailedJob=x"}, scope(), `--set retryFailedJob "x" is not a whole number`, "from 0 to 3"},
	} {
		_, err := build(parameters.Given{Flags: c.flags, Set: c.set, Scope: c.scope})
		var usage *cli.UsageError
		require.ErrorAs(t, err, &usage, name)
		require.Contains(t, usage.Text, c.problem, name)
		require.Contains(t, usage.Remedy, c.want, name)
	}
	_, err := build(parameters.Given{Base: json.RawMessage(`[1]`), Set: []string{"a=1"}})
	require.ErrorContains(t, err, "is not an object")
}

func TestMeaning_IsPlainText(t *testing.T) {
	t.Parallel()
	f, ok := flow().Flag("backup-type")
	require.True(t, ok)
	require.Equal(t, "see types, Full", parameters.Meaning(f.Parameter))
	require.Equal(t, "databases only", parameters.Need(f.Parameter))
}

func TestHelp_IsInSentencesWithTheNamesOfFlags(t *testing.T) {
	t.Parallel()
	f := flow()
	for name, want := range map[string]string{
		"storage-account":  "Name or resource ID of the account. Required with --vault and --file-share.",
		"backup-type":      "see types, Full. Databases only.",
		"first-backup":     "Back it up. Set this or --file-share.",
		"item":             "Resource ID of the item. Required with nothing else.",
		"retry-failed-job": "",
	} {
		flag, ok := f.Flag(name)
		require.True(t, ok, name)
		switch name {
		case "storage-account":
			flag.Meaning = "resource ID of the account"
		case "first-backup":
			flag.Meaning, flag.When = "an object, which may be empty: back it up", "this or `fileShare`"
		case "item":
			flag.Meaning, flag.When = "resource ID of the item", "required with nothing else"
		case "backup-type":
			flag.Values = []string{"see", "Full"}
		}
		require.Equal(t, want, f.Help(flag), name)
	}
}
