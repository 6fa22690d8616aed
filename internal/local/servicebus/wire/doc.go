// Package wire reads and writes the part of AMQP 1.0 that a Service Bus client
// and a broker exchange: values, frames, performatives and messages.
//
// The source of every format here is the OASIS AMQP 1.0 specification (parts 1
// to 3 and 5). Decoding never trusts a length: it is bounded by the bytes that
// are there, nesting by a fixed depth and the number of elements by the size
// of what holds them, so that no input makes it panic or allocate much more
// than it was given.
//
// What it does not do: it has no decimal arithmetic (decimals pass through
// unread), and it does not check the content of values that only pass through
// (the sections of a message that a broker has no business with).
package wire
