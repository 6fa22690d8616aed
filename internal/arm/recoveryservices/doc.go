// Package recoveryservices calls Azure Backup's Recovery Services API: one
// small function per API operation, each naming the operation, its path and
// body, and when it is done.
//
// Request bodies are the model types of armrecoveryservicesbackup. Answers are
// read into small structs of our own: those model types refuse the zoneless
// endTime "0001-01-01T00:00:00" of what is still running, and one odd field of
// one item would hide a whole list.
//
// Names of containers and items are read from Azure's answers, never composed.
// Every error is an *operation.Error.
package recoveryservices
