# Stops azd provision if Flex Consumption is not available in the chosen region; see
# region.sh.
$ErrorActionPreference = 'Stop'

if (-not $env:AZURE_LOCATION -or -not (Get-Command az -ErrorAction SilentlyContinue)) {
  [Console]::Error.WriteLine('The region is not checked: AZURE_LOCATION is not set, or the Azure CLI is not installed.')
  exit 0
}
$regions = az functionapp list-flexconsumption-locations --query '[].name' --output tsv 2>$null
if ($LASTEXITCODE -ne 0 -or -not $regions) {
  [Console]::Error.WriteLine('The region is not checked: the Azure CLI could not list the regions; sign in with az login.')
  exit 0
}
$chosen = $env:AZURE_LOCATION.ToLower().Replace(' ', '')
if (@($regions | ForEach-Object { $_.ToLower().Replace(' ', '') }) -contains $chosen) { exit 0 }
[Console]::Error.WriteLine("Flex Consumption is not available in the region $env:AZURE_LOCATION. Choose another one:")
[Console]::Error.WriteLine('  azd env set AZURE_LOCATION westeurope')
[Console]::Error.WriteLine('The app can work on vaults of any region. These regions are available:')
$regions | ForEach-Object { [Console]::Error.WriteLine("  $_") }
exit 1
