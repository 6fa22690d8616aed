// Package customhandler speaks the wire protocol between the Azure Functions
// host and a custom handler: an HTTP request per invocation with an envelope
// {"Data":{…},"Metadata":{…}}, answered with {"Outputs":…,"Logs":…,
// "ReturnValue":…}.
// (https://learn.microsoft.com/azure/azure-functions/functions-custom-handlers)
//
// What the host makes of an answer:
//
//   - 2xx with a JSON body: the invocation succeeded; a Service Bus message is
//     completed.
//   - anything else: the invocation failed, Outputs and Logs are ignored; a
//     Service Bus message is abandoned and delivered again at once, until the
//     queue's maximum delivery count sends it to the dead-letter queue.
//   - 2xx with an empty body or another content type: the invocation hangs or
//     fails. The server never answers like that.
//
// The package knows nothing of what the functions do, and it is linked into
// the deployed program, so it uses the standard library only.
package customhandler
