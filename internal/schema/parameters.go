package schema

import (
	"maps"
	"reflect"

	"azbackupflow/internal/flow"
)

// parameters are what a version of a flow takes.
type parameters struct {
	flow    string
	version int
	of      reflect.Type
	rules   rules
	// further are keywords of the whole object, for what fields have to do with
	// each other.
	further object
}

const (
	recoveryVault = "Microsoft.RecoveryServices/vaults"
	backupVault   = "Microsoft.DataProtection/backupVaults"
	flexible      = "Microsoft.DBforPostgreSQL/flexibleServers"
	single        = "Microsoft.DBforPostgreSQL/servers"
)

// must is a field that has to be given.
func must(rule object) object {
	rule = maps.Clone(rule)
	rule[required] = true
	return rule
}

func matches(description string, patterns ...string) object {
	return object{"pattern": whole(patterns...), "description": description}
}

func vault() object {
	return matches("resource id of a Recovery Services vault", inVault(recoveryVault))
}

func account() object {
	return matches("resource id of a storage account", resource("Microsoft.Storage/storageAccounts", segment))
}

func share() object {
	return object{"description": "name of a file share", "minLength": 3, "maxLength": 63, "pattern": shareName}
}

func policy() object {
	return matches("name of one of the vault's policies, or its resource id", policyName, inVault(recoveryVault)+"/"+fold("backupPolicies")+"/"+policyName)
}

func instance() object {
	return matches("resource id of a backup instance", inVault(backupVault, "backupInstances"))
}

func expiry() object { return object{"description": "when the backup may be deleted"} }

// given is a schema that holds where fields are given, missing one that holds
// where none of them is.
func given(names ...string) object { return object{"required": names} }

func missing(names ...string) object {
	var any []object
	for _, name := range names {
		any = append(any, given(name))
	}
	return object{"not": object{"anyOf": any}}
}

// exactlyOne holds where exactly one of the fields is given.
func exactlyOne(names ...string) []object {
	var one []object
	for _, name := range names {
		one = append(one, given(name))
	}
	return one
}

// target are the rules of flow.Target, and of what is embedded beside it.
func target(more rules) rules {
	r := rules{
		"itemId":                     matches("resource id of a protected item", inVault(recoveryVault, "backupFabrics", "protectionContainers", "protectedItems")),
		"fileShare.vaultId":          must(vault()),
		"fileShare.storageAccountId": must(account()),
		"fileShare.name":             must(share()),
		"backupInstanceId":           instance(),
	}
	maps.Copy(r, more)
	return r
}

func oneTarget() object {
	return object{"oneOf": exactlyOne("itemId", "fileShare", "backupInstanceId")}
}

