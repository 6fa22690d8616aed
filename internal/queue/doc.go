// Package queue sends messages to Azure Service Bus: the wake-ups of
// operations, and copies of refused requests.
//
// A message that was sent may be there although Send gave an error, and may be
// there twice. Nothing here, nor in Service Bus, says otherwise: the engine
// fences its messages.
package queue
