// Package servicebus is a message broker for a laptop that speaks AMQP 1.0 the
// way Azure Service Bus does: the unmodified azservicebus client for Go and
// @azure/service-bus for JavaScript work against its queues.
//
// It does: queues with peek-lock and receive-and-delete, every way to settle a
// message, locks that expire and are renewed, delivery counts and dead-letter
// queues, expiry, scheduled messages and their cancelling, peeking, deferral,
// batches, duplicate detection, shared access signatures. It also does what
// Azure will not do on request: cut every connection, go away, lose, double or
// delay a message, and stop at an exact point of a request (package fault).
//
// It does not do:
//   - topics, subscriptions, rules and sessions (attaching to one is refused),
//   - transactions, auto-forwarding, transfer dead-letter queues, partitions,
//   - the administration API: queues come from its Config,
//   - TLS, AMQP over WebSockets and Entra tokens: it is reached over plain TCP
//     with UseDevelopmentEmulator=true and a shared access signature,
//   - storage: its messages end with it,
//   - quotas and throttling: a queue has no size limit and no request is ever
//     answered "server busy",
//   - expiry of tokens on links that are open: a token is checked when it is
//     put and when a link is attached.
//
// What the clients ask of a broker is written down where it is done; the
// source of those facts is the source of azservicebus 1.11.0 and go-amqp 1.7.0
// and the request/response article on Learn ("AMQP 1.0 in Azure Service Bus:
// request-response-based operations").
package servicebus
