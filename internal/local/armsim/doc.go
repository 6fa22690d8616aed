// Package armsim is a stand-in for Azure Resource Manager, for a laptop and
// for tests. It serves the part of Microsoft.RecoveryServices that backing up
// takes (discovery, registration, protection, stopping and deleting it,
// on-demand backup, operations and jobs), the part of Microsoft.DataProtection
// that PostgreSQL takes (backup instances, their validation, backup, recovery
// points, restore, stopping and deleting, operations and jobs), reads of
// Microsoft.Storage accounts and PostgreSQL flexible servers, and the App
// Service managed identity endpoint whose tokens it then demands.
//
// It answers as recorded Azure traffic shows: asynchronous requests answer 202
// with Azure-AsyncOperation and Location (a PUT of a backup instance 201 with
// the first alone); the URLs there are long and signed and work only as they
// were given; Retry-After comes where Azure sends it and is absent where it is
// not; names change their casing from list to list; a running operation ends at
// "0001-01-01T00:00:00"; a backup instance is protected only some time after
// its operation has succeeded; work takes as long as it took in Azure, divided
// by Config.SpeedFactor.
//
// What it does not do:
//
//   - Restores and recovery points of Recovery Services, undeleting, resource
//     guard requests (what a guard guards is refused), encryption, private
//     endpoints, alerts. Creating or changing vaults, policies, servers and
//     storage accounts: they come from the World.
//   - Microsoft.DataProtection for anything but PostgreSQL; cross-region
//     restore; a recovery point does not become rehydrated by a restore.
//   - Data: a restore as files leaves no files (two restores with one prefix
//     both succeed), secrets are not read, a database is a name.
//   - Scheduled backups: a policy is a name with a type, it never runs, and
//     recovery points do not expire.
//   - Role assignments: every token it issued may do everything but what
//     Simulator.Withhold takes away, and a backup fails for want of a
//     permission of the vault's identity only if an Outcome says so. It tells
//     permissions, role assignments and the properties of Service Bus queues
//     to whoever asks, in one page.
//   - api-versions that differ in their answers: every supported version
//     answers like 2024-04-01, the recorded one.
//   - TLS. It listens on loopback only, in plain HTTP.
//   - Azure's answer to a poll URL that was tampered with is not known. The
//     simulator refuses it with 403, so that a client that rewrites poll URLs
//     fails here. (Azure does serve polls that a client composed from ids,
//     without any signature; Config.AllowUnsignedPolls does too.)
//
// It is stricter than Azure with requests to Microsoft.DataProtection: a field
// that the API documents do not have, or have in another spelling, is refused
// with its name, where Azure may overlook it.
//
// Where a behaviour was neither recorded nor documented, the comment at the
// code says that it is a choice.
package armsim
