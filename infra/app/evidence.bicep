// The evidence of restore drills: a container for the documents, which may be
// immutable, and a key that signs them. The private key cannot be read. The app's role
// for the container is that of the Functions host on the account (storage.bicep).
param keyVaultName string
param location string
param tags object
param storageAccountName string
param principalId string

@description('Days for which a document can be neither changed nor deleted; 0 for no policy.')
param immutableDays int

// Key Vault Crypto User: sign, and read the public key.
var cryptoUser = '12338af0-0e69-4776-bea7-57ae8d297424'

resource account 'Microsoft.Storage/storageAccounts@2023-05-01' existing = {
  name: storageAccountName

  resource blobs 'blobServices' existing = {
    name: 'default'

    resource container 'containers' = {
      name: 'drill-evidence'
      properties: { publicAccess: 'None' }

      resource policy 'immutabilityPolicies' = if (immutableDays > 0) {
        name: 'default'
        properties: {
          immutabilityPeriodSinceCreationInDays: immutableDays
          allowProtectedAppendWrites: false
        }
      }
    }
  }
}

resource vault 'Microsoft.KeyVault/vaults@2023-07-01' = {
  name: keyVaultName
  location: location
  tags: tags
  properties: {
    tenantId: tenant().tenantId
    sku: { family: 'A', name: 'standard' }
    enableRbacAuthorization: true
    enableSoftDelete: true
    enablePurgeProtection: true
    softDeleteRetentionInDays: 90
  }

  resource key 'keys' = {
    name: 'drill-evidence'
    properties: {
      kty: 'EC'
      curveName: 'P-256'
      keyOps: ['sign', 'verify']
    }
  }
}

resource assignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(vault.id, principalId, cryptoUser)
  scope: vault::key
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', cryptoUser)
  }
}

output keyUri string = vault::key.properties.keyUriWithVersion
