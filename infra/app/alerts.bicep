// Alerts for operators; docs/operating.md explains each one. The log queries search
// for messages of the app: infra/tools/bicepcheck checks that the code logs them.
param actionGroupName string
param location string
param tags object

@description('Email address for alerts; empty for none.')
param email string

param serviceBusId string
param workspaceId string

@description('Maximum number of scheduled messages. Each waiting operation has one.')
param scheduledMessages int = 50000

@description('Maximum number of throttled calls per hour.')
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
    text: 'Messages stay dead-lettered: the function that collects them does not run, or nothing reads the queue.'
    metric: 'DeadletteredMessages'
    queues: ['*']
    aggregation: 'Minimum'
    threshold: 0
    severity: 2
  }
  {
    key: 'scheduled'
    text: 'More messages are scheduled than operations can be expected to wait.'
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
    text: 'Operations failed, timed out or are parked.'
    query: 'AppTraces | extend m = parse_json(Message) | where m.msg == "operation saved" and tostring(m.status) in ("Failed", "TimedOut", "Parked") | project op = tostring(m.op), flow = tostring(m.flow), status = tostring(m.status), code = tostring(m.code)'
    threshold: 0
    window: 'PT15M'
    severity: 2
  }
  {
    key: 'drills'
    text: 'Restore drills missed their objectives, or were not validated. List them with azbackupflow drills evidence.'
    query: 'AppTraces | extend m = parse_json(Message) | where m.msg == "operation saved" and m.flow == "drill-restore" and m.status == "SucceededWithWarnings" | project op = tostring(m.op), flow = tostring(m.flow)'
    threshold: 0
    window: 'PT1H'
    severity: 3
  }
  {
    key: 'overdue'
    text: 'The sweep rescued overdue operations: messages were lost, or the app is too slow.'
    query: 'AppTraces | extend m = parse_json(Message) | where m.msg == "operation overdue" | project op = tostring(m.op), flow = tostring(m.flow)'
    threshold: 0
    window: 'PT1H'
    severity: 2
  }
  {
    key: 'throttled'
    text: 'Azure Resource Manager or Azure Backup throttles the app repeatedly.'
    query: 'AppTraces | extend m = parse_json(Message) | where m.msg == "operation saved" and m.class == "Throttled" | project op = tostring(m.op), flow = tostring(m.flow)'
    threshold: throttledCalls
    window: 'PT1H'
    severity: 3
  }
  {
    key: 'invocations'
    text: 'Invocations failed: the app cannot reach Table Storage or Service Bus, or has a bug.'
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
    description: 'Service Bus throttles the app: the load exceeds its tier.'
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
    // The table exists only after the app has written its first line.
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
