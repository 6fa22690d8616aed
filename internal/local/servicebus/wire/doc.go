// Package wire encodes and decodes the part of AMQP 1.0 that a Service Bus client and a
// broker exchange: values, frames, performatives and messages.
//
// The formats come from the OASIS AMQP 1.0 specification (parts 1 to 5). The decoder
// trusts no length: it limits values to the bytes that are present, nesting to a fixed
// depth and the number of elements to the size of their container. No input makes it
// panic or allocate much more than the size of the input.
//
// What it does not do: it does not interpret decimals, and it does not check values
// that a broker only forwards, such as most sections of a message.
package wire
