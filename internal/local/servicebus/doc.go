// Package servicebus is a message broker for one machine. It speaks AMQP 1.0 as Azure
// Service Bus does: the unmodified clients azservicebus (Go), @azure/service-bus
// (JavaScript), azure-servicebus (Python) and Azure.Messaging.ServiceBus (.NET) work
// with it.
//
// It supports queues with peek-lock and receive-and-delete, all kinds of settlement,
// lock expiry and renewal, delivery counts and dead-letter queues, expiry, scheduled
// messages and their cancellation, peeking, deferral, batches, duplicate detection,
// topics and subscriptions with SQL and correlation filters and with SQL actions
// (package filter), and
// shared access signatures with keys for sending, listening or both. On request it
// fails in ways that Azure does not offer: it cuts all connections, becomes
// unavailable, loses, duplicates or delays a message, and stops at an exact moment of
// a request (package fault).
//
// It does not support:
//   - sessions and transactions, which are rejected with an error that names them,
//   - auto-forwarding, transfer dead-letter queues, partitions,
//   - the administration API: queues and topics come from its Config; only rules can
//     be changed while it runs,
//   - TLS, AMQP over WebSockets and Entra tokens: clients connect over plain TCP with
//     UseDevelopmentEmulator=true and a shared access signature,
//   - storage: messages are lost when it ends,
//   - quotas and throttling: a queue has no size limit, and no request is answered
//     "server busy",
//   - expiry of tokens on open links: a token is checked when it is sent and when a
//     link is attached.
//
// Comments at the code name the client source that requires a behavior: azservicebus
// 1.11.0, go-amqp 1.7.0, or the article on Learn "AMQP 1.0 in Azure Service Bus:
// request-response-based operations".
package servicebus
