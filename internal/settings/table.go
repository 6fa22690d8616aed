package settings

import (
	"fmt"
	"reflect"
	"strings"
)

// Row describes one setting in docs/settings.md.
type Row struct {
	Name, Default, Meaning string
}

// Table returns all settings of the app: first those of the Functions host, its
// bindings and OpenTelemetry, then the app's own in the order of Settings.
func Table() []Row {
	rows := foreignSettings()
	meanings := meanings()
	for i := range reflect.TypeFor[Settings]().NumField() {
		field := reflect.TypeFor[Settings]().Field(i)
		if name := field.Tag.Get("env"); name != "" {
			rows = append(rows, Row{name, field.Tag.Get("envDefault"), meanings[name]})
		}
	}
	return rows
}

func foreignSettings() []Row {
	return []Row{
		{"FUNCTIONS_WORKER_RUNTIME", "", "`custom`."},
		{ServiceBusConnection + "__fullyQualifiedNamespace", "", "Service Bus namespace, such as `name.servicebus.windows.net`. For the local stack, `" + ServiceBusConnection + "` holds a connection string instead."},
		{ServiceBusConnection + "__credential", "", "`managedidentity`."},
		{ServiceBusConnection + "__clientId", "", "Client id of a user-assigned managed identity."},
		{TablesConnection + "__tableServiceUri", "", "Table service, such as `https://name.table.core.windows.net`. For the local stack, `" + TablesConnection + "` holds a connection string instead."},
		{TablesConnection + "__blobServiceUri", "", "Blob service for the Functions host, which stores the lock of the timers and the function keys there, and for the evidence of drills."},
		{TablesConnection + "__queueServiceUri", "", "Queue service for the Functions host."},
		{TablesConnection + "__credential", "", "`managedidentity`."},
		{TablesConnection + "__clientId", "", "Client id of a user-assigned managed identity."},
		{"SweepSchedule", "", "Schedule of the sweep, six fields. `0 */5 * * * *` is every five minutes."},
		{"DeadLetterSchedule", "", "Schedule of the function that collects dead letters, six fields. `30 */5 * * * *` is every five minutes."},
		{"OTEL_EXPORTER_OTLP_ENDPOINT", "", "Endpoint for traces and metrics. [telemetry.md](telemetry.md) describes this and the other `OTEL_` variables."},
		{"GOMAXPROCS", "", "Number of processors that the program uses; empty for all. `infra/` sets 1 for instances of up to 2,048 MB, which have one processor or less: the program then spends about 15 % less CPU time on waking its threads."},
	}
}

