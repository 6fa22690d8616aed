// A workbook that shows operations that run, failed or wait.
param location string
param tags object
param workspaceId string

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(resourceGroup().id, 'azbackupflow')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'azbackupflow'
    category: 'workbook'
    sourceId: workspaceId
    serializedData: loadTextContent('workbook.json')
    version: '1.0'
  }
}