// all are the parameters of every flow that can be started.
func all() []parameters {
	return []parameters{
		{
			flow: "protect-file-share", version: 1, of: reflect.TypeFor[flow.ProtectFileShare](),
			rules: rules{
				"vaultId": must(vault()), "storageAccountId": must(account()), "fileShare": must(share()), "policy": must(policy()),
				"firstBackup": {"description": "back the share up as soon as it is protected"},
				"firstBackup.recoveryPointExpiryTimeInUTC": expiry(),
			},
		},
		{
			flow: "backup-now", version: 1, of: reflect.TypeFor[flow.BackupNow](),
			rules: target(rules{
				"rule":                         {"description": "by which of the policy's rules; for backup instances"},
				"backupType":                   {"description": "databases only", "enum": []string{"Full", "Differential", "Log", "CopyOnlyFull", "Incremental", "SnapshotFull", "SnapshotCopyOnlyFull"}},
				"enableCompression":            {"description": "databases only"},
				"recoveryPointExpiryTimeInUTC": expiry(),
			}),
			further: object{
				"oneOf": exactlyOne("itemId", "fileShare", "backupInstanceId"),
				"allOf": []object{
					{"if": object{"anyOf": exactlyOne("fileShare", "backupInstanceId")}, "then": missing("backupType", "enableCompression")},
					{"if": given("backupInstanceId"), "then": missing("recoveryPointExpiryTimeInUTC", "eTag", "location", "tags"), "else": missing("rule")},
				},
			},
		},
		{
			flow: "protect-postgres", version: 1, of: reflect.TypeFor[flow.ProtectPostgres](),
			rules: rules{
				"vaultId":      must(matches("resource id of the Backup vault", inVault(backupVault))),
				"serverId":     must(matches("resource id of the flexible server", resource(flexible, segment))),
				"location":     must(object{"description": "the server's region", "minLength": 1}),
				"policy":       must(matches("name of one of the vault's policies, or its resource id", `[^/][\s\S]*`, inVault(backupVault)+"/"+fold("backupPolicies")+`/[\s\S]*`)),
				"instanceName": {"description": "the backup instance's name; derived from the server's where it is left out", "pattern": instanceName},
			},
		},
		restorePostgres(),
		{flow: "stop-protection", version: 1, of: reflect.TypeFor[flow.Target](), rules: target(nil), further: oneTarget()},
		{
			flow: "resume-protection", version: 1, of: reflect.TypeFor[flow.ResumeProtection](), rules: target(rules{"policy": policy()}),
			further: object{
				"oneOf": exactlyOne("itemId", "fileShare", "backupInstanceId"),
				"if":    given("backupInstanceId"), "then": missing("policy"), "else": given("policy"),
			},
		},
		{flow: "delete-protection", version: 1, of: reflect.TypeFor[flow.Target](), rules: target(nil), further: oneTarget()},
		{
			flow: "track-job", version: 1, of: reflect.TypeFor[flow.TrackJob](),
			rules: rules{"jobId": must(matches("resource id of a backup job", resource(recoveryVault+"/backupJobs", segment), resource(backupVault+"/backupJobs", segment)))},
		},
	}
}

func restorePostgres() parameters {
	const path = `/secrets/[^?#\x00-\x1f\x7f]*`
	return parameters{
		flow: "restore-postgres", version: 1, of: reflect.TypeFor[flow.RestorePostgres](),
		rules: rules{
			"backupInstanceId":      must(instance()),
			"recoveryPoint":         must(object{"oneOf": []object{given("id"), {"required": []string{"latest"}, "properties": object{"latest": object{"const": true}}}, given("latestBefore")}}),
			"recoveryPoint.id":      {"minLength": 1},
			"tier":                  {"enum": []string{"vault", "archive"}, "default": "vault"},
			"rehydration":           {"description": "for the archive tier, and only for it"},
			"rehydration.priority":  must(object{"enum": []string{"Standard", "High"}}),
			"rehydration.retention": must(object{"description": "an ISO 8601 duration of days", "pattern": days}),
			"asDatabase.serverId":   must(matches("resource id of a server that restores may write to", resource(single, segment), resource(flexible, segment))),
			"asDatabase.database":   must(object{"description": "the name of a database that does not exist yet", "pattern": databaseName}),
			"asDatabase.credentialsSecretUri": must(matches("URI of the Key Vault secret with the server's credentials",
				fold("https://")+`[^/?#@:]+`+`(`+fold(".vault.azure.net")+`|`+fold(".vault.usgovcloudapi.net")+`|`+fold(".vault.azure.cn")+`)`+path)),
			"asFiles.containerUrl": must(matches("URL of a blob container that restores may write to", fold("https://")+`[^/?#@]+/+[^/?#%\x00-\x1f\x7f]+/*`)),
			"asFiles.prefix":       must(object{"description": "what the files' names begin with", "minLength": 1}),
			"asFiles.containerId":  matches("resource id of the container", resource("Microsoft.Storage/storageAccounts/blobServices/containers", segment)),
		},
		further: object{
			"oneOf": exactlyOne("asDatabase", "asFiles"),
			"if":    object{"required": []string{"tier"}, "properties": object{"tier": object{"const": "archive"}}},
			"then":  given("rehydration"), "else": missing("rehydration"),
		},
	}
}
