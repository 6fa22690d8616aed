// Package settings reads the app settings of the handler program: environment
// variables, as the Functions host passes them on. Connections have a package
// of their own.
package settings

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/caarlos0/env/v11"

	"azbackupflow/internal/arm"
	"azbackupflow/internal/operation"
)

// Names of the connections; see package connection for what they may hold.
const (
	ServiceBusConnection = "ServiceBusConnection"
	TablesConnection     = "AzureWebJobsStorage"
)

// Queues of the app. functions/*/function.json and infra/ name them too.
const (
	RequestsQueue = "requests"
	StepsQueue    = "steps"
	RejectedQueue = "rejected"
)

// Settings are the app's own; meanings says what docs/settings.md tells of them.
type Settings struct {
	// Cloud is public, usgovernment or china.
	Cloud string `env:"AZBACKUPFLOW_CLOUD" envDefault:"public"`
	// ARMEndpoint replaces the cloud's Azure Resource Manager, ARMAudience the
	// audience of its tokens.
	ARMEndpoint string `env:"AZBACKUPFLOW_ARM_ENDPOINT"`
	ARMAudience string `env:"AZBACKUPFLOW_ARM_AUDIENCE"`
	// ARMTrustedHosts are further hosts that Azure's status URLs may point to;
	// the bearer token goes there.
	ARMTrustedHosts []string `env:"AZBACKUPFLOW_ARM_TRUSTED_HOSTS"`
	// ClientID is the user-assigned managed identity to call Azure as.
	ClientID string `env:"AZURE_CLIENT_ID"`
	// Tenant separates the operations of deployments that share tables.
	Tenant string `env:"AZBACKUPFLOW_TENANT" envDefault:"default"`
	// TablePrefix begins the names of all tables.
	TablePrefix string `env:"AZBACKUPFLOW_TABLE_PREFIX"`
	// AllowDelete lets flows delete backups; off unless it is set.
	AllowDelete bool `env:"AZBACKUPFLOW_ALLOW_DELETE"`
	// RestoreTargets are what restores may write to: resource ids of PostgreSQL
	// servers and URLs of blob containers. Empty allows no restore.
	RestoreTargets []string `env:"AZBACKUPFLOW_RESTORE_TARGETS"`
	// Notices is the queue or topic that gets the notices of all operations;
	// empty means none. ReplyQueues are those that a request may ask answers on.
	Notices     string   `env:"AZBACKUPFLOW_NOTICES"`
	ReplyQueues []string `env:"AZBACKUPFLOW_REPLY_QUEUES"`
	// Schedules and Protection are the files that declare what is started when,
	// and what is protected by itself; relative to the folder with host.json.
	Schedules  string `env:"AZBACKUPFLOW_SCHEDULES" envDefault:"schedules.yaml"`
	Protection string `env:"AZBACKUPFLOW_PROTECTION" envDefault:"protection.yaml"`
	// APIRoles asks each caller of the HTTP API for an app role. Only for an app
	// with App Service authentication: without it callers could claim any role.
	APIRoles bool `env:"AZBACKUPFLOW_API_ROLES"`
	// Retention is how long ended operations and refusals are kept, as an ISO
	// 8601 duration; see Keep.
	Retention string `env:"AZBACKUPFLOW_RETENTION" envDefault:"P90D"`
	// StartsPerItem is how many operations may begin to change a protected item
	// in a day; 0 is no limit.
	StartsPerItem int `env:"AZBACKUPFLOW_STARTS_PER_ITEM" envDefault:"100"`
	// Vaults are the resource ids of the vaults that the preflight looks at, and
	// ServiceBusID that of the Service Bus namespace: it decides nothing else.
	Vaults       []string `env:"AZBACKUPFLOW_VAULTS"`
	ServiceBusID string   `env:"AZBACKUPFLOW_SERVICE_BUS_ID"`
	// Speed divides every wait; the local stack sets it to the speed of its
	// simulator. In Azure it stays 1.
	Speed float64 `env:"AZBACKUPFLOW_SPEED" envDefault:"1"`
	// LogLevel is DEBUG, INFO, WARN or ERROR.
	LogLevel slog.Level `env:"AZBACKUPFLOW_LOG_LEVEL" envDefault:"INFO"`
}

// Read reads the settings from an environment such as os.Environ's.
func Read(environment map[string]string) (Settings, error) {
	s, err := env.ParseAsWithOptions[Settings](env.Options{Environment: environment})
	if err != nil {
		return s, fmt.Errorf("settings: %w", err)
	}
	for _, list := range []*[]string{&s.ARMTrustedHosts, &s.RestoreTargets, &s.ReplyQueues, &s.Vaults} {
		*list = trimmed(*list)
	}
	switch s.Cloud {
	case arm.CloudPublic, arm.CloudUSGovernment, arm.CloudChina:
	default:
		return s, fmt.Errorf("settings: AZBACKUPFLOW_CLOUD is %q, want %s, %s or %s", s.Cloud, arm.CloudPublic, arm.CloudUSGovernment, arm.CloudChina)
	}
	if s.Speed < 1 || s.Speed > 10000 {
		return s, fmt.Errorf("settings: AZBACKUPFLOW_SPEED is %v, want 1 (or up to 10000 beside a simulator)", s.Speed)
	}
	return s, errors.Join(s.checkNotices(), s.checkHousekeeping())
}

// trimmed is a list as a person writes it, with spaces after its commas.
func trimmed(list []string) []string {
	var all []string
	for _, entry := range list {
		if entry = strings.TrimSpace(entry); entry != "" {
			all = append(all, entry)
		}
	}
	return all
}

// Waits are the engine's durations at the speed that is set.
func (s Settings) Waits() operation.Waits { return operation.AzureWaits().Faster(s.Speed) }
