// Built-in roles of a Backup vault's identity on a resource group.
@description('Object ID of the vault\'s identity.')
param principalId string

@description('IDs of built-in roles, see datasource-roles.json.')
param roles array

resource assignments 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for role in roles: {
  name: guid(resourceGroup().id, principalId, role)
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
  }
}]
