// What the app may do with vaults: its custom roles, and where it has them.
// main.bicep deploys it for its own subscription; for vaults in others, deploy
// this file there, with the principal id that `azd up` printed.
targetScope = 'subscription'

@description('Ends the names of the roles, which are unique in a tenant.')
param suffix string

@description('Object id of the app\'s identity.')
param principalId string

@description('Resource groups that hold the vaults, separated by commas.')
param vaultResourceGroups string = ''

@description('Resource ids of single vaults, separated by commas: the app gets its roles on these alone, and not on what else their resource groups hold.')
param singleVaults string = ''

@description('Resource groups that hold what is backed up, separated by commas.')
param protectedResourceGroups string = ''

@description('Assigns the role that restores and deletes, too.')
param allowRestoreAndDelete bool = false

// Written by `go test ./internal/roles -update` from the table that the program
// itself uses to name a missing permission.
var roles = loadJsonContent('app/roles.json')
var here = subscription().id
var vaultRoles = union(['read', 'backup', 'protect'], allowRestoreAndDelete ? ['restore-and-delete'] : [])
var vaultGroups = empty(vaultResourceGroups) ? [] : split(vaultResourceGroups, ',')
var vaultIds = empty(singleVaults) ? [] : split(singleVaults, ',')
var protectedGroups = empty(protectedResourceGroups) ? [] : split(protectedResourceGroups, ',')

resource definitions 'Microsoft.Authorization/roleDefinitions@2022-04-01' = [for role in items(roles): {
  name: guid(here, 'azbackupflow', role.key, suffix)
  properties: {
    roleName: '${role.value.name} (${suffix})'
    description: role.value.description
    type: 'CustomRole'
    permissions: [
      {
        actions: role.value.actions
        notActions: []
        dataActions: []
        notDataActions: []
      }
    ]
    assignableScopes: [here]
  }
}]

resource status 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(here, principalId, 'status', suffix)
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', guid(here, 'azbackupflow', 'status', suffix))
  }
  dependsOn: [definitions]
}

module onVaults 'app/group-access.bicep' = [for group in vaultGroups: {
  name: take('azbackupflow-vaults-${suffix}', 64)
  scope: resourceGroup(trim(group))
  params: {
    suffix: suffix
    principalId: principalId
    customRoles: vaultRoles
  }
  dependsOn: [definitions]
}]

// By the id's own subscription: one of another subscription finds no role there
// and fails, and no vault of the same name gets anything.
module onSingleVaults 'app/vault-access.bicep' = [for vault in vaultIds: {
  name: 'azbackupflow-vault-${uniqueString(toLower(trim(vault)), suffix)}'
  scope: resourceGroup(split(trim(vault), '/')[2], split(trim(vault), '/')[4])
  params: {
    suffix: suffix
    principalId: principalId
    customRoles: vaultRoles
    name: last(split(trim(vault), '/'))
    backupVault: contains(toLower(vault), '/microsoft.dataprotection/')
  }
  dependsOn: [definitions]
}]

module onProtected 'app/group-access.bicep' = [for group in protectedGroups: {
  name: take('azbackupflow-protected-${suffix}', 64)
  scope: resourceGroup(trim(group))
  params: {
    suffix: suffix
    principalId: principalId
    customRoles: ['read', 'protect']
    storageAccounts: true
  }
  // The groups may be the same ones.
  dependsOn: [definitions, onVaults]
}]
