package dataprotection

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"azbackupflow/internal/arm/azjson"
)

// check rejects a request that Azure would reject.
func (r RestoreRequest) check() error {
	switch {
	case (r.RecoveryPointID == "") == r.PointInTime.IsZero():
		return errors.New("a restore needs either a recovery point or a time")
	case r.targets() != 1:
		return errors.New("a restore needs exactly one target: a database, files or a resource")
	case r.SourceDataStoreType != StoreVault && r.SourceDataStoreType != StoreArchive && r.SourceDataStoreType != StoreOperational:
		return fmt.Errorf("sourceDataStoreType %q is not one of %s, %s, %s", r.SourceDataStoreType, StoreVault, StoreArchive, StoreOperational)
	case (r.SourceDataStoreType == StoreArchive) != (r.Rehydration != nil):
		return errors.New("a rehydration is required for the archive, and allowed only for the archive")
	}
	if err := r.Rehydration.check(); err != nil {
		return err
	}
	if d := r.Database; d != nil {
		if d.Datasource.ResourceID == "" {
			return errors.New("the target database has no resource id")
		}
		return checkSecretURI(d.SecretURI)
	}
	if r.Resource != nil {
		return r.Resource.check()
	}
	if r.Files.FilePrefix == "" {
		return errors.New("a restore as files needs a prefix for the files' names")
	}
	u, err := url.Parse(r.Files.URL)
	if err != nil || u.Scheme != "https" || u.Host == "" || strings.Trim(u.Path, "/") == "" {
		return errors.New("the target is not the URL of a container; use a URL such as https://account.blob.core.windows.net/container")
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return errors.New("the target's URL contains credentials or a query; use the URL of the container without a SAS")
	}
	return nil
}

// targets returns the number of targets.
func (r RestoreRequest) targets() (n int) {
	for _, set := range []bool{r.Database != nil, r.Files != nil, r.Resource != nil} {
		if set {
			n++
		}
	}
	return n
}

// check rejects a target that Azure would reject.
func (t ResourceTarget) check() error {
	switch c := t.Cluster; {
	case t.Datasource.ResourceID == "":
		return errors.New("the target has no resource id")
	case c != nil && (c.StagingResourceGroupID == "") != (c.StagingAccountID == ""):
		return errors.New("a staging resource group and a staging storage account belong together")
	case c != nil && !c.VaultTier && c.StagingAccountID != "":
		return errors.New("only a restore from the vault store is staged")
	}
	return nil
}

// check rejects a rehydration that Azure would reject.
func (h *Rehydration) check() error {
	if h == nil {
		return nil
	}
	if h.Priority != PriorityStandard && h.Priority != PriorityHigh {
		return fmt.Errorf("rehydrationPriority %q is not one of %s, %s", h.Priority, PriorityStandard, PriorityHigh)
	}
	if azjson.Text(h.RetentionDuration).Duration() <= 0 {
		return fmt.Errorf("rehydrationRetentionDuration %q is not an ISO 8601 duration such as P15D", h.RetentionDuration)
	}
	return nil
}

// checkSecretURI rejects anything but the URI of a Key Vault secret, or an empty
// text.
func checkSecretURI(uri string) error {
	if uri == "" {
		return nil
	}
	u, err := url.Parse(uri)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" ||
		!strings.HasPrefix(u.Path, "/secrets/") {
		return errors.New("the credentials are not the URI of a Key Vault secret; use a URI such as https://vault.vault.azure.net/secrets/name")
	}
	return nil
}
