// Package settings parses the app settings of the handler program. They are
// environment variables, which the Functions host passes on. Package connection
// parses connection strings.
//
// The package must not know what the settings configure: it checks their form
// and nothing else.
package settings

import (
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"

	"azbackupflow/internal/arm"
)

// Names of the connections; see package connection for their values.
const (
	ServiceBusConnection = "ServiceBusConnection"
	TablesConnection     = "AzureWebJobsStorage"
)

// Queues of the app. functions/*/function.json and infra/ use the same names.
const (
	RequestsQueue = "requests"
	StepsQueue    = "steps"
	RejectedQueue = "rejected"
)

// maxSpeedFactor limits the speed factor. A simulator cannot respond faster.
const maxSpeedFactor = 10000

// Settings are the app's own settings. docs/settings.md describes them with the
// texts of meanings.
type Settings struct {
	// Cloud is public, usgovernment or china.
	Cloud string `env:"AZBACKUPFLOW_CLOUD" envDefault:"public"`
	// ARMEndpoint replaces the cloud's Azure Resource Manager, ARMAudience the
	// audience of its tokens.
	ARMEndpoint string `env:"AZBACKUPFLOW_ARM_ENDPOINT"`
	ARMAudience string `env:"AZBACKUPFLOW_ARM_AUDIENCE"`
	// ARMTrustedHosts are additional hosts that status URLs may point to. They
	// receive the bearer token.
	ARMTrustedHosts []string `env:"AZBACKUPFLOW_ARM_TRUSTED_HOSTS"`
	// ClientID selects the user-assigned managed identity that calls Azure.
	ClientID string `env:"AZURE_CLIENT_ID"`
	// Tenant separates the operations of deployments that share tables.
	Tenant string `env:"AZBACKUPFLOW_TENANT" envDefault:"default"`
	// TablePrefix is the prefix of all table names.
	TablePrefix string `env:"AZBACKUPFLOW_TABLE_PREFIX"`
	// AllowDelete allows flows to delete backups.
	AllowDelete bool `env:"AZBACKUPFLOW_ALLOW_DELETE"`
	// RestoreTargets are the resource ids and blob container URLs that restores
	// may write to. Without an entry no restore starts.
	RestoreTargets []string `env:"AZBACKUPFLOW_RESTORE_TARGETS"`
	// DrillTargets are the resource ids of the storage accounts and resource groups in
	// which restore drills may make their places. Without an entry no drill starts.
	DrillTargets []string `env:"AZBACKUPFLOW_DRILL_TARGETS"`
	// GuardedFlows are further flows that need the app role Operations.Restore over HTTP.
	GuardedFlows []string `env:"AZBACKUPFLOW_GUARDED_FLOWS"`
	// Notices is the queue or topic for the notifications of all operations;
	// empty sends none. ReplyQueues are the queues that requests may name.
	Notices     string   `env:"AZBACKUPFLOW_NOTICES"`
	ReplyQueues []string `env:"AZBACKUPFLOW_REPLY_QUEUES"`
	// Schedules and Protection are the files with schedules and with the rules of
	// automatic protection. Paths are relative to the folder of host.json.
	Schedules  string `env:"AZBACKUPFLOW_SCHEDULES" envDefault:"schedules.yaml"`
	Protection string `env:"AZBACKUPFLOW_PROTECTION" envDefault:"protection.yaml"`
	// Drills is the file with the restore drills.
	Drills string `env:"AZBACKUPFLOW_DRILLS" envDefault:"drills.yaml"`
	// EvidenceKey signs the evidence of drills: the URL of a Key Vault key, or the path
	// of a PEM file. Without it no drill starts.
	EvidenceKey string `env:"AZBACKUPFLOW_EVIDENCE_KEY"`
	// APIRoles requires an app role from each caller of the HTTP API. It needs App
	// Service authentication; without it callers could claim any role.
	APIRoles bool `env:"AZBACKUPFLOW_API_ROLES"`
	// AuthChecked is an operator's word that App Service authentication is on, where
	// the platform does not say so.
	AuthChecked bool `env:"AZBACKUPFLOW_APP_SERVICE_AUTH_CHECKED"`
	// Dashboard serves the dashboard below /api/dashboard. It needs APIRoles.
	Dashboard bool `env:"AZBACKUPFLOW_DASHBOARD"`
	// RetentionPeriod is the age at which ended operations and rejected requests
	// are deleted, as an ISO 8601 duration; see Retention.
	RetentionPeriod string `env:"AZBACKUPFLOW_RETENTION" envDefault:"P90D"`
	// StartsPerItem limits the operations that start to change one protected item
	// in a day; 0 means unlimited.
	StartsPerItem int `env:"AZBACKUPFLOW_STARTS_PER_ITEM" envDefault:"100"`
	// Vaults and ServiceBusID are the resource ids that the preflight checks. They
	// have no other effect.
	Vaults       []string `env:"AZBACKUPFLOW_VAULTS"`
	ServiceBusID string   `env:"AZBACKUPFLOW_SERVICE_BUS_ID"`
	// SpeedFactor divides every wait. It is 1 in Azure; the local stack sets it to
	// the factor of its simulator's clock.
	SpeedFactor float64 `env:"AZBACKUPFLOW_SPEED_FACTOR" envDefault:"1"`
	// LogLevel is DEBUG, INFO, WARN or ERROR.
	LogLevel slog.Level `env:"AZBACKUPFLOW_LOG_LEVEL" envDefault:"INFO"`

	retention time.Duration
	// platformAuth holds the value of platformAuthVariable;
	// empty if the platform does not set it.
	platformAuth string
}

