// Package customhandler implements the wire protocol between the Azure Functions
// host and a custom handler: one HTTP request for each invocation with an
// envelope {"Data":{…},"Metadata":{…}}, and a response
// {"Outputs":…,"Logs":…,"ReturnValue":…}.
// (https://learn.microsoft.com/azure/azure-functions/functions-custom-handlers)
//
// The host interprets the response as follows:
//
//   - 2xx with a JSON body: the invocation succeeded. A Service Bus message is
//     completed.
//   - Any other status: the invocation failed, and Outputs and Logs are ignored. A
//     Service Bus message is abandoned and redelivered at once, until the queue's
//     maximum delivery count moves it to the dead-letter queue.
//   - 2xx with an empty body or another content type: the invocation hangs or
//     fails. The server never sends such a response.
//
// The package must not know what the functions do. It is part of the deployed
// program and uses only the standard library.
package customhandler
