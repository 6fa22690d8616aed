package armsim

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
)

// world is the simulated Azure as it is now.
type world struct {
	vaults     []*vault
	accounts   []*account
	operations map[string]*operation

	backupVaults       []*backupVault
	flexibleServers    []FlexibleServer
	singleServers      []*singleServer
	instanceOperations map[string]*instanceOperation // by name
	restoring          map[string]bool               // by target

	events events
	// since is when the world began.
	since time.Time
}

// vault is a vault with what it knows.
type vault struct {
	Vault
	discovered map[*account]bool
	containers []*container
	jobs       []*job
}

// account is a storage account as it is, whatever vaults know of it.
type account struct {
	StorageAccount
	shares []*share
	// vault is the one it is registered with, if any.
	vault *vault
	since time.Time
}

// share is a file share as it is.
type share struct {
	name string
	// key is the second half of its item's name.
	key string
}

// container is a registered container of a vault.
type container struct {
	vault *vault
	// name is the one in lists of containers, itemsName the differently cased
	// one in ids of protected items.
	name, itemsName    string
	friendly, sourceID string
	workload           workload
	account            *account // of a storage container
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
	parent         string // a database's instance
	state          string
	lastStatus     string
	lastBackup     time.Time
	running        *job
	// purge is when a soft-deleted item is removed for good; zero if it is not
	// soft-deleted.
	purge time.Time
}

// workload is what kind of thing is backed up.
type workload int

const (
	fileShare workload = iota
	virtualMachine
	sqlDatabase
	hanaDatabase
)

// workloadNames is what the API calls a workload.
type workloadNames struct {
	managementType, workloadType, itemType, requestType, jobType string
}

// names is from the model types of the API documents.
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

// newWorld makes the world that a seed describes.
func newWorld(seed World, now time.Time, ids *random) (*world, error) {
	w := &world{
		operations: map[string]*operation{}, instanceOperations: map[string]*instanceOperation{}, restoring: map[string]bool{}, since: now,
	}
	for _, v := range seed.Vaults {
		if w.findVault(v.ID()) != nil {
			return nil, fmt.Errorf("vault %s is there twice", v.ID())
		}
		w.vaults = append(w.vaults, newVault(v))
	}
	for _, a := range seed.StorageAccounts {
		if err := w.addAccount(a, now); err != nil {
			return nil, err
		}
	}
	for _, m := range seed.VirtualMachines {
		v, err := w.protector(m.Vault, m.Policy, virtualMachine)
		if err != nil {
			return nil, fmt.Errorf("virtual machine %s: %w", m.Name, err)
		}
		v.addMachine(m, now)
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
		v.addDatabase(d, kind, now)
	}
	if err := w.addBackupVaults(seed, now, ids); err != nil {
		return nil, err
	}
	return w, nil
}

// newVault makes a vault with the settings that it leaves out.
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
	return &vault{Vault: v, discovered: map[*account]bool{}}
}

// addAccount adds a storage account, with its registration and protection.
func (w *world) addAccount(seed StorageAccount, now time.Time) error {
	if a, _ := w.account(seed.ID()); a != nil {
		return fmt.Errorf("storage account %s is there twice", seed.ID())
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
		c.protect(a.shares[n], s.Policy).settle(now)
	}
	return nil
}

// protector finds the vault with a policy that fits.
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
		// Azure's own recipe is not known; the names only have to look alike
		// and to stay the same.
		sum := sha256.Sum256([]byte(strings.ToLower(a.ID() + "/" + s.Name)))
		key = hex.EncodeToString(sum[:])
	}
	a.shares = append(a.shares, &share{name: s.Name, key: key})
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

// container finds a registered container by either casing of its name.
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
