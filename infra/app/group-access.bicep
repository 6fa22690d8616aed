// The roles of the app on a resource group.
param suffix string
param principalId string

@description('Keys of the custom roles, see roles.json.')
param customRoles array

@description('Whether the group contains storage accounts to register with a vault, which requires rights on the account. The built-in role for it cannot read the account keys.')
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
