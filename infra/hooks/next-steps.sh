#!/bin/sh
# Prints the address of the app and the next commands after azd up.
set -eu

printf '\nazbackupflow runs at %s\n\nNext:\n' "${AZBACKUPFLOW_URL:-https://$AZBACKUPFLOW_FUNCTION_APP.azurewebsites.net}"
printf '  azbackupflow context add %s --azd-env %s\n' "$AZURE_ENV_NAME" "$AZURE_ENV_NAME"
# The Functions host requires the key from callers that sign in, too.
# shellcheck disable=SC2016 # the user's shell runs it
printf '  export AZBACKUPFLOW_FUNCTION_KEY=$(az functionapp keys list --resource-group %s --name %s --query functionKeys.default --output tsv)\n' \
  "$AZURE_RESOURCE_GROUP" "$AZBACKUPFLOW_FUNCTION_APP"
printf '  azbackupflow preflight\n'
