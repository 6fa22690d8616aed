// Package filter decides which messages of a topic a subscription receives, and how
// rules change them: SQL filters, correlation filters and SQL actions, as Azure Service
// Bus defines them (Learn: "Subscription Rule SQL Filter Syntax", "Subscription Rule SQL
// Action Syntax" and "Topic filters and actions").
//
// The package knows messages only by their properties. It may not know queues,
// connections or AMQP.
//
// What it does not do: compare durations, so sys.TimeToLive is not known; and dead-letter
// a message because a filter or an action fails, such as a division by zero: the result
// is null.
package filter
