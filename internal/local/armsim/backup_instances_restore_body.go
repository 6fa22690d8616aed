package armsim

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"azbackupflow/internal/arm/dataprotection/kinds"
)

// Types of a restore request.
const (
	pointRestoreRequest     = "AzureBackupRecoveryPointBasedRestoreRequest"
	rehydrateRestoreRequest = "AzureBackupRestoreWithRehydrationRequest"
	timeRestoreRequest      = "AzureBackupRecoveryTimeBasedRestoreRequest"
	restoreAsFiles          = "RestoreFilesTargetInfo"
)

// restoreBody is an AzureBackupRestoreRequest.
type restoreBody struct {
	ObjectType           string           `json:"objectType"`
	SourceDataStoreType  string           `json:"sourceDataStoreType"`
	RecoveryPointID      string           `json:"recoveryPointId"`
	RecoveryPointTime    string           `json:"recoveryPointTime"`
	RehydrationPriority  string           `json:"rehydrationPriority"`
	RehydrationRetention string           `json:"rehydrationRetentionDuration"`
	Target               *restoreTarget   `json:"restoreTargetInfo"`
	Identity             *identityDetails `json:"identityDetails"`
}

// restoreTarget is a RestoreTargetInfo, an ItemLevelRestoreTargetInfo or a
// RestoreFilesTargetInfo.
type restoreTarget struct {
	ObjectType        string          `json:"objectType"`
	RecoveryOption    string          `json:"recoveryOption"`
	RestoreLocation   string          `json:"restoreLocation"`
	DatasourceInfo    *datasourceBody `json:"datasourceInfo"`
	DatasourceSetInfo *datasourceBody `json:"datasourceSetInfo"`
	Credentials       *struct {
		ObjectType string `json:"objectType"`
		Secret     *struct {
			Type string `json:"secretStoreType"`
			URI  string `json:"uri"`
		} `json:"secretStoreResource"`
	} `json:"datasourceAuthCredentials"`
	Criteria []restoreCriteria `json:"restoreCriteria"`
	Details  *struct {
		URL          string `json:"url"`
		FilePrefix   string `json:"filePrefix"`
		LocationType string `json:"restoreTargetLocationType"`
	} `json:"targetDetails"`
}

// restoreShape returns the shape of an AzureBackupRestoreRequest.
// datasourceInfo is spelled with a small s here, unlike in a backup instance.
func restoreShape() shape {
	return shape{
		"objectType": nil, "sourceDataStoreType": nil, "sourceResourceId": nil, "resourceGuardOperationRequests": nil,
		"identityDetails": nil, "recoveryPointId": nil, "recoveryPointTime": nil, "rehydrationPriority": nil, "rehydrationRetentionDuration": nil,
		"restoreTargetInfo": {
			"objectType": nil, "recoveryOption": nil, "restoreLocation": nil, "restoreCriteria": nil,
			"datasourceInfo": datasourceShape(), "datasourceSetInfo": datasourceShape(), "datasourceAuthCredentials": credentialsShape(),
			"targetDetails": {"filePrefix": nil, "restoreTargetLocationType": nil, "url": nil, "targetResourceArmId": nil},
		},
	}
}

// restorePlan is the meaning of a valid restore request.
type restorePlan struct {
	body     *restoreBody
	instance *instance
	way      kinds.Restore
	// point is nil for a restore to a time, which is at.
	point *recoveryPoint
	at    time.Time
	// newContainers are the containers that a vaulted restore creates.
	newContainers []string
	// destination is the ARM ID of the database or the URL of the container;
	// prefix is the prefix of the files.
	destination, prefix string
	account, container  string // of files
	secret              string
}

// target returns the key that only one restore may hold at a time.
func (p *restorePlan) target() string { return strings.ToLower(p.destination) + "\n" + p.prefix }

// checkRestore checks a restore request whose fields begin with prefix.
func (s *Simulator) checkRestore(c *call, i *instance, prefix string, b *restoreBody) (*restorePlan, *armError) {
	if b == nil {
		return nil, invalidField(strings.TrimSuffix(prefix, "."), "it is missing")
	}
	p := &restorePlan{body: b, instance: i}
	if b.Target == nil {
		return nil, invalidField(prefix+"restoreTargetInfo", "it is missing")
	}
	if err := p.checkPoint(c, prefix); err != nil {
		return nil, err
	}
	if err := p.checkStore(prefix); err != nil {
		return nil, err
	}
	if err := b.Identity.check(prefix+"identityDetails", c.backupVault); err != nil {
		return nil, err
	}
	t, at := b.Target, prefix+"restoreTargetInfo."
	way, fits := wayTo(i.source.kind, b)
	switch {
	case t.RecoveryOption != "FailIfExists":
		return nil, invalidField(at+"recoveryOption", "%q is not FailIfExists", t.RecoveryOption)
	case !fits:
		return nil, invalidField(at+"objectType", "a %s cannot be restored from the %s as %q with these criteria", i.source.kind.Name, b.SourceDataStoreType, t.ObjectType)
	}
	p.way = way
	check := p.checkTarget
	switch way.Target {
	case kinds.TargetDatabase:
		check = p.checkDatabase
	case kinds.TargetContainer:
		check = p.checkFiles
	case kinds.TargetDisk, kinds.TargetAccount, kinds.TargetCluster:
	}
	if err := check(at); err != nil {
		return nil, err
	}
	if l := t.RestoreLocation; l != "" && !strings.EqualFold(l, c.backupVault.Location) && !strings.EqualFold(l, s.world.locationOf(p)) {
		return nil, invalidField(at+"restoreLocation", "%q is neither the vault's nor the target's location", l)
	}
	return p, nil
}