// platformAuthVariable is set by App Service, never by an operator.
const platformAuthVariable = "WEBSITE_AUTH_ENABLED"

// Read returns the settings in an environment. It returns an error that names
// each setting with a wrong value.
func Read(environment map[string]string) (Settings, error) {
	s, err := env.ParseAsWithOptions[Settings](env.Options{Environment: environment})
	if err != nil {
		return s, fmt.Errorf("settings: %w", err)
	}
	s.platformAuth = environment[platformAuthVariable]
	for _, list := range []*[]string{&s.ARMTrustedHosts, &s.RestoreTargets, &s.DrillTargets, &s.GuardedFlows, &s.ReplyQueues, &s.Vaults} {
		*list = trimmed(*list)
	}
	s.retention, err = parseRetention(s.RetentionPeriod)
	return s, errors.Join(s.checkCloud(), s.checkSpeedFactor(), s.checkQueues(), s.checkStartsPerItem(), err)
}

func (s Settings) checkCloud() error {
	switch s.Cloud {
	case arm.CloudPublic, arm.CloudUSGovernment, arm.CloudChina:
		return nil
	}
	return fmt.Errorf("settings: AZBACKUPFLOW_CLOUD is %q; set %s, %s or %s", s.Cloud, arm.CloudPublic, arm.CloudUSGovernment, arm.CloudChina)
}

func (s Settings) checkSpeedFactor() error {
	if s.SpeedFactor < 1 || s.SpeedFactor > maxSpeedFactor {
		return fmt.Errorf("settings: AZBACKUPFLOW_SPEED_FACTOR is %v; set 1, or at most %d with a simulator", s.SpeedFactor, maxSpeedFactor)
	}
	return nil
}

// Retention returns the age at which records are deleted.
func (s Settings) Retention() time.Duration { return s.retention }

// SignInUnchecked returns why the caller that App Service authentication names
// cannot be believed, and which setting to change; nil if it can, or if the
// callers need no app role. Without App Service authentication, callers could
// send its headers themselves.
func (s Settings) SignInUnchecked() error {
	on, err := strconv.ParseBool(s.platformAuth)
	switch {
	case !s.APIRoles, err == nil && on:
		return nil
	case err == nil:
		return errors.New("AZBACKUPFLOW_API_ROLES is true, but App Service authentication is off: WEBSITE_AUTH_ENABLED is " + s.platformAuth +
			"; configure App Service authentication (docs/deploy.md#sign-in), or set AZBACKUPFLOW_API_ROLES to false")
	case s.AuthChecked:
		return nil
	}
	return errors.New("AZBACKUPFLOW_API_ROLES is true, but the platform does not say whether App Service authentication is on (WEBSITE_AUTH_ENABLED is not set); " +
		"configure it (docs/deploy.md#sign-in), check that a call without a token is refused, then set AZBACKUPFLOW_APP_SERVICE_AUTH_CHECKED to true")
}

// trimmed removes the spaces that people write after commas, and empty entries.
func trimmed(list []string) []string {
	var all []string
	for _, entry := range list {
		if entry = strings.TrimSpace(entry); entry != "" {
			all = append(all, entry)
		}
	}
	return all
}
