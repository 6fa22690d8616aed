// Package functionshost is a stand-in for the Azure Functions host, for
// laptops and tests: it runs the very program that is deployed, from the very
// folder that is deployed.
//
// It reads host.json and the function.json files one level below it, starts
// the custom handler as a child process, and calls it as the host does: with
// the host's way of encoding values, its reading of answers, its settlement of
// Service Bus messages by status (2xx completes, anything else abandons), its
// timers, HTTP routes, Event Grid webhook and admin endpoint, and its way with
// handlers that crash, hang or end.
//
// What it does not do:
//
//   - other triggers and bindings than httpTrigger, serviceBusTrigger (queues
//     and their dead-letter queues, one message at a time, no sessions),
//     timerTrigger, eventGridTrigger and the http output: Load refuses them;
//     outputs other than http in a handler's answer are ignored;
//   - function keys: authLevel is checked for its spelling, and every key is
//     accepted, as is none;
//   - connections by identity: a Service Bus connection is a connection string;
//   - scaling: one host, one handler process, no per-function instances, and
//     timers without a lock between hosts;
//   - retry policies, extension bundle download, Application Insights,
//     placeholders and specialization, deployment slots, CORS;
//   - refusing to run only the function that is wrong: any error in any
//     function.json stops the start, since it would be a deployment error;
//   - host.json with comments, and route constraints, which are parsed and
//     not enforced.
package functionshost
