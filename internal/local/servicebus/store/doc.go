// Package store holds the messages of one queue and the rules of their life:
// waiting, scheduled, locked, deferred, dead-lettered, expired.
//
// It is a pure data structure: no clock, no goroutine, no lock. Callers pass
// the time in, call Tick when NextEvent says so, and see to it that one call
// is made at a time. Every operation costs at most the logarithm of the number
// of messages, Peek and All what they return on top of that.
//
// The rules are those of Azure Service Bus queues (Learn: "Message transfers,
// locks, and settlement", "Message sequencing and timestamps", "Overview of
// Service Bus dead-letter queues", "Message expiration", "Duplicate
// detection"). It does not do sessions, transactions or a size limit.
package store
