// Package arm is a thin client of Azure Resource Manager over azcore's
// pipeline. It makes one HTTP call and says what the answer means: an Answer,
// an operation.Error of one class, or how far a long-running operation is.
//
// It never repeats a call by itself: azcore's retries block the invocation and
// send POSTs again, so they are off and the caller's next look does the
// waiting. It never rewrites a poll URL: those are signed. It never sends a
// token to a host that is not trusted, and no error, record or log of it shows
// a token or the query of a URL.
package arm
