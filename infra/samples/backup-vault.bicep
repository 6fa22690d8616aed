// A sample, not part of the deployment: a Backup vault with a weekly policy for
// PostgreSQL flexible servers, and what the vault's own identity needs on the
// servers' resource group and on containers to restore files to.
param name string
param location string = resourceGroup().location

// Built-in roles: Reader, PostgreSQL Flexible Server Long Term Retention Backup
// Role.
var vaultRoles = ['acdd72a7-3385-48ef-bd42-f606fba81ae7', 'c088a766-074b-43ba-90d4-1fb21feae531']

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

// On this resource group, where the servers are expected to be.
resource assignments 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for role in vaultRoles: {
  name: guid(resourceGroup().id, vault.id, role)
  properties: {
    principalId: vault.identity.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
  }
}]

output vaultId string = vault.id