// locationOf returns the region of a restore target, empty if the target does
// not exist.
func (w *world) locationOf(p *restorePlan) string {
	if p.container == "" {
		d, _ := w.datasource(p.destination, "")
		return d.location
	}
	for _, a := range w.accounts {
		if strings.EqualFold(a.Name, p.account) {
			return a.Location
		}
	}
	return ""
}

// checkStore checks the tier, and the fields that a restore from the archive
// tier needs.
func (p *restorePlan) checkStore(prefix string) *armError {
	b := p.body
	stores := []string{}
	for _, r := range p.instance.source.kind.Restores {
		stores = append(stores, r.Store)
	}
	switch {
	case !slices.Contains(stores, b.SourceDataStoreType):
		return invalidField(prefix+"sourceDataStoreType", "%q is not one of %s", b.SourceDataStoreType, strings.Join(stores, ", "))
	case p.point == nil:
		return nil
	case b.SourceDataStoreType != p.point.store:
		return invalidField(prefix+"sourceDataStoreType", "the recovery point is in the %s", p.point.store)
	}
	if b.ObjectType == pointRestoreRequest {
		switch {
		case b.SourceDataStoreType == archiveStore:
			return invalidField(prefix+"objectType", "a restore from the archive tier is an %s", rehydrateRestoreRequest)
		case b.RehydrationPriority != "":
			return invalidField(prefix+"rehydrationPriority", "only an %s has one", rehydrateRestoreRequest)
		case b.RehydrationRetention != "":
			return invalidField(prefix+"rehydrationRetentionDuration", "only an %s has one", rehydrateRestoreRequest)
		}
		return nil
	}
	if !slices.Contains([]string{"Standard", "High"}, b.RehydrationPriority) {
		return invalidField(prefix+"rehydrationPriority", "%q is neither Standard nor High", b.RehydrationPriority)
	}
	if !regexp.MustCompile(`^P\d+[DW]$`).MatchString(b.RehydrationRetention) {
		return invalidField(prefix+"rehydrationRetentionDuration", "%q is not a number of days or weeks such as P15D", b.RehydrationRetention)
	}
	return nil
}

// checkFiles checks the target of a restore as files.
func (p *restorePlan) checkFiles(at string) *armError {
	d := p.body.Target.Details
	if d == nil {
		return invalidField(at+"targetDetails", "they are missing")
	}
	at += "targetDetails."
	if d.LocationType != "AzureBlobs" {
		return invalidField(at+"restoreTargetLocationType", "%q is not AzureBlobs", d.LocationType)
	}
	if d.FilePrefix == "" {
		return invalidField(at+"filePrefix", "it is missing")
	}
	u, err := url.Parse(d.URL)
	if err != nil || u.Scheme != "https" || u.RawQuery != "" {
		return invalidField(at+"url", "%q is not the URL of a container", d.URL)
	}
	account, service, _ := strings.Cut(u.Hostname(), ".")
	container := strings.Trim(u.Path, "/")
	if !strings.HasPrefix(service, "blob.") || container == "" || strings.Contains(container, "/") {
		return invalidField(at+"url", "%q is not the URL of a container", d.URL)
	}
	p.destination, p.prefix, p.account, p.container = d.URL, d.FilePrefix, account, container
	return nil
}

// checkDatabase checks the target of a restore as database.
func (p *restorePlan) checkDatabase(at string) *armError {
	t := p.body.Target
	switch d := t.DatasourceInfo; {
	case d == nil:
		return invalidField(at+"datasourceInfo", "it is missing")
	case !strings.EqualFold(d.DatasourceType, databaseType):
		return invalidField(at+"datasourceInfo.datasourceType", "%q is not %s", d.DatasourceType, databaseType)
	case !isDatabaseID(d.ResourceID):
		return invalidField(at+"datasourceInfo.resourceID", "%q is not the id of a database", d.ResourceID)
	case t.DatasourceSetInfo == nil:
		return invalidField(at+"datasourceSetInfo", "it is missing")
	case !strings.EqualFold(t.DatasourceSetInfo.ResourceID, serverOf(d.ResourceID)):
		return invalidField(at+"datasourceSetInfo.resourceID", "%q is not the database's server", t.DatasourceSetInfo.ResourceID)
	}
	p.destination = t.DatasourceInfo.ResourceID
	if t.Credentials == nil { // the identity of the vault is used
		return nil
	}
	at += "datasourceAuthCredentials"
	switch a := t.Credentials; {
	case a.ObjectType != "SecretStoreBasedAuthCredentials":
		return invalidField(at+".objectType", "%q is not SecretStoreBasedAuthCredentials", a.ObjectType)
	case a.Secret == nil || a.Secret.Type != "AzureKeyVault":
		return invalidField(at+".secretStoreResource.secretStoreType", "it is not AzureKeyVault")
	case !isSecretURI(a.Secret.URI):
		return invalidField(at+".secretStoreResource.uri", "%q is not the URI of a secret", a.Secret.URI)
	}
	p.secret = t.Credentials.Secret.URI
	return nil
}

func isDatabaseID(id string) bool {
	return regexp.MustCompile(`(?i)^/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.DBforPostgreSQL/servers/[^/]+/databases/[^/]+$`).MatchString(id)
}

// serverOf returns the ID of the server of a database.
func serverOf(database string) string {
	return database[:strings.LastIndex(strings.ToLower(database), "/databases/")]
}

func isSecretURI(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.Scheme == "https" && strings.Contains(u.Hostname(), ".vault.") && strings.HasPrefix(u.Path, "/secrets/")
}
