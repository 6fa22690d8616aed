// Package azerr classifies errors of Azure Resource Manager and of Azure Backup.
//
// The catalogue maps Azure's error codes to a class (retry, wait, fail) and a
// recommended action. Classify reads the answer to a call, Failure and
// FailureIn read the error of a job or resource, FailedOperation reads the
// status of a long-running operation. Redact removes secrets from any text
// before it is kept or shown.
//
// The package makes no calls. It does not know flows, nor which call an error
// belongs to beyond its method and path.
package azerr
