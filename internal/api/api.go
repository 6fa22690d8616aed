// Package api holds the types that cross the HTTP API: requests, responses,
// query filters and problems. The server (internal/handlers/httpapi), the
// client (internal/client) and the command line share them.
//
// The package imports only the standard library. It must not know how
// operations are stored or run: the server converts its own records to these
// types, and a stored record may change without a change of the API.
package api
