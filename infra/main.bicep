// Everything that azbackupflow needs in Azure, in a resource group of its own:
// `azd up` deploys it. Nothing here has a key or a secret; the app is one
// user-assigned identity.
targetScope = 'subscription'

@minLength(1)
@maxLength(64)
@description('Name of the environment; part of every name.')
param environmentName string

@minLength(1)
@description('Region of everything that has one.')
param location string

@description('Keeps storage and Service Bus off the internet, behind private endpoints. Needs Service Bus Premium, which has a high base fee.')
param vnetEnabled bool = false

@description('Resource groups of this subscription that hold the vaults, separated by commas. The app may read them, back up and protect there.')
param vaultResourceGroups string = ''

@description('Resource ids of single vaults of this subscription, separated by commas. The app may do the same on these, and nothing in the rest of their resource groups.')
param singleVaults string = ''

@description('Resource groups of this subscription that hold what is backed up, separated by commas. The app may read there, and do what Azure asks of who protects a storage account or virtual machine.')
param protectedResourceGroups string = ''

@description('Assigns the app the role that restores and deletes, on the vaults or their resource groups.')
param allowRestoreAndDelete bool = false

@description('Lets flows delete backups. Without the role above they will be refused by Azure.')
param allowDelete bool = false

@description('What restores may write to: resource ids of PostgreSQL servers and URLs of blob containers, separated by commas. Empty allows no restore.')
param restoreTargets string = ''

@description('Queues on which senders of requests may ask to be answered, separated by commas. They are created.')
param replyQueues string = ''

@description('OpenTelemetry collector that gets traces and metrics, such as http://collector:4318; empty for none.')
param collector string = ''

@description('Ask each caller of the HTTP API for an Entra app role. Only with App Service authentication in front of the app: without it callers could claim any role.')
param apiRoles bool = false

@description('Resource ids of the vaults that azbackupflow preflight looks at, separated by commas.')
param vaults string = ''

@description('Who gets the alerts; empty sends none, and they still show in the portal.')
param alertEmail string = ''

@allowed(['Standard_LRS', 'Standard_ZRS', 'Standard_GRS', 'Standard_GZRS'])
@description('How the tables with the operations are kept; not every region has zones.')
param storageRedundancy string = 'Standard_ZRS'

@minValue(1)
@maxValue(40)
@description('How many instances may run at once. Azure Resource Manager throttles long before compute is short, so this is low.')
param maximumInstanceCount int = 10

var abbreviations = loadJsonContent('abbreviations.json')
var resourceToken = toLower(uniqueString(subscription().id, environmentName, location))
var tags = { 'azd-env-name': environmentName }

resource group 'Microsoft.Resources/resourceGroups@2024-03-01' = {
  name: '${abbreviations.resourceGroup}${environmentName}'
  location: location
  tags: tags
}

module identity 'app/identity.bicep' = {
  name: 'identity'
  scope: group
  params: {
    name: '${abbreviations.managedIdentity}${resourceToken}'
    location: location
    tags: tags
  }
}

module monitoring 'app/monitoring.bicep' = {
  name: 'monitoring'
  scope: group
  params: {
    workspaceName: '${abbreviations.logAnalyticsWorkspace}${resourceToken}'
    applicationInsightsName: '${abbreviations.applicationInsights}${resourceToken}'
    location: location
    tags: tags
    principalId: identity.outputs.principalId
  }
}

module storage 'app/storage.bicep' = {
  name: 'storage'
  scope: group
  params: {
    name: '${abbreviations.storageAccount}${resourceToken}'
    location: location
    tags: tags
    redundancy: storageRedundancy
    principalId: identity.outputs.principalId
    publicNetworkAccess: !vnetEnabled
  }
}

module serviceBus 'app/service-bus.bicep' = {
  name: 'service-bus'
  scope: group
  params: {
    name: '${abbreviations.serviceBusNamespace}${resourceToken}'
    location: location
    tags: tags
    principalId: identity.outputs.principalId
    publicNetworkAccess: !vnetEnabled
    replyQueues: replyQueues
  }
}

module network 'app/network.bicep' = if (vnetEnabled) {
  name: 'network'
  scope: group
  params: {
    name: '${abbreviations.virtualNetwork}${resourceToken}'
    endpointPrefix: abbreviations.privateEndpoint
    location: location
    tags: tags
    storageAccountName: storage.outputs.name
    serviceBusNamespaceName: serviceBus.outputs.name
  }
}

module functionApp 'app/function-app.bicep' = {
  name: 'function-app'
  scope: group
  params: {
    name: '${abbreviations.functionApp}${resourceToken}'
    planName: '${abbreviations.plan}${resourceToken}'
    location: location
    tags: union(tags, { 'azd-service-name': 'handler' })
    identityId: identity.outputs.id
    clientId: identity.outputs.clientId
    storageAccountName: storage.outputs.name
    deploymentContainer: storage.outputs.deploymentContainer
    serviceBusNamespace: serviceBus.outputs.fullyQualifiedNamespace
    applicationInsightsName: monitoring.outputs.applicationInsightsName
    subnetId: vnetEnabled ? network!.outputs.appSubnetId : ''
    maximumInstanceCount: maximumInstanceCount
    allowDelete: allowDelete
    apiRoles: apiRoles
    restoreTargets: restoreTargets
    notices: serviceBus.outputs.noticesTopic
    replyQueues: replyQueues
    collector: collector
    vaults: vaults
    serviceBusId: serviceBus.outputs.id
  }
}

module alerts 'app/alerts.bicep' = {
  name: 'alerts'
  scope: group
  params: {
    actionGroupName: '${abbreviations.actionGroup}${resourceToken}'
    location: location
    tags: tags
    email: alertEmail
    serviceBusId: serviceBus.outputs.id
    workspaceId: monitoring.outputs.workspaceId
  }
}

module workbook 'app/workbook.bicep' = {
  name: 'workbook'
  scope: group
  params: {
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
  }
}

module access 'access.bicep' = {
  name: take('azbackupflow-access-${environmentName}', 64)
  params: {
    suffix: environmentName
    principalId: identity.outputs.principalId
    vaultResourceGroups: vaultResourceGroups
    singleVaults: singleVaults
    protectedResourceGroups: protectedResourceGroups
    allowRestoreAndDelete: allowRestoreAndDelete
  }
}

// To see whether its own queues are as they should be.
module ownAccess 'app/group-access.bicep' = {
  name: 'own-access'
  scope: group
  params: {
    suffix: environmentName
    principalId: identity.outputs.principalId
    customRoles: ['read']
  }
  dependsOn: [access]
}

output AZURE_LOCATION string = location
output AZURE_RESOURCE_GROUP string = group.name
output AZBACKUPFLOW_FUNCTION_APP string = functionApp.outputs.name
output AZBACKUPFLOW_PRINCIPAL_ID string = identity.outputs.principalId
output AZBACKUPFLOW_EVENT_TOPIC string = '${abbreviations.eventGridSystemTopic}${resourceToken}'
