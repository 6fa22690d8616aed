// The second step, after the app is deployed: Event Grid tells the app of new
// resources. It comes later because Event Grid asks whether the function is
// there. Events go to the function itself, so there is no key.
@description('Name of the function app that was deployed.')
param functionAppName string

@description('Resource group of the function app, which may be another than the topic\'s.')
param functionAppGroup string = resourceGroup().name

@description('Name of the subscription\'s system topic. Azure allows one for each subscription: name the one that exists, or a new one.')
param systemTopicName string

@description('Whether the topic exists, in this resource group.')
param existingTopic bool = false

@description('Name of the event subscription; events of several environments share a topic.')
param name string = 'azbackupflow-${functionAppName}'

// What can be protected; the app reads the resource itself before it acts.
var operations = [
  'Microsoft.Storage/storageAccounts/write'
  'Microsoft.Storage/storageAccounts/fileServices/shares/write'
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
