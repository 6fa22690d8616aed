package autoprotect

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"azbackupflow/docs/schemas"
	"azbackupflow/internal/arm/dataprotection"
	"azbackupflow/internal/arm/recoveryservices"
	"azbackupflow/internal/declaration"
	"azbackupflow/internal/flow"
	"azbackupflow/internal/request"
	"azbackupflow/internal/step"
)

// FileName is the file beside host.json that declares the rules.
const FileName = "protection.yaml"

// Check says whether a request could be started; its error is a *step.Invalid.
type Check func(request.Request) error

// Read reads protection.yaml. Rules are an ordered list: without one of them
// another would decide, and might protect what was to be left alone. So a file
// with anything wrong gives no rules, and the error, an *declaration.Invalid,
// says all that is wrong. check may be nil.
func Read(file string, raw []byte, check Check) ([]Rule, error) {
	document, err := declaration.Read(file, raw)
	if err != nil {
		return nil, err
	}
	schema, err := declaration.Compile(schemas.Protection())
	if err != nil {
		return nil, err
	}
	var problems []declaration.Problem
	for _, fault := range schema.Check(document) {
		problems = append(problems, fault.Problem)
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
		add := func(problem, want string, at ...string) {
			problems = append(problems, document.Problem(append([]string{"rules", strconv.Itoa(i)}, at...), problem, want))
		}
		above := all.Rules[:i]
		if slices.ContainsFunc(above, func(a Rule) bool { return a.Name == r.Name }) {
			add(fmt.Sprintf("%q is the name of a rule above", r.Name), "a name of its own", "name")
		}
		if n := slices.IndexFunc(above, func(a Rule) bool { return a.shadows(r) }); n >= 0 {
			add("never decides: the rule "+above[n].Name+" above matches all that it matches", "the narrower rule first")
		}
		r.check(check, add)
	}
	if len(problems) > 0 {
		return nil, &declaration.Invalid{File: file, Problems: problems}
	}
	return all.Rules, nil
}

// check looks at what a schema cannot.
func (r Rule) check(check Check, add func(problem, want string, at ...string)) {
	const one = "either protect, or exclude: true"
	switch {
	case r.Protect == nil && !r.Exclude:
		add("neither protects nor excludes", one)
		return
	case r.Protect != nil && r.Exclude:
		add("is given beside protect", one, "exclude")
		return
	case r.kind() == PostgresFlexibleServer && len(r.Match.StorageAccounts) > 0:
		add("is given for servers", "nothing: storage accounts have file shares", "match", "storageAccounts")
	case r.Exclude:
		return
	}
	if r.Protect == nil {
		return
	}
	_, recovery := recoveryservices.ParseVaultID(r.Protect.VaultID)
	_, backup := dataprotection.ParseVaultID(r.Protect.VaultID)
	switch {
	case recovery != nil && backup != nil:
		why := recovery
		if r.Protect.kind() == PostgresFlexibleServer {
			why = backup
		}
		add(fmt.Sprintf("%q is not the resource id of a vault: %s", r.Protect.VaultID, why),
			"the resource id of a Recovery Services vault or a Backup vault", "protect", "vaultId")
		return
	case r.Match.Type != "" && r.Match.Type != r.Protect.kind():
		add("is "+string(r.Match.Type)+", which the vault does not take", "the type "+string(r.Protect.kind())+", or another vault", "match", "type")
	case r.Protect.FirstBackup && r.Protect.kind() == PostgresFlexibleServer:
		add("is given for servers, whose policy makes the first backup", "nothing", "protect", "firstBackup")
	}
	if check == nil {
		return
	}
	req, err := r.request(sample(r.Protect.kind()), "")
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

// sample is a resource as an event could announce it.
func sample(k Kind) Resource {
	const group = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/group/providers/"
	if k == PostgresFlexibleServer {
		return Resource{Kind: k, ID: group + "Microsoft.DBforPostgreSQL/flexibleServers/server", Name: "server", Location: "westeurope"}
	}
	account := group + "Microsoft.Storage/storageAccounts/account"
	return Resource{Kind: k, ID: account + "/fileServices/default/shares/share", AccountID: account, Account: "account", Name: "share", Location: "westeurope"}
}

// Labels that every operation has which a rule starts.
const (
	labelRule   = "rule"
	labelSource = "source"
)

// request is what the rule starts for a resource.
func (r Rule) request(res Resource, key string) (request.Request, error) {
	req := request.Request{Key: key}
	var parameters any
	switch res.Kind {
	case FileShare:
		req.Flow = "protect-file-share"
		p := flow.ProtectFileShare{VaultID: r.Protect.VaultID, StorageAccountID: res.AccountID, FileShare: res.Name, Policy: r.Protect.Policy}
		if r.Protect.FirstBackup {
			p.FirstBackup = &flow.FirstBackup{}
		}
		parameters = p
	case PostgresFlexibleServer:
		req.Flow = "protect-postgres"
		parameters = flow.ProtectPostgres{VaultID: r.Protect.VaultID, ServerID: res.ID, Location: res.Location, Policy: r.Protect.Policy}
	default:
		return req, fmt.Errorf("a %s cannot be protected", res.Kind)
	}
	var err error
	req.Parameters, err = json.Marshal(parameters)
	return req, err
}

// Vaults lists the vaults that the rules protect with, and the subscriptions
// that they are about: those that are named, and those of the vaults.
func vaultsAndSubscriptions(rules []Rule, kind Kind) (vaults, subscriptions []string) {
	add := func(list []string, text string) []string {
		if slices.ContainsFunc(list, func(have string) bool { return strings.EqualFold(have, text) }) {
			return list
		}
		return append(list, text)
	}
	for _, r := range rules {
		if r.Protect == nil || r.kind() != kind {
			continue
		}
		vaults = add(vaults, r.Protect.VaultID)
		for _, s := range r.Match.Subscriptions {
			subscriptions = add(subscriptions, s)
		}
		if len(r.Match.Subscriptions) == 0 {
			if parts := strings.Split(r.Protect.VaultID, "/"); len(parts) > 2 {
				subscriptions = add(subscriptions, parts[2])
			}
		}
	}
	return vaults, subscriptions
}
