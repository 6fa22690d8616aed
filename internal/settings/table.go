package settings

import (
	"fmt"
	"reflect"
	"strings"
)

// Row is one setting, for the docs.
type Row struct {
	Name, Default, Meaning string
}

// Table lists all settings of the app: those of others first (the Functions
// host, its bindings, OpenTelemetry), then its own, in the order of Settings.
func Table() []Row {
	rows := []Row{
		{"FUNCTIONS_WORKER_RUNTIME", "", "`custom`"},
		{ServiceBusConnection + "__fullyQualifiedNamespace", "", "the Service Bus namespace, such as `name.servicebus.windows.net`. `" + ServiceBusConnection + "` alone holds a connection string, for the local stack"},
		{ServiceBusConnection + "__credential", "", "`managedidentity`"},
		{ServiceBusConnection + "__clientId", "", "the client id of a user-assigned identity"},
		{TablesConnection + "__tableServiceUri", "", "the table service, such as `https://name.table.core.windows.net`. `" + TablesConnection + "` alone holds a connection string, for the local stack"},
		{TablesConnection + "__blobServiceUri", "", "for the Functions host itself: it keeps the timer's lock and the function keys there"},
		{TablesConnection + "__queueServiceUri", "", "for the Functions host itself"},
		{TablesConnection + "__credential", "", "`managedidentity`"},
		{TablesConnection + "__clientId", "", "the client id of a user-assigned identity"},
		{"SweepSchedule", "", "when the sweep runs, six fields: `0 */5 * * * *` is every five minutes"},
		{"OTEL_EXPORTER_OTLP_ENDPOINT", "", "where traces and metrics go; see [telemetry.md](telemetry.md) for this and the other `OTEL_` variables"},
	}
	meanings := meanings()
	for i := range reflect.TypeFor[Settings]().NumField() {
		field := reflect.TypeFor[Settings]().Field(i)
		rows = append(rows, Row{field.Tag.Get("env"), field.Tag.Get("envDefault"), meanings[field.Tag.Get("env")]})
	}
	return rows
}

// Markdown is the page docs/settings.md.
func Markdown() string {
	var b strings.Builder
	b.WriteString("# Settings\n\nApp settings of the Functions app, or `Values` of `local.settings.json`; `local.settings.sample.json` has them for a laptop.\n" +
		"Lists are separated by commas. This page is made from the code: `go test ./internal/settings -update`.\n\n" +
		"| setting | default | meaning |\n|---|---|---|\n")
	for _, r := range Table() {
		standard := ""
		if r.Default != "" {
			standard = "`" + r.Default + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", r.Name, standard, r.Meaning)
	}
	return b.String()
}

// meanings says what each of Settings is for.
func meanings() map[string]string {
	return map[string]string{
		"AZBACKUPFLOW_CLOUD":             "`public`, `usgovernment` or `china`",
		"AZBACKUPFLOW_ARM_ENDPOINT":      "another Azure Resource Manager than the cloud's. Plain http is taken for loopback addresses only",
		"AZBACKUPFLOW_ARM_AUDIENCE":      "the audience of its tokens",
		"AZBACKUPFLOW_ARM_TRUSTED_HOSTS": "further hosts that Azure's status URLs may point to. The bearer token goes there; leave it empty unless an operation warns of, or failed with, `UntrustedPollHost` and you know the host",
		"AZURE_CLIENT_ID":                "the user-assigned identity that calls Azure Resource Manager; empty means the system-assigned one",
		"AZBACKUPFLOW_TENANT":            "is part of every operation's id, so that deployments that share tables may use the same keys. They still see and sweep each other's operations: `AZBACKUPFLOW_TABLE_PREFIX` keeps them apart",
		"AZBACKUPFLOW_TABLE_PREFIX":      "begins the names of all tables",
		"AZBACKUPFLOW_ALLOW_DELETE":      "`true` lets `delete-protection` delete backups; off unless it is set",
		"AZBACKUPFLOW_RESTORE_TARGETS":   "what `restore-postgres` may write to: resource ids of PostgreSQL servers and URLs of blob containers. Empty allows no restore",
		"AZBACKUPFLOW_NOTICES":           "the queue or topic that gets the notices of all operations (see [notifications.md](notifications.md)); empty means none",
		"AZBACKUPFLOW_REPLY_QUEUES":      "the queues that a request may name in `ReplyTo` to be answered on; empty allows none",
		"AZBACKUPFLOW_VAULTS":            "the vaults that `azbackupflow preflight` looks at, by their resource ids; it decides nothing else",
		"AZBACKUPFLOW_SERVICE_BUS_ID":    "the resource id of the Service Bus namespace, for `azbackupflow preflight`",
		"AZBACKUPFLOW_RETENTION":         "how long ended operations, with their history, and refused requests are kept, as an ISO 8601 duration, at least a day",
		"AZBACKUPFLOW_STARTS_PER_ITEM":   "how many operations may begin to change one protected item in a day, by UTC; 0 is no limit",
		"AZBACKUPFLOW_SPEED":             "stays 1 in Azure. The local stack sets it to its simulator's speed: every wait is divided by it",
		"AZBACKUPFLOW_LOG_LEVEL":         "`DEBUG`, `INFO`, `WARN` or `ERROR`",
		"AZBACKUPFLOW_SCHEDULES":         "the file that declares what is started when, from the folder with `host.json` on",
		"AZBACKUPFLOW_PROTECTION":        "the file that declares what is protected by itself, from the folder with `host.json` on",
		"AZBACKUPFLOW_API_ROLES":         "`true` asks each caller of the HTTP API for an Entra app role, see [http-api.md](http-api.md#who-may-call-it). Only with App Service authentication in front of the app: without it callers could claim any role",
	}
}
