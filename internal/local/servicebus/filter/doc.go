// Package filter decides which messages of a topic a subscription receives: SQL
// filters and correlation filters, as Azure Service Bus defines them (Learn:
// "Subscription Rule SQL Filter Syntax" and "Topic filters and actions").
//
// The package knows messages only by their properties. It may not know queues,
// connections or AMQP.
//
// What it does not do: rule actions, which change a message; parameters of SQL filters
// (@name), which no client can send over AMQP; system properties that are not text, such
// as sys.EnqueuedTimeUtc, which are rejected as unknown.
package filter
