// Package preflight checks whether the app can work, before an operation starts:
// settings, tables, the bus and its queues, the app's permissions on each vault,
// the roles of the vaults' own identities, and what the evidence of drills needs. It
// assigns nothing and sends no message. It knows no flows: the permissions that the
// app needs come from internal/roles.
package preflight

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"azbackupflow/internal/arm"
	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/roles"
	"azbackupflow/internal/settings"
)

// Finding is the result of one check.
type Finding struct {
	// Check names the check. Subject is the setting, queue or resource ID that
	// was checked.
	Check   string `json:"check"`
	Subject string `json:"subject"`
	OK      bool   `json:"ok"`
	// NotChecked is set if the check could not be made, so that OK is unknown. Such
	// a finding does not fail the preflight.
	NotChecked bool   `json:"notChecked,omitempty"`
	Problem    string `json:"problem,omitempty"`
	// Missing lists the actions, roles or properties that are missing.
	Missing []string `json:"missing,omitempty"`
	// Do is the remedy.
	Do string `json:"do,omitempty"`
}

// Report is the result of a preflight.
type Report struct {
	// OK is set if no check failed.
	OK bool `json:"ok"`
	// Findings lists failed checks first, then those that could not be made.
	Findings []Finding `json:"findings"`
}

// The checks.
const (
	checkSetting    = "setting"
	checkTables     = "tables"
	checkBus        = "bus"
	checkARM        = "azure resource manager"
	checkQueue      = "queue"
	checkPermission = "permissions"
	checkVault      = "vault identity"
	checkRules      = "protection rules"
)

// Config configures a Preflight. ARM, Tables, Bus, Settings and Protectable are
// required.
type Config struct {
	ARM *arm.Client
	// Vaults are resource IDs. ServiceBusID is the resource ID of the namespace.
	Vaults         []string
	ServiceBusID   string
	AllowDelete    bool
	RestoreTargets []string
	// DrillTargets are the resource IDs of the targets of restore drills.
	DrillTargets []string
	// Evidence is nil for an app without drills. SkippedDrills are the drills that do not
	// run.
	Evidence      *Evidence
	SkippedDrills []SkippedDrill
	// Queues are the names of the app's queues.
	Queues []string
	// Tables and Bus connect to the tables and to a queue.
	Tables func(context.Context) error
	Bus    func(ctx context.Context, queue string) error
	// Settings returns the error of any other setting.
	Settings func() error
	// Protectable returns what the rules of automatic protection may protect.
	Protectable func(context.Context) (Protectable, error)
	// Roles reports that callers need app roles. SignIn is why the caller that App
	// Service authentication names cannot be believed; nil if it can.
	Roles  bool
	SignIn error
	// Unknown are settings with the app's prefix that do not exist.
	Unknown []settings.Unknown
}

// Preflight checks an app.
type Preflight struct{ cfg Config }

// New returns a Preflight. It makes no call.
func New(c Config) (*Preflight, error) {
	if c.ARM == nil || c.Tables == nil || c.Bus == nil || c.Settings == nil || c.Protectable == nil {
		return nil, errors.New("preflight: Config.ARM, Tables, Bus, Settings and Protectable are required")
	}
	return &Preflight{c}, nil
}

// Check runs all checks. Each of them runs even if another fails.
func (p *Preflight) Check(ctx context.Context) Report {
	r := &run{Preflight: p, checked: map[string]bool{}, accounts: map[string]map[string]bool{}, identities: map[string]principal{}}
	r.checkSettings()
	r.checkTables(ctx)
	r.checkBus(ctx)
	r.checkQueues(ctx)
	for _, id := range p.cfg.Vaults {
		r.checkVault(ctx, id)
	}
	for _, id := range p.cfg.DrillTargets {
		r.checkDrillTarget(ctx, strings.TrimRight(strings.TrimSpace(id), "/"))
	}
	r.checkEvidence(ctx)
	r.checkDrills()
	r.checkRules(ctx)
	r.checkRestoreTargets(ctx)
	slices.SortStableFunc(r.findings, func(a, b Finding) int { return cmp.Compare(a.rank(), b.rank()) })
	return Report{OK: !slices.ContainsFunc(r.findings, Finding.failed), Findings: r.findings}
}

func (f Finding) failed() bool { return !f.OK && !f.NotChecked }

// rank sorts findings.
func (f Finding) rank() int {
	switch {
	case f.failed():
		return 0
	case f.NotChecked:
		return 1
	}
	return 2
}

