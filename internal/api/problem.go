package api

// ContentTypeProblem is the media type of a Problem (RFC 9457).
const ContentTypeProblem = "application/problem+json"

// Problem is an error response (RFC 9457).
type Problem struct {
	// Type is one of the problem types. It never changes, so programs can
	// compare it.
	Type   string       `json:"type"`
	Title  string       `json:"title"`
	Status int          `json:"status"`
	Detail string       `json:"detail,omitempty"`
	Fields []FieldError `json:"fields,omitempty"`
	// Operation is the id of the operation that the problem is about.
	Operation string `json:"operation,omitempty"`
}

// FieldError is a problem with one field of a request.
type FieldError struct {
	// Field is the path of the field, such as parameters.vaultId.
	Field string `json:"field"`
	// Problem names the problem, Want a value that would be valid.
	Problem string `json:"problem"`
	Want    string `json:"want,omitempty"`
}

const problemPrefix = "urn:azbackupflow:problem:"

// Problem types.
const (
	ProblemInvalidRequest   = problemPrefix + "invalid-request"
	ProblemUnauthorized     = problemPrefix + "unauthorized"
	ProblemSignInUnchecked  = problemPrefix + "sign-in-unchecked"
	ProblemScheduleNotFound = problemPrefix + "schedule-not-found"
	ProblemDrillNotFound    = problemPrefix + "drill-not-found"
	ProblemEvidenceNotFound = problemPrefix + "evidence-not-found"
	ProblemEvidenceChanged  = problemPrefix + "evidence-changed"
	ProblemNoSigningKey     = problemPrefix + "no-signing-key"
	ProblemBulkNotFound     = problemPrefix + "bulk-not-found"
	ProblemMethod           = problemPrefix + "method-not-allowed"
	ProblemEnded            = problemPrefix + "operation-ended"
	ProblemRunInProgress    = problemPrefix + "run-in-progress"
	ProblemForbidden        = problemPrefix + "forbidden"
	ProblemNotFound         = problemPrefix + "operation-not-found"
	ProblemRejectedNotFound = problemPrefix + "rejected-request-not-found"
	ProblemNoSuchRoute      = problemPrefix + "no-such-route"
	ProblemKeyConflict      = problemPrefix + "key-conflict"
	ProblemNotRetriable     = problemPrefix + "not-retriable"
	ProblemNoValidation     = problemPrefix + "no-validation"
	ProblemOtherTarget      = problemPrefix + "other-target"
	ProblemWindowClosed     = problemPrefix + "window-closed"
	ProblemAnswered         = problemPrefix + "already-validated"
	ProblemTooLarge         = problemPrefix + "too-large"
	ProblemUnreadable       = problemPrefix + "record-unreadable"
	ProblemNotInAzure       = problemPrefix + "not-in-azure"
	ProblemAzure            = problemPrefix + "azure-failed"
	ProblemUnavailable      = problemPrefix + "unavailable"
)

// ProblemTypes returns every problem type, by HTTP status.
func ProblemTypes() []string {
	return []string{
		ProblemInvalidRequest, ProblemUnauthorized, ProblemForbidden, ProblemNotFound, ProblemRejectedNotFound,
		ProblemScheduleNotFound, ProblemDrillNotFound, ProblemEvidenceNotFound, ProblemEvidenceChanged, ProblemNoSigningKey, ProblemNotInAzure, ProblemAzure, ProblemBulkNotFound, ProblemNoSuchRoute, ProblemMethod, ProblemKeyConflict, ProblemNotRetriable,
		ProblemEnded, ProblemRunInProgress, ProblemNoValidation, ProblemOtherTarget, ProblemWindowClosed, ProblemAnswered, ProblemTooLarge, ProblemUnreadable, ProblemUnavailable, ProblemSignInUnchecked,
	}
}
