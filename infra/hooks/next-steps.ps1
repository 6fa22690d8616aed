# Prints the address of the app and the next commands after azd up.
$ErrorActionPreference = 'Stop'

$url = if ($env:AZBACKUPFLOW_URL) { $env:AZBACKUPFLOW_URL } else { "https://$env:AZBACKUPFLOW_FUNCTION_APP.azurewebsites.net" }
Write-Output "`nazbackupflow runs at $url`n`nNext:"
Write-Output "  azbackupflow context add $env:AZURE_ENV_NAME --azd-env $env:AZURE_ENV_NAME"
# The Functions host requires the key from callers that sign in, too.
Write-Output ("  `$env:AZBACKUPFLOW_FUNCTION_KEY = az functionapp keys list --resource-group $env:AZURE_RESOURCE_GROUP" +
  " --name $env:AZBACKUPFLOW_FUNCTION_APP --query functionKeys.default --output tsv")
Write-Output '  azbackupflow preflight'
