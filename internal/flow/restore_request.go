package flow

import (
	"fmt"
	"slices"
	"strings"

	"azbackupflow/internal/arm/dataprotection"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

// ability is what backups of a kind of datasource can be restored as.
type ability struct {
	datasourceType    string
	database, archive bool
	why               string
}

// abilities is what each datasource can do. Source: the support matrix of Azure
// Database for PostgreSQL backup on learn.microsoft.com.
func abilities() []ability {
	return []ability{
		{
			datasourceType: dataprotection.DatasourceFlexibleServer,
			why:            "a flexible server is restored as files, from the vault tier",
		},
		{
			datasourceType: dataprotection.DatasourceDatabase, database: true, archive: true,
			why: "a database of a single server, a retired server type whose backups remain",
		},
	}
}

// possible says why the datasource cannot do what is asked; nil if it can.
func (p RestorePostgres) possible(datasourceType string) *operation.Error {
	all := abilities()
	i := slices.IndexFunc(all, func(a ability) bool { return strings.EqualFold(a.datasourceType, datasourceType) })
	if i < 0 {
		return fatal("DatasourceNotSupported", fmt.Sprintf("the instance backs up a %s, which is no PostgreSQL", datasourceType))
	}
	can := all[i]
	switch {
	case p.AsDatabase != nil && !can.database:
		return fatal("RestoreNotPossible", "parameters.asDatabase: "+can.why, "Restore as files (parameters.asFiles), then load them with pg_restore.")
	case p.Tier == tierArchive && !can.archive:
		return fatal("RestoreNotPossible", "parameters.tier: "+can.why, "Restore from the vault tier.")
	}
	return nil
}

// store is the kind of data store that the tier is.
func (p RestorePostgres) store() string {
	if p.Tier == tierArchive {
		return dataprotection.StoreArchive
	}
	return dataprotection.StoreVault
}

// request is the body of the restore and of its validation.
func (p RestorePostgres) request(c step.Call) (dataprotection.RestoreRequest, error) {
	known := c.Operation.Learned
	r := dataprotection.RestoreRequest{
		RecoveryPointID: known[learnedRecoveryPoint], SourceDataStoreType: p.store(), RestoreLocation: p.Location,
	}
	if r.RestoreLocation == "" {
		r.RestoreLocation = known[learnedLocation]
	}
	if p.Rehydration != nil {
		r.Rehydration = &dataprotection.Rehydration{Priority: p.Rehydration.Priority, RetentionDuration: p.Rehydration.Retention}
	}
	if p.AsFiles != nil {
		r.Files = &dataprotection.FilesTarget{URL: p.AsFiles.ContainerURL, FilePrefix: p.AsFiles.Prefix, TargetResourceID: p.AsFiles.ContainerID}
		return r, nil
	}
	datasource, set, err := dataprotection.DatasourceOf(strings.TrimRight(p.AsDatabase.ServerID, "/")+"/databases/"+p.AsDatabase.Database, r.RestoreLocation)
	if err != nil {
		return r, fatal("ParametersUnreadable", err.Error())
	}
	r.Database = &dataprotection.DatabaseTarget{Datasource: datasource, DatasourceSet: set, SecretURI: p.AsDatabase.CredentialsSecretURI}
	return r, nil
}
