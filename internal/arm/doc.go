// Package arm is a thin client of Azure Resource Manager over azcore's
// pipeline. It sends one HTTP request and returns the Answer, or an
// operation.Error with a class.
//
// It never sends a request twice: azcore's retries block the invocation and
// repeat POSTs, so they are off, and the caller retries later. It never
// rewrites a poll URL, because those are signed. It never sends a token to a
// host that is not trusted. No error, record or log line of it holds a token or
// the query of a URL.
//
// The package knows no flow and no API of a resource provider, and it does not
// decide when a call is made. Options of a call, such as a dry run, are given
// to Client.With; the context carries cancellation, deadline and trace only.
package arm
