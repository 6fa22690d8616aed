#!/bin/sh
# Subscribes the function protect-new-resource to the events of the Azure
# subscription; see infra/events.bicep. It runs after each deployment if
# AZBACKUPFLOW_EVENTS is true.
set -eu

if [ "${AZBACKUPFLOW_EVENTS:-false}" != true ]; then
  exit 0
fi
# A subscription can have only one system topic. These two variables name an
# existing one.
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
