// A sample, not part of the deployment: a Backup vault with a weekly policy for
// PostgreSQL flexible servers. It assigns to the vault's own identity the roles
// that Azure Backup requires: on this resource group to back up its servers, and on
// a blob container to restore files to it. `azbackupflow preflight` checks the same
// roles.
param name string
param location string = resourceGroup().location

@description('Storage account of this resource group that holds the container for restored files; empty for none.')
param restoreAccount string = ''

@description('Container for restored files.')
param restoreContainer string = 'restores'

// Built-in roles: Reader, and PostgreSQL Flexible Server Long Term Retention Backup
// Role.
var serverRoles = ['acdd72a7-3385-48ef-bd42-f606fba81ae7', 'c088a766-074b-43ba-90d4-1fb21feae531']
var storageBlobDataContributor = 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'

resource vault 'Microsoft.DataProtection/backupVaults@2024-04-01' = {
  name: name
  location: location
  identity: { type: 'SystemAssigned' }
  properties: {
    storageSettings: [{ datastoreType: 'VaultStore', type: 'LocallyRedundant' }]
    securitySettings: {
      softDeleteSettings: { state: 'On', retentionDurationInDays: 14 }
    }
  }
}

resource policy 'Microsoft.DataProtection/backupVaults/backupPolicies@2024-04-01' = {
  parent: vault
  name: 'postgresql-weekly'
  properties: {
    objectType: 'BackupPolicy'
    datasourceTypes: ['Microsoft.DBforPostgreSQL/flexibleServers']
    policyRules: [
      {
        objectType: 'AzureBackupRule'
        name: 'BackupWeekly'
        dataStore: { objectType: 'DataStoreInfoBase', dataStoreType: 'VaultStore' }
        backupParameters: { objectType: 'AzureBackupParams', backupType: 'Full' }
        trigger: {
          objectType: 'ScheduleBasedTriggerContext'
          schedule: { repeatingTimeIntervals: ['R/2026-01-04T03:00:00+00:00/P1W'], timeZone: 'UTC' }
          taggingCriteria: [
            { isDefault: true, taggingPriority: 99, tagInfo: { tagName: 'Default' } }
          ]
        }
      }
      {
        objectType: 'AzureRetentionRule'
        name: 'Default'
        isDefault: true
        lifecycles: [
          {
            deleteAfter: { objectType: 'AbsoluteDeleteOption', duration: 'P3M' }
            sourceDataStore: { objectType: 'DataStoreInfoBase', dataStoreType: 'VaultStore' }
            targetDataStoreCopySettings: []
          }
        ]
      }
    ]
  }
}

resource container 'Microsoft.Storage/storageAccounts/blobServices/containers@2023-05-01' existing = if (!empty(restoreAccount)) {
  name: '${restoreAccount}/default/${restoreContainer}'
}

resource onContainer 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(restoreAccount)) {
  scope: container
  name: guid(container.id, vault.id, storageBlobDataContributor)
  properties: {
    principalId: vault.identity.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', storageBlobDataContributor)
  }
}

resource onServers 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for role in serverRoles: {
  name: guid(resourceGroup().id, vault.id, role)
  properties: {
    principalId: vault.identity.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
  }
}]

output vaultId string = vault.id