// run is one preflight in progress.
type run struct {
	*Preflight
	findings []Finding
	// checked holds the permissions and roles that were checked, by scope.
	checked map[string]bool
	// accounts holds the lower-case names of the storage accounts that the app
	// sees, by subscription.
	accounts map[string]map[string]bool
	// identities holds the identities of Backup vaults, by lower-case vault ID.
	identities map[string]principal
}

func (r *run) pass(check, subject string) {
	r.findings = append(r.findings, Finding{Check: check, Subject: subject, OK: true})
}

func (r *run) fail(f Finding) { r.findings = append(r.findings, f) }

// checkSettings checks the settings that only the preflight needs. Without any
// other required setting the app does not start, and logs the reason.
func (r *run) checkSettings() {
	if len(r.cfg.Vaults) == 0 {
		r.fail(Finding{
			Check: checkSetting, Subject: "AZBACKUPFLOW_VAULTS", Problem: "is empty, so the permissions cannot be checked",
			Do: "Set it to the resource IDs of the vaults that the app uses, separated by commas.",
		})
	}
	if r.cfg.ServiceBusID == "" {
		r.fail(Finding{
			Check: checkSetting, Subject: "AZBACKUPFLOW_SERVICE_BUS_ID", Problem: "is empty, so the properties of the queues cannot be checked",
			Do: "Set it to the resource ID of the app's Service Bus namespace.",
		})
	}
	switch {
	case r.cfg.SignIn != nil:
		r.fail(Finding{
			Check: checkSetting, Subject: "AZBACKUPFLOW_API_ROLES", Problem: r.cfg.SignIn.Error(),
			Do: "Configure App Service authentication, or set AZBACKUPFLOW_API_ROLES to false. Until then the HTTP API refuses every call.",
		})
	case r.cfg.Roles:
		r.pass(checkSetting, "AZBACKUPFLOW_API_ROLES")
	}
	for _, u := range r.cfg.Unknown {
		r.fail(Finding{
			Check: checkSetting, Subject: u.Name, Problem: "does not exist, so it has no effect",
			Do: "Rename it to " + u.Nearest + ", or remove it.",
		})
	}
	if err := r.cfg.Settings(); err != nil {
		name, _, _ := strings.Cut(err.Error(), " ")
		r.fail(Finding{Check: checkSetting, Subject: name, Problem: err.Error(), Do: "Correct the setting, or remove it."})
	}
}

// checkTables connects to the tables.
func (r *run) checkTables(ctx context.Context) {
	const subject = "AzureWebJobsStorage"
	if err := r.cfg.Tables(ctx); err != nil {
		r.fail(Finding{
			Check: checkTables, Subject: subject, Problem: describe(err),
			Do: "Check that the storage account exists and that its firewall admits the app. " +
				`Assign the role "Storage Table Data Contributor" on it to the app's managed identity.`,
		})
		return
	}
	r.pass(checkTables, subject)
}

// checkBus connects to the queues.
func (r *run) checkBus(ctx context.Context) {
	for _, queue := range r.cfg.Queues {
		if err := r.cfg.Bus(ctx, queue); err != nil {
			r.fail(Finding{
				Check: checkBus, Subject: queue, Problem: describe(err),
				Do: "Check that the namespace and the queue exist. " +
					`Assign the roles "Azure Service Bus Data Sender" and "Azure Service Bus Data Receiver" on the namespace to the app's managed identity.`,
			})
			continue
		}
		r.pass(checkBus, queue)
	}
}

// readFailed adds the finding of a failed read of ARM. action is the permission
// that the read needs.
func (r *run) readFailed(check, subject, action string, err error) {
	f := Finding{Check: check, Subject: subject, Problem: describe(err)}
	var known *operation.Error
	switch {
	case errors.As(err, &known) && known.HTTPStatus == http.StatusForbidden:
		f.Missing, f.Do = []string{action}, assignment(action, subject)
	case azerr.IsNotFound(err):
		f.Do = "Check that the resource ID is correct and that the resource exists."
	case errors.As(err, &known) && len(known.RecommendedAction) > 0:
		f.Check, f.Do = checkARM, strings.Join(known.RecommendedAction, " ")
	default:
		f.Check, f.Do = checkARM, "Check that the app can reach Azure Resource Manager."
	}
	r.fail(f)
}

// describe returns an error on one line, without secrets.
func describe(err error) string {
	var known *operation.Error
	if errors.As(err, &known) {
		return known.Error()
	}
	return azerr.Redact(err.Error())
}

// assignment returns how to grant the app an action.
func assignment(action, scope string) string {
	if p, ok := roles.Find(action); ok {
		return p.Assignment(scope)
	}
	return fmt.Sprintf("Assign a role that allows %s on %s to the app's managed identity.", action, scope)
}
