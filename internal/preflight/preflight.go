// Package preflight looks, before anything is started, whether the app could do
// its work: settings, identity, bus, tables, queues, its permissions on each
// vault, and what the vaults' own identities need. It reads only; it never
// assigns, creates or sends anything but the tables that the app itself creates
// at its first use.
package preflight

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"azbackupflow/internal/arm"
	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/roles"
)

// Finding is one thing that was checked.
type Finding struct {
	// Check says what was checked, Subject where: a setting, a queue, a
	// resource id.
	Check   string `json:"check"`
	Subject string `json:"subject"`
	OK      bool   `json:"ok"`
	// Problem says what is wrong, Missing which actions or roles lack, and Do
	// what mends it.
	Problem string   `json:"problem,omitempty"`
	Missing []string `json:"missing,omitempty"`
	Do      string   `json:"do,omitempty"`
}

// Report is what a preflight found.
type Report struct {
	OK       bool      `json:"ok"`
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
)

// Config is what a preflight looks at.
type Config struct {
	ARM *arm.Client
	// Vaults are resource ids; ServiceBusID is the namespace's.
	Vaults         []string
	ServiceBusID   string
	AllowDelete    bool
	RestoreTargets []string
	// Queues are the app's own, Tables and Bus reach for theirs.
	Queues []string
	Tables func(context.Context) error
	Bus    func(ctx context.Context, queue string) error
	// Settings says which further settings are wrong, nil if none is.
	Settings func() error
}

// Preflight checks an app.
type Preflight struct{ cfg Config }

// New gives a preflight. It calls nobody.
func New(c Config) *Preflight { return &Preflight{c} }

// Check makes all checks. Each goes on where another fails.
func (p *Preflight) Check(ctx context.Context) Report {
	r := &run{Preflight: p}
	r.settings()
	r.storesAndBus(ctx)
	r.queues(ctx)
	for _, id := range p.cfg.Vaults {
		r.vault(ctx, id)
	}
	slices.SortStableFunc(r.findings, func(a, b Finding) int {
		switch {
		case a.OK == b.OK:
			return 0
		case a.OK:
			return 1
		}
		return -1
	})
	ok := !slices.ContainsFunc(r.findings, func(f Finding) bool { return !f.OK })
	return Report{OK: ok, Findings: r.findings}
}

// run is one preflight under way.
type run struct {
	*Preflight
	findings []Finding
	// granted are the findings about permissions by role and scope.
	checked map[string]bool
}

func (r *run) good(check, subject string) {
	r.findings = append(r.findings, Finding{Check: check, Subject: subject, OK: true})
}

func (r *run) bad(f Finding) { r.findings = append(r.findings, f) }

// settings looks at those that only the preflight misses; without the others
// the app does not start, and says so in the host's log.
func (r *run) settings() {
	if len(r.cfg.Vaults) == 0 {
		r.bad(Finding{
			Check: checkSetting, Subject: "AZBACKUPFLOW_VAULTS", Problem: "is empty, so that no permission can be checked",
			Do: "Set it to the resource ids of the vaults that the app works with, separated by commas.",
		})
	}
	if r.cfg.ServiceBusID == "" {
		r.bad(Finding{
			Check: checkSetting, Subject: "AZBACKUPFLOW_SERVICE_BUS_ID", Problem: "is empty, so that the queues' properties cannot be checked",
			Do: "Set it to the resource id of the app's Service Bus namespace.",
		})
	}
	if err := r.cfg.Settings(); err != nil {
		name, _, _ := strings.Cut(err.Error(), " ")
		r.bad(Finding{Check: checkSetting, Subject: name, Problem: err.Error(), Do: "Set it to what is wanted, or remove it."})
	}
}

func (r *run) storesAndBus(ctx context.Context) {
	if err := r.cfg.Tables(ctx); err != nil {
		r.bad(Finding{
			Check: checkTables, Subject: "AzureWebJobsStorage", Problem: reason(err),
			Do: `See that the storage account exists and lets the app in, and assign the app's managed identity the role "Storage Table Data Contributor" on it.`,
		})
	} else {
		r.good(checkTables, "AzureWebJobsStorage")
	}
	for _, queue := range r.cfg.Queues {
		if err := r.cfg.Bus(ctx, queue); err != nil {
			r.bad(Finding{
				Check: checkBus, Subject: queue, Problem: reason(err),
				Do: `See that the namespace and its queue exist, and assign the app's managed identity the roles "Azure Service Bus Data Sender" and "Azure Service Bus Data Receiver" on the namespace.`,
			})
			continue
		}
		r.good(checkBus, queue)
	}
}

// refused reports a read of ARM that failed. missing is the action that it
// takes.
func (r *run) refused(check, subject, missing string, err error) {
	f := Finding{Check: check, Subject: subject, Problem: reason(err)}
	var known *operation.Error
	switch {
	case errors.As(err, &known) && known.HTTPStatus == 403:
		f.Missing, f.Do = []string{missing}, assign(missing, subject)
	case errors.As(err, &known) && known.HTTPStatus == 404:
		f.Do = "See that the resource id is right and the resource exists."
	case errors.As(err, &known) && len(known.RecommendedAction) > 0:
		f.Check, f.Do = checkARM, strings.Join(known.RecommendedAction, " ")
	default:
		f.Check, f.Do = checkARM, "See that the app can reach Azure Resource Manager."
	}
	r.bad(f)
}

// reason is an error in one line, fit to be shown.
func reason(err error) string {
	var known *operation.Error
	if errors.As(err, &known) {
		return known.Error()
	}
	return azerr.Redact(err.Error())
}

func assign(action, scope string) string {
	if p, ok := roles.Find(action); ok {
		return p.Assignment(scope)
	}
	return fmt.Sprintf("Assign the app's managed identity a role that allows %s on %s.", action, scope)
}
