// The app's roles on one resource group.
param suffix string
param principalId string

@description('Keys of the custom roles, see roles.json.')
param customRoles array

@description('Whether the group holds storage accounts with file shares to protect. Who registers one with a vault needs rights on it; this built-in role cannot read its keys.')
param storageAccounts bool = false

var storageAccountBackupContributor = 'e5e2a7ff-d759-4cd2-bb51-3152d37e2eb1'

resource custom 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for role in customRoles: {
  name: guid(resourceGroup().id, principalId, role, suffix)
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', guid(subscription().id, 'azbackupflow', role, suffix))
  }
}]

resource onStorageAccounts 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (storageAccounts) {
  name: guid(resourceGroup().id, principalId, storageAccountBackupContributor)
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', storageAccountBackupContributor)
  }
}
