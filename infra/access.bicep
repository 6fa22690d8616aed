// The custom roles of the app, and their assignments on vaults. main.bicep deploys
// this file to its own subscription. For vaults in another subscription, deploy it
// there with the principal ID that `azd up` prints.
targetScope = 'subscription'

@description('Suffix of the role names, which are unique in a tenant.')
param suffix string

@description('Object ID of the app\'s identity.')
param principalId string

@description('Resource groups that contain the vaults, separated by commas.')
param vaultResourceGroups string = ''

@description('Resource IDs of single vaults, separated by commas. The app gets its roles on these vaults, but not on other resources of their groups.')
param singleVaults string = ''

@description('Resource groups that contain the resources to back up, separated by commas.')
param protectedResourceGroups string = ''

@description('Also assigns the role that restores and deletes.')
param allowRestoreAndDelete bool = false

@description('Also assigns the role that changes virtual machines, on protectedResourceGroups. Azure requires it for protecting them and their databases.')
param allowVirtualMachines bool = false

@description('Also assigns the role that reads managed disks, AKS clusters and MySQL servers, on protectedResourceGroups. Rules of automatic protection and schedules that compare tags require it.')
param allowDatasources bool = false

@description('Also assigns the role that makes and deletes the places of restore drills, on drillResourceGroups.')
param allowDrills bool = false

@description('Resource groups for restore drills only, separated by commas.')
param drillResourceGroups string = ''

// `go test ./generate/flows -update` writes this file from the calls of the flows. The
// program uses the same table to name a missing permission.
var roles = loadJsonContent('app/roles.json')
var here = subscription().id
var vaultRoles = union(['read', 'backup', 'protect'], allowRestoreAndDelete ? ['restore-and-delete'] : [])
var vaultGroups = empty(vaultResourceGroups) ? [] : split(vaultResourceGroups, ',')
var vaultIds = empty(singleVaults) ? [] : split(singleVaults, ',')
var drillGroups = allowDrills && !empty(drillResourceGroups) ? split(drillResourceGroups, ',') : []
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

// The scope comes from the vault's ID. A vault of another subscription has no such role
// definition, so its deployment fails, and no vault of the same name gets a role.
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
    customRoles: union(['read'], allowVirtualMachines ? ['virtual-machines'] : [], allowDatasources ? ['datasources'] : [])
    storageAccounts: true
  }
  // The same group can be in both lists, and role assignments must not collide.
  dependsOn: [definitions, onVaults]
}]

module onDrillTargets 'app/group-access.bicep' = [for group in drillGroups: {
  name: take('azbackupflow-drills-${suffix}', 64)
  scope: resourceGroup(trim(group))
  params: {
    suffix: suffix
    principalId: principalId
    customRoles: ['read', 'datasources', 'drill']
  }
  // A group can be in several lists, and role assignments must not collide.
  dependsOn: [definitions, onVaults, onProtected]
}]
