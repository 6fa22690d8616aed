// Package armsim is a stand-in for Azure Resource Manager, for laptops and
// tests. It serves:
//
//   - the part of Microsoft.RecoveryServices for backups: discovery,
//     registration, protection, stopping and deleting protection, on-demand
//     backup, operations and jobs;
//   - the part of Microsoft.DataProtection for the datasources of package kinds:
//     backup instances, their validation, backup, recovery points and restorable
//     times, restore, stopping, deleting and undeleting, operations and jobs;
//   - reads of Microsoft.Storage accounts and PostgreSQL flexible servers;
//   - file shares, blob containers and disks: making, marking and deleting them;
//   - the managed identity endpoint of App Service. Every other request needs a
//     token of this endpoint.
//
// It answers as recorded Azure traffic does:
//
//   - An asynchronous request answers 202 with Azure-AsyncOperation and
//     Location; a PUT of a backup instance answers 201 with
//     Azure-AsyncOperation only.
//   - These URLs are long and signed, and work only unchanged, or without any
//     signature (see Config.RequireSignedPolls).
//   - Retry-After is present exactly where Azure sends it.
//   - The casing of names differs between lists.
//   - The end time of a running operation is "0001-01-01T00:00:00".
//   - A backup instance is protected only some time after its operation has
//     succeeded.
//   - Work takes as long as it took in Azure, divided by Config.SpeedFactor.
//
// What it does not do:
//
//   - Restores of Recovery Services, undelete, resource guard requests (guarded
//     operations are rejected), encryption, private endpoints, alerts.
//   - Creating or changing vaults, policies, servers and storage accounts. They
//     come from the World.
//   - Datasources that the table of package kinds lacks, and cross-region
//     restore. A restore does not leave its recovery point rehydrated. Blobs have
//     no contents: ranges and prefixes are checked, not restored.
//   - Data. A restore as files writes no files (two restores with one prefix
//     both succeed), secrets are not read, a database is only a name.
//   - Scheduled backups. A policy is a name with a type and never runs.
//     Recovery points do not expire.
//   - Role checks. Every token that it issues allows every action that
//     Simulator.DenyAction does not deny, and a backup fails for a missing
//     permission of the vault's identity only if an Outcome demands it.
//     Permissions, role assignments and the properties of Service Bus queues
//     are readable with every token, in one page.
//   - Differences between api-versions. Every supported version answers like
//     2024-04-01, the recorded one.
//   - TLS. It listens on loopback only, in plain HTTP.
//   - Azure's answer to a modified signature of a poll URL, which is not known.
//     The simulator answers 403, so that a client that rewrites poll URLs fails
//     here.
//
// It is stricter than Azure with requests to Microsoft.DataProtection: it
// rejects a field that the API documents do not have, or spell differently, and
// names the field. Azure may ignore such a field.
//
// Where a behaviour is neither recorded nor documented, the comment in the code
// calls it a choice.
package armsim
