package armsim

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
)

// world is the current state of the simulated Azure.
type world struct {
	vaults     []*vault
	resources  []*Resource
	accounts   []*account
	machines   []*machine
	operations map[string]*operation

	backupVaults       []*backupVault
	flexibleServers    []FlexibleServer
	singleServers      []*singleServer
	instanceOperations map[string]*instanceOperation // by name
	restoring          map[string]bool               // by target

	events events
	// since is the start time of the simulator.
	since time.Time
}

// vault is a vault with its contents.
type vault struct {
	Vault
	discovered map[*account]bool
	// discoveredMachines are those that a refresh found, discoveredServers those
	// that a refresh found for databases.
	discoveredMachines, discoveredServers map[*machine]bool
	intents                               []*intent
	containers                            []*container
	jobs                                  []*job
}

// account is a storage account in its current state, known to vaults or not.
type account struct {
	StorageAccount
	shares []*share
	// vault is the vault that the account is registered with, nil if none.
	vault *vault
	since time.Time
}

// share is a file share in its current state.
type share struct {
	name string
	// key is the second half of the item name.
	key string
	// empty is set for a share without files.
	empty bool
	// metadata and bytes are of the share as a resource; see drill_places.go.
	metadata map[string]string
	bytes    int64
}

// files returns the number of files that a restore of the share writes.
func (s *share) files() int {
	if s.empty {
		return 0
	}
	return 3
}

// container is a registered container of a vault.
type container struct {
	vault *vault
	// name is the name in lists of containers; itemsName is the name, with other
	// casing, in IDs of protected items.
	name, itemsName    string
	friendly, sourceID string
	workload           workload
	account            *account // of a storage container
	machine            *machine // of a virtual machine or a database server
	databases          []*database
	inquired           map[*share]bool
	items              []*item
}

// item is a protected item.
type item struct {
	container      *container
	name, friendly string
	policy         string
	workload       workload
	share          *share // of a file share
	server         string // of a database
	parent         string // instance of a database
	state          string
	lastStatus     string
	lastBackup     time.Time
	points         []itemPoint // oldest first
	logEnd         time.Time   // of a database: the end of its log chain
	running        *job
	// purge is the removal time of a soft-deleted item; zero if it is not
	// soft-deleted.
	purge time.Time
}

// workload is the kind of a protected resource.
type workload int

const (
	fileShare workload = iota
	virtualMachine
	sqlDatabase
	hanaDatabase
)

// workloadNames are the names of a workload in the API.
type workloadNames struct {
	managementType, workloadType, itemType, requestType, jobType string
}

// names returns the names from the model types of the API documents.
func (w workload) names() workloadNames {
	switch w {
	case virtualMachine:
		return workloadNames{"AzureIaasVM", "VM", "Microsoft.Compute/virtualMachines", "IaasVMBackupRequest", "AzureIaaSVMJob"}
	case sqlDatabase:
		return workloadNames{"AzureWorkload", "SQLDataBase", "AzureVmWorkloadSQLDatabase", "AzureWorkloadBackupRequest", "AzureWorkloadJob"}
	case hanaDatabase:
		return workloadNames{"AzureWorkload", "SAPHanaDatabase", "AzureVmWorkloadSAPHanaDatabase", "AzureWorkloadBackupRequest", "AzureWorkloadJob"}
	case fileShare:
	}
	return workloadNames{"AzureStorage", "AzureFileShare", "AzureFileShareProtectedItem", "AzureFileShareBackupRequest", "AzureStorageJob"}
}

// newWorld creates the state that a seed describes.
func newWorld(seed World, now time.Time, ids *random) (*world, error) {
	w := &world{
		operations: map[string]*operation{}, instanceOperations: map[string]*instanceOperation{}, restoring: map[string]bool{}, since: now,
	}
	for _, v := range seed.Vaults {
		if w.findVault(v.ID()) != nil {
			return nil, fmt.Errorf("vault %s is listed twice", v.ID())
		}
		w.vaults = append(w.vaults, newVault(v))
	}
	for _, a := range seed.StorageAccounts {
		if err := w.addAccount(a, now); err != nil {
			return nil, err
		}
	}
	for _, m := range seed.VirtualMachines {
		added := w.addSeededMachine(m)
		if v := w.findVault(m.RegisteredWith); v != nil && len(added.databases) > 0 {
			v.registerServer(added, added.databases[0].kind)
		}
		if m.Vault == "" {
			continue
		}
		v, err := w.protector(m.Vault, m.Policy, virtualMachine)
		if err != nil {
			return nil, fmt.Errorf("virtual machine %s: %w", m.Name, err)
		}
		v.addMachine(added, now)
	}
	for _, d := range seed.Databases {
		kind := sqlDatabase
		if strings.EqualFold(d.Type, hanaDatabase.names().workloadType) {
			kind = hanaDatabase
		} else if !strings.EqualFold(d.Type, sqlDatabase.names().workloadType) {
			return nil, fmt.Errorf("database %s: type %q is neither SQLDataBase nor SAPHanaDatabase", d.Name, d.Type)
		}
		v, err := w.protector(d.Vault, d.Policy, kind)
		if err != nil {
			return nil, fmt.Errorf("database %s: %w", d.Name, err)
		}
		v.addDatabase(d, kind, now, w)
	}
	if err := w.addBackupVaults(seed, now, ids); err != nil {
		return nil, err
	}
	return w, nil
}

