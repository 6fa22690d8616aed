// All resources of azbackupflow, in a separate resource group; `azd up` deploys them.
// There are no keys and no secrets: the app uses one user-assigned identity.
targetScope = 'subscription'

@minLength(1)
@maxLength(64)
@description('Name of the environment; part of the name of every resource.')
param environmentName string

@minLength(1)
@description('Region of all resources that have one.')
param location string

@description('Makes storage and Service Bus reachable only through private endpoints. Requires Service Bus Premium, which has a high base fee.')
param vnetEnabled bool = false

@description('Resource groups of this subscription that contain the vaults, separated by commas. The app may read, back up and protect in them.')
param vaultResourceGroups string = ''

@description('Resource IDs of single vaults of this subscription, separated by commas. The app may do the same with these vaults, but not with other resources of their groups.')
param singleVaults string = ''

@description('Resource groups of this subscription that contain the resources to back up, separated by commas. The app may read them, and register their storage accounts.')
param protectedResourceGroups string = ''

@description('Assigns the role that restores and deletes, on the vaults or their resource groups.')
param allowRestoreAndDelete bool = false

@description('Assigns the role that changes virtual machines, on protectedResourceGroups. Azure requires it for protecting them and their databases.')
param allowVirtualMachines bool = false

@description('Assigns the role that reads managed disks, AKS clusters and MySQL servers, on protectedResourceGroups. Rules of automatic protection and schedules that compare tags require it.')
param allowDatasources bool = false

@description('Allows flows to delete backups. Azure rejects their calls unless allowRestoreAndDelete is set too.')
param allowDelete bool = false

@description('Allowed targets of restores: resource IDs and URLs of blob containers, separated by commas; see docs/security.md. Empty allows no restore.')
param restoreTargets string = ''

@description('Assigns the role that makes and deletes the places of restore drills, on drillResourceGroups. A drill also needs allowRestoreAndDelete.')
param allowDrills bool = false

@description('Resource groups of this subscription for restore drills only, separated by commas.')
param drillResourceGroups string = ''

@description('Resource IDs of the storage accounts and resource groups in which restore drills may make their places, separated by commas. Empty allows no drill.')
param drillTargets string = ''

@minValue(0)
@maxValue(146000)
@description('Days for which the evidence of a drill can be neither changed nor deleted. 0 sets no policy. A policy can be extended or locked later, see docs/drills.md.')
param evidenceImmutableDays int = 0

@description('Queues that requests may name for replies, separated by commas. The deployment creates them.')
param replyQueues string = ''

@description('OpenTelemetry collector for traces and metrics, such as http://collector:4318; empty for none.')
param collector string = ''

@description('Requires an Entra app role of each caller of the HTTP API. Without App Service authentication (authClientId), the API then refuses every call.')
param apiRoles bool = false

@description('Application id of the app registration that callers of the HTTP API sign in to; turns App Service authentication on. infra/hooks/app-registration.sh prints it.')
param authClientId string = ''

@description('Says that App Service authentication was checked, where the platform does not set WEBSITE_AUTH_ENABLED.')
param authChecked bool = false

@description('Serves the dashboard at /api/dashboard/. It needs apiRoles and App Service authentication.')
param dashboard bool = false

@description('Resource IDs of the vaults that azbackupflow preflight checks, separated by commas.')
param vaults string = ''

@description('Email address for alerts; empty sends none. The portal always shows them.')
param alertEmail string = ''

@allowed(['Standard_LRS', 'Standard_ZRS', 'Standard_GRS', 'Standard_GZRS'])
@description('Redundancy of the storage account; not every region has zones.')
param storageRedundancy string = 'Standard_ZRS'

@allowed([512, 2048, 4096])
@description('Memory of an instance, which sets the price of an execution and the share of a processor. docs/cost.md compares the prices.')
param instanceMemoryMB int = 512

@minValue(1)
@maxValue(40)
@description('Maximum number of instances. It is low because Azure Resource Manager throttles long before the app lacks compute.')
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
    versioning: allowDrills
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

module evidence 'app/evidence.bicep' = if (allowDrills) {
  name: 'evidence'
  scope: group
  params: {
    keyVaultName: '${abbreviations.keyVault}${resourceToken}'
    location: location
    tags: tags
    storageAccountName: storage.outputs.name
    principalId: identity.outputs.principalId
    immutableDays: evidenceImmutableDays
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
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    allowDelete: allowDelete
    apiRoles: apiRoles
    authClientId: authClientId
    authChecked: authChecked
    dashboard: dashboard
    restoreTargets: restoreTargets
    drillTargets: drillTargets
    evidenceKey: allowDrills ? evidence!.outputs.keyUri : ''
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
    allowVirtualMachines: allowVirtualMachines
    allowDatasources: allowDatasources
    allowDrills: allowDrills
    drillResourceGroups: drillResourceGroups
  }
}

// For the preflight, which checks the properties of the app's queues.
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
output AZBACKUPFLOW_URL string = functionApp.outputs.url
output AZBACKUPFLOW_PRINCIPAL_ID string = identity.outputs.principalId
output AZBACKUPFLOW_EVENT_TOPIC string = '${abbreviations.eventGridSystemTopic}${resourceToken}'
