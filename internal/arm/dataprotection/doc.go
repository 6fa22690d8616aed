// Package dataprotection calls Azure Backup's Data Protection API, which backs
// up PostgreSQL servers among others: one small function per API operation,
// each naming the operation, its path and body, and when it is done.
//
// Request bodies are the model types of armdataprotection, which spell the
// fields as the API does: dataSourceInfo and dataSourceSetInfo in a backup
// instance, datasourceInfo and datasourceSetInfo in a restore's target. Learn's
// pages mix them up. Answers are read into small structs of our own: one odd
// field of one item must not hide a whole list.
//
// Every error is an *operation.Error.
package dataprotection
