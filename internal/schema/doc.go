// Package schema writes the JSON Schemas of what other systems send: a request,
// a bulk request, the event that may hold them, and the parameters of each flow.
// Shapes come from the Go types that read them. A flow declares what its types
// cannot express, such as the letters of a name, as a Field; tests hold the
// schemas to the checks of the flows in both directions. docs/schemas/ holds the
// published schemas.
//
// The package does not know which flows exist: its callers pass them.
//
// A schema is stricter than the reader in three things, because they are mistakes
// of the sender: null for an omitted field, a field name in other casing, and an
// empty text for an optional field. It is less strict where a schema cannot
// express the rule: whether a time is in the past, whether two IDs belong
// together, what an operator allows, and lengths in bytes.
package schema
