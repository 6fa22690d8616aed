// Package queue sends messages to Azure Service Bus: wake-ups of operations,
// copies of rejected requests, notifications and replies.
//
// After an error, a message may still have been sent, and a message can arrive
// twice. Neither this package nor Service Bus prevents that: the engine rejects
// outdated messages by their sequence number.
//
// The package must not know when a message is sent or what its body means.
package queue
