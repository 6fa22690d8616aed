// Package connection creates Azure clients from connection settings, in the same
// format as the Functions host.
//
// A connection has a name, such as ServiceBusConnection. Either the setting of
// that name holds a connection string, or settings with that name as their prefix
// describe the endpoint and the identity:
//
//	ServiceBusConnection__fullyQualifiedNamespace = name.servicebus.windows.net
//	AzureWebJobsStorage__tableServiceUri          = https://name.table.core.windows.net
//	…__credential                                 = managedidentity
//	…__clientId                                   = client ID of a user-assigned identity
//
// The package must not know which queues and tables exist, or what they hold.
//
// Source: https://learn.microsoft.com/azure/azure-functions/functions-reference#configure-an-identity-based-connection
package connection
