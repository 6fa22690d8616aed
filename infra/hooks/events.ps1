# Subscribes the function protect-new-resource to the events of the Azure
# subscription; see infra/events.bicep. It runs after each deployment if
# AZBACKUPFLOW_EVENTS is true.
$ErrorActionPreference = 'Stop'

if ($env:AZBACKUPFLOW_EVENTS -ne 'true') { exit 0 }
# A subscription can have only one system topic. These two variables name an
# existing one.
$group = if ($env:AZBACKUPFLOW_EVENT_TOPIC_GROUP) { $env:AZBACKUPFLOW_EVENT_TOPIC_GROUP } else { $env:AZURE_RESOURCE_GROUP }
$existing = [bool]$env:AZBACKUPFLOW_EXISTING_EVENT_TOPIC
$topic = if ($existing) { $env:AZBACKUPFLOW_EXISTING_EVENT_TOPIC } else { $env:AZBACKUPFLOW_EVENT_TOPIC }
az deployment group create `
  --name azbackupflow-events `
  --resource-group $group `
  --subscription $env:AZURE_SUBSCRIPTION_ID `
  --template-file infra/events.bicep `
  --parameters `
  functionAppName=$env:AZBACKUPFLOW_FUNCTION_APP `
  functionAppGroup=$env:AZURE_RESOURCE_GROUP `
  systemTopicName=$topic `
  existingTopic=$($existing.ToString().ToLower()) `
  --output none
if ($LASTEXITCODE -ne 0) { exit $LASTEXITCODE }
