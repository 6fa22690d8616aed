// Package functionshost is a stand-in for the Azure Functions host, for laptops and
// tests. It runs the deployed program from the deployed folder.
//
// The stand-in reads host.json and the function.json files one level below it,
// starts the custom handler as a child process, and calls it as the host does. It
// has the host's encoding of values, reading of responses, settlement of Service
// Bus messages by status (2xx completes, other statuses abandon), timers, HTTP
// routes, Event Grid webhook and admin endpoint. It treats handlers that crash, hang
// or end as the host does. A contract test compares its requests with recorded ones
// of the real host.
//
// The stand-in does not support:
//
//   - Other triggers and bindings than httpTrigger, serviceBusTrigger (queues and
//     their dead-letter queues, one message at a time, no sessions), timerTrigger,
//     eventGridTrigger and the http output. Load rejects them. Other outputs in a
//     response are ignored.
//   - Function keys. The spelling of authLevel is checked, and every caller is
//     accepted.
//   - Connections by identity. A Service Bus connection is a connection string.
//   - Scaling. There is one host with one handler process, and no lock of timers
//     between hosts.
//   - Retry policies, download of the extension bundle, Application Insights,
//     placeholders and specialization, deployment slots, CORS.
//   - Running the valid functions of an app with an invalid one. Any error in a
//     function.json stops the start.
//   - host.json with comments. Route constraints are parsed and not enforced.
package functionshost
