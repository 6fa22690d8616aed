// A built-in role of the own identities of AKS clusters on a resource group.
@description('Object IDs of the identities. Without any, nothing is assigned.')
param principalIds array

@description('ID of the built-in role, see datasource-roles.json.')
param role string

resource assignments 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for id in principalIds: {
  name: guid(resourceGroup().id, trim(id), role)
  properties: {
    principalId: trim(id)
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
  }
}]
