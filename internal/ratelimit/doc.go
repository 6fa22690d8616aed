// Package ratelimit predicts which calls Azure would throttle, and defers them
// instead of sending them.
//
// No limit is built in. The limiter learns what is left, how fast it refills
// and when it resets from Azure's answers: from their
// x-ms-ratelimit-remaining-* headers and from 429s. Until it has learned
// something, it admits every call. Sources: learn.microsoft.com, "Understand
// how Azure Resource Manager throttles requests", and recorded answers.
//
// There are two kinds of allowance. A bucket is Resource Manager's token
// bucket, which refills at a steady rate. A quota is a provider's limit for one
// action on one vault, such as 150 reads of jobs an hour, which resets after a
// fixed interval.
//
// The caller of a call has a priority. The last calls of an allowance are
// reserved for higher priorities. A deferred call reserves a slot in the queue
// of its priority: a time at which the allowance will have capacity. The
// operation retries at that time and is admitted. A slot is only a time, so one
// that is never used costs nothing more.
//
// Instances that share a subscription learn from the same headers. An allowance
// that is running low is also kept in a shared row, so that each slot is
// assigned once. If the row is unavailable, each instance continues with its
// own knowledge.
//
// The package does not know HTTP, flows, steps or storage: it sees methods,
// paths, priorities and what arm observed in an answer.
package ratelimit
