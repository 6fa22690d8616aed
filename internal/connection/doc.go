// Package connection reads connection settings as the Functions host does and
// gives clients of what they connect to.
//
// A connection has a name, such as ServiceBusConnection, and is given in one
// of two ways. Either the setting of that name holds a connection string, or
// settings that begin with the name and two underscores describe where to go
// and as whom:
//
//	ServiceBusConnection__fullyQualifiedNamespace = name.servicebus.windows.net
//	AzureWebJobsStorage__tableServiceUri          = https://name.table.core.windows.net
//	…__credential                                 = managedidentity
//	…__clientId                                   = of a user-assigned identity
//
// Source: https://learn.microsoft.com/azure/azure-functions/functions-reference#configure-an-identity-based-connection
package connection