// newVault creates a vault and fills in the default settings.
func newVault(v Vault) *vault {
	if v.Immutability == "" {
		v.Immutability = immutabilityDisabled
	}
	if v.SoftDelete == "" {
		v.SoftDelete = softDeleteDisabled
	}
	if v.SoftDeleteDays == 0 {
		v.SoftDeleteDays = defaultSoftDeleteDays
	}
	return &vault{
		Vault: v, discovered: map[*account]bool{}, discoveredMachines: map[*machine]bool{}, discoveredServers: map[*machine]bool{},
	}
}

// addAccount adds a storage account, with its registration and protection.
func (w *world) addAccount(seed StorageAccount, now time.Time) error {
	if a, _ := w.account(seed.ID()); a != nil {
		return fmt.Errorf("storage account %s is listed twice", seed.ID())
	}
	a := &account{StorageAccount: seed, since: now}
	w.accounts = append(w.accounts, a)
	for _, s := range seed.Shares {
		a.addShare(s)
	}
	if seed.RegisteredWith == "" {
		return nil
	}
	v := w.findVault(seed.RegisteredWith)
	if v == nil {
		return fmt.Errorf("storage account %s: there is no vault %s", seed.Name, seed.RegisteredWith)
	}
	v.discovered[a] = true
	c := v.register(a)
	for n, s := range seed.Shares {
		c.inquired[a.shares[n]] = true
		if s.Policy == "" {
			continue
		}
		if _, err := w.protector(v.ID(), s.Policy, fileShare); err != nil {
			return fmt.Errorf("share %s: %w", s.Name, err)
		}
		c.protect(a.shares[n], s.Policy).remember(s.Past, now)
	}
	return nil
}

// protector returns the vault with this ID if it has the policy.
func (w *world) protector(vaultID, policy string, kind workload) (*vault, error) {
	v := w.findVault(vaultID)
	if v == nil {
		return nil, fmt.Errorf("there is no vault %q", vaultID)
	}
	p := v.policy(policy)
	if p == nil || !strings.EqualFold(p.BackupManagementType, kind.names().managementType) {
		return nil, fmt.Errorf("the vault has no policy %q for %s", policy, kind.names().managementType)
	}
	return v, nil
}

func (w *world) hasSubscription(id string) bool {
	return slices.ContainsFunc(w.vaults, func(v *vault) bool { return strings.EqualFold(v.Subscription, id) }) ||
		slices.ContainsFunc(w.backupVaults, func(v *backupVault) bool { return strings.EqualFold(v.Subscription, id) }) ||
		slices.ContainsFunc(w.flexibleServers, func(f FlexibleServer) bool { return strings.EqualFold(f.Subscription, id) }) ||
		slices.ContainsFunc(w.accounts, func(a *account) bool { return strings.EqualFold(a.Subscription, id) })
}

func (w *world) findVault(id string) *vault {
	for _, v := range w.vaults {
		if strings.EqualFold(v.ID(), id) {
			return v
		}
	}
	return nil
}

func (w *world) account(id string) (*account, error) {
	for _, a := range w.accounts {
		if strings.EqualFold(a.ID(), id) {
			return a, nil
		}
	}
	return nil, fmt.Errorf("there is no storage account %q", id)
}

func (a *account) addShare(s Share) {
	key := s.Name
	if !s.PlainItemName {
		// Azure's own algorithm is not known. The names only need the same form and
		// must be stable.
		sum := sha256.Sum256([]byte(strings.ToLower(a.ID() + "/" + s.Name)))
		key = hex.EncodeToString(sum[:])
	}
	a.shares = append(a.shares, &share{name: s.Name, key: key, empty: s.Empty})
	a.shares[len(a.shares)-1].bytes = int64(a.shares[len(a.shares)-1].files()) * restoredFileBytes
}

func (a *account) share(name string) *share {
	for _, s := range a.shares {
		if strings.EqualFold(s.name, name) {
			return s
		}
	}
	return nil
}

func (v *vault) policy(name string) *Policy {
	for n, p := range v.Policies {
		if strings.EqualFold(p.Name, name) {
			return &v.Policies[n]
		}
	}
	return nil
}

func (v *vault) policyID(name string) string { return v.ID() + "/backupPolicies/" + name }

// container returns a registered container by either casing of its name.
func (v *vault) container(name string) *container {
	for _, c := range v.containers {
		if strings.EqualFold(c.name, name) {
			return c
		}
	}
	return nil
}

func (k *container) item(name string) *item {
	for _, i := range k.items {
		if strings.EqualFold(i.name, name) {
			return i
		}
	}
	return nil
}
