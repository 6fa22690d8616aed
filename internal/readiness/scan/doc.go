// Package scan makes the readiness report from what vaults, protection rules and
// drills know, in short invocations.
//
// The report is made of parts: each vault, each subscription of the rules, the tags
// of a subscription, and the drills. Each part is cached in a shared row of Table
// Storage with the time at which it was read. A request reads parts that are missing
// or too old for a limited time, within Azure's rate limits, and stores after each
// part how far it came. So a process may end after any line: the next request, of
// any instance, continues. One instance reads a part at a time: the one that
// has saved its claim under the row's ETag.
//
// The package must not know how requests arrive or how rows are stored.
package scan
