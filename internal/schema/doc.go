// Package schema writes the JSON Schemas of what other systems send: a request,
// a bulk of requests, the event that may hold them, and the parameters of each
// flow. Their shapes come from the Go types that read them; what the types
// cannot say, such as a name's letters, is said here, and tests hold it to the
// checks of the flows in both directions. docs/schemas/ is what is published.
//
// A schema is stricter than the reader in three things, because a sender who
// does them has made a mistake: null for a field that is left out, another
// casing of a field's name, and an empty text for a field that is not required.
// It is laxer in what a schema cannot say: whether a time has passed, whether
// two ids belong together, what an operator allows, and lengths in bytes.
package schema
