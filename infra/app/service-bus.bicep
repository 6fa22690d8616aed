// The queues and the topic. The engine relies on their properties; see
// docs/operating.md. Duplicate detection cannot be enabled later.
param name string
param location string
param tags object
param principalId string

@description('Whether the namespace is public. Private endpoints require the Premium tier.')
param publicNetworkAccess bool

@description('Queues that requests may name for replies, separated by commas.')
param replyQueues string = ''

var queueNames = ['requests', 'steps', 'rejected']
var replyQueueNames = empty(replyQueues) ? [] : split(replyQueues, ',')
var noticesName = 'notices'
// Service Bus Data Sender and Data Receiver.
var dataRoles = ['69a216fc-b8fb-44d8-bc22-1f3c2cd27a39', '4f6d3b9b-027b-4f4c-9142-0e5a2a2247e0']

// minimumTlsVersion needs a preview version: 2021-11-01, the newest stable one, does
// not have it. Queues and topics stay at the stable version.
resource namespace 'Microsoft.ServiceBus/namespaces@2022-10-01-preview' = {
  name: name
  location: location
  tags: tags
  sku: publicNetworkAccess ? { name: 'Standard', tier: 'Standard' } : { name: 'Premium', tier: 'Premium', capacity: 1 }
  properties: {
    disableLocalAuth: true
    minimumTlsVersion: '1.2'
  }
}

resource queues 'Microsoft.ServiceBus/namespaces/queues@2021-11-01' = [for queue in queueNames: {
  parent: namespace
  name: queue
  properties: {
    lockDuration: 'PT5M'
    maxDeliveryCount: 10
    requiresDuplicateDetection: true
    duplicateDetectionHistoryTimeWindow: 'PT10M'
    // The messages in 'rejected' are copies. Nothing would read them from the
    // dead-letter queue.
    deadLetteringOnMessageExpiration: queue != 'rejected'
    defaultMessageTimeToLive: 'P14D'
    requiresSession: false
    enablePartitioning: false
  }
}]

// A private endpoint does not disable the public one.
resource network 'Microsoft.ServiceBus/namespaces/networkRuleSets@2021-11-01' = if (!publicNetworkAccess) {
  parent: namespace
  name: 'default'
  properties: {
    publicNetworkAccess: 'Disabled'
    defaultAction: 'Deny'
    trustedServiceAccessEnabled: false
  }
}

// Notices about operations. Without a subscription, Service Bus drops them.
resource notices 'Microsoft.ServiceBus/namespaces/topics@2021-11-01' = {
  parent: namespace
  name: noticesName
  properties: {
    requiresDuplicateDetection: true
    duplicateDetectionHistoryTimeWindow: 'P1D'
    defaultMessageTimeToLive: 'P14D'
    enablePartitioning: false
  }
}

resource replies 'Microsoft.ServiceBus/namespaces/queues@2021-11-01' = [for queue in replyQueueNames: {
  parent: namespace
  name: trim(queue)
  properties: {
    lockDuration: 'PT5M'
    requiresDuplicateDetection: true
    duplicateDetectionHistoryTimeWindow: 'P1D'
    defaultMessageTimeToLive: 'P14D'
    enablePartitioning: false
  }
}]

resource assignments 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for role in dataRoles: {
  name: guid(namespace.id, principalId, role)
  scope: namespace
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
  }
}]

output id string = namespace.id
output noticesTopic string = notices.name
output name string = namespace.name
output fullyQualifiedNamespace string = split(split(namespace.properties.serviceBusEndpoint, '://')[1], ':')[0]