// Markdown returns the page docs/settings.md.
func Markdown() string {
	var b strings.Builder
	b.WriteString(`# Settings

Configure the app with app settings: in Azure on the Functions app, on a laptop in ` + "`Values`" + ` of ` + "`local.settings.json`" + `.

` + "```sh" + `
az functionapp config appsettings set --name NAME --resource-group GROUP --settings AZBACKUPFLOW_NOTICES=backup-events
` + "```" + `

Changing a setting restarts the app; operations continue where they were. An invalid value keeps the app from starting,
and the log names the setting. A setting ` + "`AZBACKUPFLOW_…`" + ` that does not exist has no effect. The log warns of it at the
start, and ` + "`azbackupflow preflight`" + ` reports it, with the nearest name that exists. Separate the entries of lists with
commas. ` + "`local.settings.sample.json`" + ` has every setting for a laptop.

With ` + "`azd`" + `, change a setting in the [deployment](deploy.md#variables) instead: each ` + "`azd provision`" + ` sets all settings, and undoes
the command above.

This page is generated from the code: ` + "`go test ./internal/settings -update`" + `.

| setting | default | meaning |
|---|---|---|
`)
	for _, r := range Table() {
		standard := ""
		if r.Default != "" {
			standard = "`" + r.Default + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", r.Name, standard, r.Meaning)
	}
	return b.String()
}

// meanings returns the description of each of Settings.
func meanings() map[string]string {
	return map[string]string{
		"AZBACKUPFLOW_CLOUD":                    "`public`, `usgovernment` or `china`.",
		"AZBACKUPFLOW_ARM_ENDPOINT":             "Azure Resource Manager endpoint in place of the cloud's own. Plain http is allowed for loopback addresses only.",
		"AZBACKUPFLOW_ARM_AUDIENCE":             "Audience of the tokens for that endpoint.",
		"AZBACKUPFLOW_ARM_TRUSTED_HOSTS":        "Additional hosts that Azure's status URLs may point to. They receive the bearer token. Leave it empty unless an operation has the warning or error `UntrustedPollHost` and you know the host.",
		"AZURE_CLIENT_ID":                       "Client id of the user-assigned managed identity that calls Azure Resource Manager. Empty selects the system-assigned identity.",
		"AZBACKUPFLOW_TENANT":                   "Part of every operation's id. Deployments that share tables can use the same keys if their tenants differ. They still see and sweep each other's operations; `AZBACKUPFLOW_TABLE_PREFIX` separates them completely.",
		"AZBACKUPFLOW_TABLE_PREFIX":             "Prefix of all table names.",
		"AZBACKUPFLOW_ALLOW_DELETE":             "`true` allows `delete-protection` to delete backups.",
		"AZBACKUPFLOW_RESTORE_TARGETS":          "Resource ids and URLs that restores may write to, separated by commas; see [security.md](security.md#restore-targets). Empty allows no restore.",
		"AZBACKUPFLOW_DRILL_TARGETS":            "Resource ids of the storage accounts and resource groups in which restore drills may make their places, separated by commas; see [drills.md](drills.md#targets). Empty allows no drill. It allows no other restore.",
		"AZBACKUPFLOW_GUARDED_FLOWS":            "Flows that need the role `Operations.Restore` over HTTP, in addition to those that need it already; for example `stop-protection`. An unknown name prevents the start.",
		"AZBACKUPFLOW_NOTICES":                  "Queue or topic for the notices of all operations; see [notifications.md](notifications.md). Empty sends none.",
		"AZBACKUPFLOW_REPLY_QUEUES":             "Queues that a request may name in `ReplyTo`. Empty allows none.",
		"AZBACKUPFLOW_VAULTS":                   "Resource ids of the vaults that `azbackupflow preflight` checks and `azbackupflow readiness` reports on. It has no other effect.",
		"AZBACKUPFLOW_SERVICE_BUS_ID":           "Resource id of the Service Bus namespace, for `azbackupflow preflight`.",
		"AZBACKUPFLOW_RETENTION":                "Age at which ended operations, with their history, rejected requests, and the records of their deletion are deleted. A duration of at least one day, such as `90d` or `P90D`.",
		"AZBACKUPFLOW_STARTS_PER_ITEM":          "Maximum number of operations that start to change one protected item in a day (UTC). 0 means unlimited.",
		"AZBACKUPFLOW_SPEED_FACTOR":             "Divides every wait. Leave it at 1 in Azure; the local stack sets it to the factor of its simulator's clock.",
		"AZBACKUPFLOW_LOG_LEVEL":                "`DEBUG`, `INFO`, `WARN` or `ERROR`.",
		"AZBACKUPFLOW_SCHEDULES":                "File with the schedules; see [schedules.md](schedules.md). The path is relative to the folder of `host.json`.",
		"AZBACKUPFLOW_PROTECTION":               "File with the rules of automatic protection; see [protection.md](protection.md). The path is relative to the folder of `host.json`.",
		"AZBACKUPFLOW_DRILLS":                   "File with the restore drills; see [drills.md](drills.md). The path is relative to the folder of `host.json`.",
		"AZBACKUPFLOW_EVIDENCE_KEY":             "Key that signs the evidence of drills: the URL of a Key Vault key, such as `https://{vault}.vault.azure.net/keys/{name}/{version}`, or the path of a PEM file; see [drills.md](drills.md#keys). Without it no drill starts.",
		"AZBACKUPFLOW_API_ROLES":                "`true` requires an Entra app role from each caller of the HTTP API; see [http-api.md](http-api.md#who-may-call-it). It needs App Service authentication. If that is not known to be on, the function `api` answers 503, because callers could claim any role; all other functions continue.",
		"AZBACKUPFLOW_DASHBOARD":                "`true` serves the [dashboard](dashboard.md) at `/api/dashboard/`. It needs `AZBACKUPFLOW_API_ROLES` and App Service authentication: without them, the address answers 404 or 503 with the reason.",
		"AZBACKUPFLOW_APP_SERVICE_AUTH_CHECKED": "`true` says that you have checked App Service authentication, where the platform does not set `WEBSITE_AUTH_ENABLED`; see [deploy.md](deploy.md#sign-in).",
	}
}
