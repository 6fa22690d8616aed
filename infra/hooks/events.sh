#!/bin/sh
# Subscribes the function protect-new-resource to the events of the Azure
# subscription, see infra/events.bicep. Runs after each deployment; does nothing
# unless AZBACKUPFLOW_EVENTS is true.
set -eu

if [ "${AZBACKUPFLOW_EVENTS:-false}" != true ]; then
  exit 0
fi
# A subscription has one system topic: name an existing one by these two.
az deployment group create \
  --name azbackupflow-events \
  --resource-group "${AZBACKUPFLOW_EVENT_TOPIC_GROUP:-$AZURE_RESOURCE_GROUP}" \
  --subscription "$AZURE_SUBSCRIPTION_ID" \
  --template-file infra/events.bicep \
  --parameters \
  functionAppName="$AZBACKUPFLOW_FUNCTION_APP" \
  functionAppGroup="$AZURE_RESOURCE_GROUP" \
  systemTopicName="${AZBACKUPFLOW_EXISTING_EVENT_TOPIC:-$AZBACKUPFLOW_EVENT_TOPIC}" \
  existingTopic="$([ -n "${AZBACKUPFLOW_EXISTING_EVENT_TOPIC:-}" ] && echo true || echo false)" \
  --output none
