// The roles of the app on a single vault.
param suffix string
param principalId string

@description('Keys of the custom roles, see roles.json.')
param customRoles array

@description('Name of the vault.')
param name string

@description('Whether the vault is a Backup vault; otherwise it is a Recovery Services vault.')
param backupVault bool

resource recoveryServices 'Microsoft.RecoveryServices/vaults@2024-04-01' existing = if (!backupVault) {
  name: name
}

resource dataProtection 'Microsoft.DataProtection/backupVaults@2024-04-01' existing = if (backupVault) {
  name: name
}

resource onRecoveryServices 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for role in customRoles: if (!backupVault) {
  scope: recoveryServices
  name: guid(recoveryServices.id, principalId, role, suffix)
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', guid(subscription().id, 'azbackupflow', role, suffix))
  }
}]

resource onDataProtection 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for role in customRoles: if (backupVault) {
  scope: dataProtection
  name: guid(dataProtection.id, principalId, role, suffix)
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', guid(subscription().id, 'azbackupflow', role, suffix))
  }
}]
