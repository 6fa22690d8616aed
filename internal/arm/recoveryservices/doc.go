// Package recoveryservices calls Azure Backup's Recovery Services API: one
// small function for each API operation. Its comment names the operation, its
// path and body, and when it is done.
//
// Request bodies are the model types of armrecoveryservicesbackup. Answers are
// decoded into small structs of this package: the model types reject the
// endTime "0001-01-01T00:00:00" (without a zone) of a running job, and one
// unexpected field of one item would make a whole list unreadable.
//
// Names of containers and items are read from Azure's answers, never composed.
// Every error is an *operation.Error. The package does not know flows, nor when
// a call is made.
package recoveryservices
