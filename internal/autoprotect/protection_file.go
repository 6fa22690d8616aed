package autoprotect

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"azbackupflow/docs/schemas"
	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/declaration"
	"azbackupflow/internal/request"
	"azbackupflow/internal/step"
)

// FileName is the name of the file next to host.json that declares the rules.
const FileName = "protection.yaml"

// Check reports whether the engine would accept a request; its error is a
// *step.Invalid.
type Check func(request.Request) error

// Parse parses protection.yaml. A file with any error yields no rules: rules are
// an ordered list, and without one of them a later rule would decide and might
// protect what should be excluded. The error is a *declaration.Invalid with all
// problems. A nil check skips the check of the flow's parameters.
func Parse(file string, raw []byte, check Check) ([]Rule, error) {
	document, err := declaration.Parse(file, raw)
	if err != nil {
		return nil, err
	}
	schema, err := declaration.Compile(schemas.Protection())
	if err != nil {
		return nil, err
	}
	var problems []declaration.Problem
	for _, v := range schema.Validate(document) {
		problems = append(problems, v.Problem)
	}
	if len(problems) > 0 {
		return nil, &declaration.Invalid{File: file, Problems: problems}
	}
	var all struct {
		Rules []Rule `json:"rules"`
	}
	if err := document.Decode(&all); err != nil {
		return nil, err
	}
	for i, r := range all.Rules {
		add := func(problem, want string, path ...string) {
			problems = append(problems, document.Problem(append([]string{"rules", strconv.Itoa(i)}, path...), problem, want))
		}
		earlier := all.Rules[:i]
		if slices.ContainsFunc(earlier, func(a Rule) bool { return a.Name == r.Name }) {
			add(fmt.Sprintf("%q is the name of an earlier rule", r.Name), "a unique name", "name")
		}
		if n := slices.IndexFunc(earlier, func(a Rule) bool { return a.hides(r) }); n >= 0 {
			add("never decides: the earlier rule "+earlier[n].Name+" matches everything that it matches", "the narrower rule first")
		}
		r.validate(check, add)
	}
	if len(problems) > 0 {
		return nil, &declaration.Invalid{File: file, Problems: problems}
	}
	return all.Rules, nil
}

// validate checks what the JSON Schema cannot express.
func (r Rule) validate(check Check, add func(problem, want string, path ...string)) {
	const either = "either protect, or exclude: true"
	switch {
	case r.Protect == nil && !r.Exclude:
		add("has neither protect nor exclude", either)
		return
	case r.Protect != nil && r.Exclude:
		add("is set together with protect", either, "exclude")
		return
	case r.kind() == PostgresFlexibleServer && len(r.Match.StorageAccounts) > 0:
		add("is set in a rule for servers", "no storageAccounts: only file shares have a storage account", "match", "storageAccounts")
	}
	if r.Protect == nil {
		return
	}
	_, recoveryErr := resourceid.ParseVaultID(r.Protect.VaultID, resourceid.RecoveryServicesVault)
	_, backupErr := resourceid.ParseVaultID(r.Protect.VaultID, resourceid.BackupVault)
	switch {
	case recoveryErr != nil && backupErr != nil:
		reason := recoveryErr
		if r.Protect.kind() == PostgresFlexibleServer {
			reason = backupErr
		}
		add(fmt.Sprintf("%q is not the resource ID of a vault: %s", r.Protect.VaultID, reason),
			"the resource ID of a Recovery Services vault or a Backup vault", "protect", "vaultId")
		return
	case r.Match.Type != "" && r.Match.Type != r.Protect.kind():
		add("is "+string(r.Match.Type)+", which the vault cannot protect", "the type "+string(r.Protect.kind())+", or another vault", "match", "type")
	case r.Protect.FirstBackup && r.Protect.kind() == PostgresFlexibleServer:
		add("is set in a rule for servers", "no firstBackup: the policy schedules the first backup", "protect", "firstBackup")
	}
	if check != nil {
		r.validateRequest(check, add)
	}
}

// validateRequest checks the request that the rule would create for an example
// resource.
func (r Rule) validateRequest(check Check, add func(problem, want string, path ...string)) {
	req, err := r.request(exampleResource(r.Protect.kind()), "")
	if err == nil {
		err = check(req)
	}
	var invalid *step.Invalid
	if errors.As(err, &invalid) {
		for _, f := range invalid.Fields {
			add(f.Problem, f.Want, append([]string{"protect"}, strings.Split(strings.TrimPrefix(f.Field, "parameters."), ".")...)...)
		}
	} else if err != nil {
		add(err.Error(), "", "protect")
	}
}

// exampleResource returns a resource as an event could announce it.
func exampleResource(k Kind) Resource {
	const group = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/group/providers/"
	if k == PostgresFlexibleServer {
		return Resource{Kind: k, ID: group + "Microsoft.DBforPostgreSQL/flexibleServers/server", Name: "server", Location: "westeurope"}
	}
	account := group + "Microsoft.Storage/storageAccounts/account"
	return Resource{Kind: k, ID: account + "/fileServices/default/shares/share", AccountID: account, Account: "account", Name: "share", Location: "westeurope"}
}
