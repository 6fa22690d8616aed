// Package dataprotection calls Azure Backup's Data Protection API, which backs
// up PostgreSQL servers among others: one small function for each API operation.
// Its comment names the operation, its path and body, and when it is done.
//
// Request bodies are the model types of armdataprotection, which spell the
// fields as the API does: dataSourceInfo and dataSourceSetInfo in a backup
// instance, datasourceInfo and datasourceSetInfo in a restore's target. Learn's
// pages confuse the two. Answers are decoded into small structs of this package:
// one unexpected field of one item must not make a whole list unreadable.
//
// Every error is an *operation.Error. The package does not know flows, nor when
// a call is made.
package dataprotection
