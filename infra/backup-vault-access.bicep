// The roles that the identity of a Backup vault needs on the resources that it backs
// up, by datasource, and those of the clusters' own identities. Every list is empty by default. main.bicep does not deploy this
// file: deploy it to each subscription with such resources.
targetScope = 'subscription'

@description('Object ID of the vault\'s identity: `az dataprotection backup-vault show --query identity.principalId`.')
param vaultPrincipalId string

@description('Resource groups with managed disks to back up, separated by commas.')
param diskResourceGroups string = ''

@description('Resource groups with storage accounts whose blobs to back up, separated by commas.')
param blobResourceGroups string = ''

@description('Resource groups with AKS clusters to back up, separated by commas.')
param clusterResourceGroups string = ''

@description('Resource groups with MySQL flexible servers to back up, separated by commas.')
param mySqlResourceGroups string = ''

@description('Resource groups with PostgreSQL flexible servers to back up, separated by commas.')
param postgresResourceGroups string = ''

@description('Resource groups for the snapshots of disks and clusters, separated by commas.')
param snapshotResourceGroups string = ''

@description('Object IDs of the own identities of AKS clusters, separated by commas: `az aks show --query identity.principalId`. They become Contributor on snapshotResourceGroups.')
param clusterPrincipalIds string = ''

@description('Resource groups in which restores may create disks, separated by commas.')
param diskRestoreResourceGroups string = ''

@description('Resource groups with storage accounts that blobs are restored to, separated by commas.')
param blobRestoreResourceGroups string = ''

@description('Resource groups with storage accounts that servers are restored to as files, separated by commas.')
param fileRestoreResourceGroups string = ''

// `go test ./generate/flows -update` writes this file from the table of datasources.
var roles = loadJsonContent('app/datasource-roles.json')
var disks = empty(diskResourceGroups) ? [] : split(diskResourceGroups, ',')
var blobs = empty(blobResourceGroups) ? [] : split(blobResourceGroups, ',')
var clusters = empty(clusterResourceGroups) ? [] : split(clusterResourceGroups, ',')
var mySql = empty(mySqlResourceGroups) ? [] : split(mySqlResourceGroups, ',')
var postgres = empty(postgresResourceGroups) ? [] : split(postgresResourceGroups, ',')
var snapshots = empty(snapshotResourceGroups) ? [] : split(snapshotResourceGroups, ',')
var clusterIdentities = empty(clusterPrincipalIds) ? [] : split(clusterPrincipalIds, ',')
var diskRestores = empty(diskRestoreResourceGroups) ? [] : split(diskRestoreResourceGroups, ',')
var blobRestores = empty(blobRestoreResourceGroups) ? [] : split(blobRestoreResourceGroups, ',')
var fileRestores = empty(fileRestoreResourceGroups) ? [] : split(fileRestoreResourceGroups, ',')

module onDisks 'app/datasource-access.bicep' = [for group in disks: {
  name: 'azbackupflow-disk-${uniqueString(group, vaultPrincipalId)}'
  scope: resourceGroup(trim(group))
  params: {
    principalId: vaultPrincipalId
    roles: roles.disk
  }
}]

module onBlobs 'app/datasource-access.bicep' = [for group in blobs: {
  name: 'azbackupflow-blob-${uniqueString(group, vaultPrincipalId)}'
  scope: resourceGroup(trim(group))
  params: {
    principalId: vaultPrincipalId
    roles: roles.blob
  }
}]

module onClusters 'app/datasource-access.bicep' = [for group in clusters: {
  name: 'azbackupflow-cluster-${uniqueString(group, vaultPrincipalId)}'
  scope: resourceGroup(trim(group))
  params: {
    principalId: vaultPrincipalId
    roles: roles.cluster
  }
}]

module onMySql 'app/datasource-access.bicep' = [for group in mySql: {
  name: 'azbackupflow-mysql-${uniqueString(group, vaultPrincipalId)}'
  scope: resourceGroup(trim(group))
  params: {
    principalId: vaultPrincipalId
    roles: roles.mysql
  }
}]

module onPostgres 'app/datasource-access.bicep' = [for group in postgres: {
  name: 'azbackupflow-postgres-${uniqueString(group, vaultPrincipalId)}'
  scope: resourceGroup(trim(group))
  params: {
    principalId: vaultPrincipalId
    roles: roles.postgres
  }
}]

module onSnapshots 'app/datasource-access.bicep' = [for group in snapshots: {
  name: 'azbackupflow-snapshots-${uniqueString(group, vaultPrincipalId)}'
  scope: resourceGroup(trim(group))
  params: {
    principalId: vaultPrincipalId
    roles: roles.snapshots
  }
}]

module onClusterSnapshots 'app/cluster-identity-access.bicep' = [for group in snapshots: {
  name: 'azbackupflow-clusterIdentity-${uniqueString(group, vaultPrincipalId)}'
  scope: resourceGroup(trim(group))
  params: {
    principalIds: clusterIdentities
    role: roles.clusterIdentity[0]
  }
}]

module onDiskRestores 'app/datasource-access.bicep' = [for group in diskRestores: {
  name: 'azbackupflow-diskRestore-${uniqueString(group, vaultPrincipalId)}'
  scope: resourceGroup(trim(group))
  params: {
    principalId: vaultPrincipalId
    roles: roles.diskRestore
  }
}]

module onBlobRestores 'app/datasource-access.bicep' = [for group in blobRestores: {
  name: 'azbackupflow-blobRestore-${uniqueString(group, vaultPrincipalId)}'
  scope: resourceGroup(trim(group))
  params: {
    principalId: vaultPrincipalId
    roles: roles.blobRestore
  }
}]

module onFileRestores 'app/datasource-access.bicep' = [for group in fileRestores: {
  name: 'azbackupflow-fileRestore-${uniqueString(group, vaultPrincipalId)}'
  scope: resourceGroup(trim(group))
  params: {
    principalId: vaultPrincipalId
    roles: roles.fileRestore
  }
}]
