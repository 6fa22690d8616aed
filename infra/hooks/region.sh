#!/bin/sh
# Stops azd provision if Flex Consumption is not available in the chosen region, before
# anything is created. It asks Azure for the list, which grows. Without the Azure CLI,
# or if the list cannot be read, the deployment continues and Azure decides.
set -eu

plain() { printf '%s\n' "$1" | tr '[:upper:]' '[:lower:]' | tr -d ' '; }

if [ -z "${AZURE_LOCATION:-}" ] || ! command -v az >/dev/null 2>&1; then
  echo "The region is not checked: AZURE_LOCATION is not set, or the Azure CLI is not installed." >&2
  exit 0
fi
regions=$(az functionapp list-flexconsumption-locations --query '[].name' --output tsv 2>/dev/null) || regions=
if [ -z "$regions" ]; then
  echo "The region is not checked: the Azure CLI could not list the regions; sign in with az login." >&2
  exit 0
fi
chosen=$(plain "$AZURE_LOCATION")
for region in $(printf '%s\n' "$regions" | tr '[:upper:]' '[:lower:]' | sed 's/ //g'); do
  [ "$region" != "$chosen" ] || exit 0
done
cat >&2 <<END
Flex Consumption is not available in the region $AZURE_LOCATION. Choose another one:
  azd env set AZURE_LOCATION westeurope
The app can work on vaults of any region. These regions are available:
$(printf '%s\n' "$regions" | sed 's/^/  /')
END
exit 1
