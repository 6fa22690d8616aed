// What a person must look at; docs/operating.md says what each one means. The
// log queries look for lines that the app writes: infra/tools/bicepcheck holds
// their texts against the code.
param actionGroupName string
param location string
param tags object

@description('Who gets the alerts; empty for nobody.')
param email string

param serviceBusId string
param workspaceId string

@description('Waiting operations each have one scheduled message; more than this is taken for growth without end.')
param scheduledMessages int = 50000

@description('Answers of Azure Resource Manager, in an hour, that asked to wait.')
param throttledCalls int = 200

var metrics = [
  {
    key: 'rejected'
    text: 'Requests were rejected. List them with azbackupflow rejected list.'
    metric: 'ActiveMessages'
    queues: ['rejected']
    aggregation: 'Maximum'
    threshold: 0
    severity: 3
  }
  {
    key: 'dead-letters'
    text: 'Messages stay dead-lettered: the functions that take them up do not run, or nothing takes up the queue.'
    metric: 'DeadletteredMessages'
    queues: ['*']
    aggregation: 'Minimum'
    threshold: 0
    severity: 2
  }
  {
    key: 'scheduled'
    text: 'Far more messages are scheduled than operations should be waiting.'
    metric: 'ScheduledMessages'
    queues: ['steps']
    aggregation: 'Maximum'
    threshold: scheduledMessages
    severity: 2
  }
]

var searches = [
  {
    key: 'parked-or-failed'
    text: 'Operations failed, ran out of time or wait for a person.'
    query: 'AppTraces | extend m = parse_json(Message) | where m.msg == "operation saved" and tostring(m.status) in ("Failed", "TimedOut", "Parked") | project op = tostring(m.op), flow = tostring(m.flow), status = tostring(m.status), code = tostring(m.code)'
    threshold: 0
    window: 'PT15M'
    severity: 2
  }
  {
    key: 'overdue'
    text: 'Operations were overdue and woken by the sweep: messages are lost, or the app is behind.'
    query: 'AppTraces | extend m = parse_json(Message) | where m.msg == "operation overdue" | project op = tostring(m.op), flow = tostring(m.flow)'
    threshold: 0
    window: 'PT1H'
    severity: 2
  }
  {
    key: 'throttled'
    text: 'Azure Resource Manager or Azure Backup asks to wait, over and over.'
    query: 'AppTraces | extend m = parse_json(Message) | where m.msg == "operation saved" and m.class == "Throttled" | project op = tostring(m.op), flow = tostring(m.flow)'
    threshold: throttledCalls
    window: 'PT1H'
    severity: 3
  }
  {
    key: 'invocations'
    text: 'Invocations failed: the app could not reach its table and its bus, or has a fault.'
    query: 'AppTraces | extend m = parse_json(Message) | where m.msg == "invocation failed" | project function = tostring(m.function)'
    threshold: 0
    window: 'PT15M'
    severity: 1
  }
]

resource actionGroup 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: actionGroupName
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'azbackupflow'
    emailReceivers: empty(email) ? [] : [
      {
        name: 'operators'
        emailAddress: email
        useCommonAlertSchema: true
      }
    ]
  }
}

resource metricAlerts 'Microsoft.Insights/metricAlerts@2018-03-01' = [for alert in metrics: {
  name: 'azbackupflow-${alert.key}'
  location: 'global'
  tags: tags
  properties: {
    description: alert.text
    severity: alert.severity
    enabled: true
    scopes: [serviceBusId]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT15M'
    autoMitigate: true
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: alert.key
          metricNamespace: 'Microsoft.ServiceBus/namespaces'
          metricName: alert.metric
          dimensions: [
            {
              name: 'EntityName'
              operator: 'Include'
              values: alert.queues
            }
          ]
          operator: 'GreaterThan'
          threshold: alert.threshold
          timeAggregation: alert.aggregation
        }
      ]
    }
    actions: [{ actionGroupId: actionGroup.id }]
  }
}]

resource busThrottled 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: 'azbackupflow-bus-throttled'
  location: 'global'
  tags: tags
  properties: {
    description: 'Service Bus throttles the app: too much at once for its tier.'
    severity: 3
    enabled: true
    scopes: [serviceBusId]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT15M'
    autoMitigate: true
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: 'bus-throttled'
          metricNamespace: 'Microsoft.ServiceBus/namespaces'
          metricName: 'ThrottledRequests'
          operator: 'GreaterThan'
          threshold: 0
          timeAggregation: 'Total'
        }
      ]
    }
    actions: [{ actionGroupId: actionGroup.id }]
  }
}

resource searchAlerts 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [for alert in searches: {
  name: 'azbackupflow-${alert.key}'
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: 'azbackupflow: ${alert.key}'
    description: alert.text
    severity: alert.severity
    enabled: true
    scopes: [workspaceId]
    evaluationFrequency: 'PT5M'
    windowSize: alert.window
    // The table exists once the app has written its first line.
    skipQueryValidation: true
    criteria: {
      allOf: [
        {
          query: alert.query
          timeAggregation: 'Count'
          operator: 'GreaterThan'
          threshold: alert.threshold
          failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
        }
      ]
    }
    autoMitigate: true
    actions: { actionGroups: [actionGroup.id] }
  }
}]
