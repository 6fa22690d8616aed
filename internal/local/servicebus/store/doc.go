// Package store holds the messages of one queue or subscription and applies the rules
// of their life cycle: available, scheduled, locked, deferred, dead-lettered, expired.
//
// It is a pure data structure without clock, goroutines or locks. Callers pass the
// time, call Tick at the time that NextEvent returns, and make one call at a time.
// The cost of an operation is at most logarithmic in the number of messages; Peek and
// All also pay for the messages that they return.
//
// The rules are those of Azure Service Bus queues (Learn: "Message transfers, locks,
// and settlement", "Message sequencing and timestamps", "Overview of Service Bus
// dead-letter queues", "Message expiration", "Duplicate detection"). Sessions,
// transactions and size limits are not supported.
package store
