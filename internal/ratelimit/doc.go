// Package ratelimit keeps accounts of what Azure Resource Manager and the resource
// providers still allow, so that a call which would be refused is put off
// instead of sent.
//
// Nothing here knows a limit. What is left, how fast it comes back and when a
// count starts anew is learned from the answers: their
// x-ms-ratelimit-remaining-* headers, and what a 429 says. Until something was
// learned, calls go out. Sources: learn.microsoft.com, "Understand how Azure
// Resource Manager throttles requests", and recorded answers.
//
// There are two kinds of account. A bucket is Resource Manager's own: it gets
// calls back at a steady rate. A quota is a provider's count of one action on
// one vault, such as 150 reads of jobs, which starts anew after an interval.
//
// Who asks for a call names its priority. The last calls of an account are kept
// for higher priorities, and who is put off gets a place in the queue of its
// priority: a time at which there will be room. The operation comes back then
// and is let through. Places are times and nothing else, so one that is never
// used costs nothing but itself.
//
// Several instances that share a subscription learn from the same headers. Only
// an account that is running low is kept in a shared row as well, so that its
// places are given away once. Where the row cannot be reached, each instance
// goes on with what it knows.
package ratelimit
