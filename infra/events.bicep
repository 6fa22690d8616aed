// The event subscription that notifies the app of new resources. It is deployed after
// the app, because Event Grid checks that the function exists. Events are delivered to
// the function by its resource ID, without a key.
@description('Name of the deployed function app.')
param functionAppName string

@description('Resource group of the function app, which can differ from the topic\'s.')
param functionAppGroup string = resourceGroup().name

@description('Name of the subscription\'s system topic, existing or new. Azure allows one per subscription.')
param systemTopicName string

@description('Whether the topic already exists in this resource group.')
param existingTopic bool = false

@description('Name of the event subscription. Several environments can share a topic.')
param name string = 'azbackupflow-${functionAppName}'

// Writes of resources that can be protected. The app reads the resource before it
// acts.
var operations = [
  'Microsoft.Storage/storageAccounts/write'
  'Microsoft.Storage/storageAccounts/fileServices/shares/write'
  'Microsoft.Compute/virtualMachines/write'
  'Microsoft.Compute/disks/write'
  'Microsoft.ContainerService/managedClusters/write'
  'Microsoft.DBforMySQL/flexibleServers/write'
  'Microsoft.DBforPostgreSQL/flexibleServers/write'
]

resource newTopic 'Microsoft.EventGrid/systemTopics@2022-06-15' = if (!existingTopic) {
  name: systemTopicName
  location: 'global'
  properties: {
    source: subscription().id
    topicType: 'Microsoft.Resources.Subscriptions'
  }
}

resource topic 'Microsoft.EventGrid/systemTopics@2022-06-15' existing = {
  name: systemTopicName
}

resource events 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2022-06-15' = {
  parent: topic
  name: name
  properties: {
    destination: {
      endpointType: 'AzureFunction'
      properties: {
        resourceId: resourceId(functionAppGroup, 'Microsoft.Web/sites/functions', functionAppName, 'protect-new-resource')
        maxEventsPerBatch: 1
      }
    }
    eventDeliverySchema: 'EventGridSchema'
    filter: {
      includedEventTypes: ['Microsoft.Resources.ResourceWriteSuccess']
      advancedFilters: [
        {
          operatorType: 'StringIn'
          key: 'data.operationName'
          values: operations
        }
      ]
    }
    retryPolicy: {
      maxDeliveryAttempts: 30
      eventTimeToLiveInMinutes: 1440
    }
  }
  dependsOn: [newTopic]
}
