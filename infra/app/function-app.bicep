// The function app: a custom handler on Flex Consumption.
param name string
param planName string
param location string
param tags object
param identityId string
param clientId string
param storageAccountName string
param deploymentContainer string
param serviceBusNamespace string
param applicationInsightsName string

@description('Subnet with access to the private endpoints; empty for none.')
param subnetId string = ''

param instanceMemoryMB int
param maximumInstanceCount int
param allowDelete bool
param apiRoles bool

@description('Application id of the app registration that callers of the HTTP API sign in to; empty for no App Service authentication.')
param authClientId string

@description('Says that App Service authentication was checked, where the platform does not set WEBSITE_AUTH_ENABLED.')
param authChecked bool
param dashboard bool
param restoreTargets string
param drillTargets string
param notices string
param replyQueues string
param vaults string
param serviceBusId string

@description('URL of the Key Vault key and version that sign the evidence of restore drills; empty for no drills.')
param evidenceKey string

@description('OpenTelemetry collector; empty for none.')
param collector string

// The app's names of the clouds, by Azure's names.
var clouds = {
  AzureCloud: 'public'
  AzureUSGovernment: 'usgovernment'
  AzureChinaCloud: 'china'
}

resource storage 'Microsoft.Storage/storageAccounts@2023-05-01' existing = {
  name: storageAccountName
}

resource applicationInsights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: applicationInsightsName
}

resource plan 'Microsoft.Web/serverfarms@2023-12-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { name: 'FC1', tier: 'FlexConsumption' }
  properties: { reserved: true }
}

resource app 'Microsoft.Web/sites@2023-12-01' = {
  name: name
  location: location
  tags: tags
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identityId}': {} }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    siteConfig: {
      minTlsVersion: '1.2'
      ftpsState: 'Disabled'
    }
    functionAppConfig: {
      runtime: { name: 'custom', version: '1.0' }
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${storage.properties.primaryEndpoints.blob}${deploymentContainer}'
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstanceCount
      }
    }
  }

  resource ftpPublishing 'basicPublishingCredentialsPolicies' = {
    name: 'ftp'
    properties: { allow: false }
  }

  resource scmPublishing 'basicPublishingCredentialsPolicies' = {
    name: 'scm'
    properties: { allow: false }
  }

  resource settings 'config' = {
    name: 'appsettings'
    properties: {
      AzureWebJobsStorage__credential: 'managedidentity'
      AzureWebJobsStorage__clientId: clientId
      AzureWebJobsStorage__blobServiceUri: storage.properties.primaryEndpoints.blob
      AzureWebJobsStorage__queueServiceUri: storage.properties.primaryEndpoints.queue
      AzureWebJobsStorage__tableServiceUri: storage.properties.primaryEndpoints.table
      ServiceBusConnection__credential: 'managedidentity'
      ServiceBusConnection__clientId: clientId
      ServiceBusConnection__fullyQualifiedNamespace: serviceBusNamespace
      APPLICATIONINSIGHTS_CONNECTION_STRING: applicationInsights.properties.ConnectionString
      APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${clientId};Authorization=AAD'
      AZURE_CLIENT_ID: clientId
      SweepSchedule: '0 */5 * * * *'
      DeadLetterSchedule: '30 */5 * * * *'
      AZBACKUPFLOW_CLOUD: clouds[environment().name]
      AZBACKUPFLOW_ARM_ENDPOINT: ''
      AZBACKUPFLOW_ARM_AUDIENCE: ''
      AZBACKUPFLOW_ARM_TRUSTED_HOSTS: ''
      AZBACKUPFLOW_TENANT: 'default'
      AZBACKUPFLOW_TABLE_PREFIX: ''
      AZBACKUPFLOW_ALLOW_DELETE: string(allowDelete)
      AZBACKUPFLOW_API_ROLES: string(apiRoles)
      AZBACKUPFLOW_APP_SERVICE_AUTH_CHECKED: string(authChecked)
      AZBACKUPFLOW_DASHBOARD: string(dashboard)
      AZBACKUPFLOW_RESTORE_TARGETS: restoreTargets
      AZBACKUPFLOW_DRILL_TARGETS: drillTargets
      AZBACKUPFLOW_GUARDED_FLOWS: ''
      AZBACKUPFLOW_RETENTION: 'P90D'
      AZBACKUPFLOW_STARTS_PER_ITEM: '100'
      AZBACKUPFLOW_VAULTS: vaults
      AZBACKUPFLOW_SERVICE_BUS_ID: serviceBusId
      AZBACKUPFLOW_NOTICES: notices
      AZBACKUPFLOW_REPLY_QUEUES: replyQueues
      AZBACKUPFLOW_SCHEDULES: 'schedules.yaml'
      AZBACKUPFLOW_DRILLS: 'drills.yaml'
      AZBACKUPFLOW_EVIDENCE_KEY: evidenceKey
      AZBACKUPFLOW_PROTECTION: 'protection.yaml'
      AZBACKUPFLOW_LOG_LEVEL: 'INFO'
      OTEL_EXPORTER_OTLP_ENDPOINT: collector
      // Instances of up to 2,048 MB have one processor or less. The program then spends less on waking threads.
      GOMAXPROCS: instanceMemoryMB > 2048 ? '' : '1'
    }
  }
}

// Calls without a token reach the app, which refuses them with a reason. Event Grid
// and the Functions host send none.
resource authentication 'Microsoft.Web/sites/config@2023-12-01' = if (!empty(authClientId)) {
  parent: app
  name: 'authsettingsV2'
  properties: {
    platform: { enabled: true }
    globalValidation: { requireAuthentication: false, unauthenticatedClientAction: 'AllowAnonymous' }
    httpSettings: { requireHttps: true }
    identityProviders: {
      azureActiveDirectory: {
        enabled: true
        registration: {
          clientId: authClientId
          openIdIssuer: '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
        }
        validation: { allowedAudiences: [authClientId, 'api://${authClientId}'] }
      }
    }
    login: { tokenStore: { enabled: false } }
  }
}

output name string = app.name
output url string = 'https://${app.properties.defaultHostName}'
