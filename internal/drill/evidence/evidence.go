// Package evidence holds the document that proves a restore drill: what was
// restored, from which recovery point, how long it took, and who validated it.
// The document is signed, and can be verified without a connection.
//
// The package may not know how a drill runs or where its evidence is stored.
package evidence

import "time"

// Version is the version of the document's format.
const Version = 1

// Result is the result of a drill.
type Result string

// The results of a drill. If several apply, the first of them is the result.
const (
	// Failed means that nothing usable was restored: a phase, a check or the
	// validation failed.
	Failed Result = "Failed"
	// NotValidated means that the validator did not answer in time.
	NotValidated Result = "NotValidated"
	// ObjectivesMissed means that the restore took too long, or that the recovery
	// point was too old.
	ObjectivesMissed Result = "ObjectivesMissed"
	// Proven means that the item was restored within its objectives, and passed
	// every check and the declared validation.
	Proven Result = "Proven"
)

// Evidence is the document of one drill.
type Evidence struct {
	Version int `json:"version"`
	// ID is the ID of the drill.
	ID    string `json:"id"`
	Drill Drill  `json:"drill"`
	Item  Item   `json:"item"`
	// Point is nil if no recovery point was found.
	Point *Point `json:"point,omitempty"`
	// Target is nil if no target was made.
	Target     *Target    `json:"target,omitempty"`
	Started    time.Time  `json:"started"`
	Ended      time.Time  `json:"ended"`
	Phases     []Phase    `json:"phases"`
	Objectives Objectives `json:"objectives"`
	Checks     []Check    `json:"checks"`
	Validation Validation `json:"validation"`
	// NotValidated lists what neither a check nor the validator looked at.
	NotValidated []string `json:"notValidated"`
	Result       Result   `json:"result"`
}

// Drill is the declaration that the drill followed.
type Drill struct {
	// Name is the name of the entry in drills.yaml, Run its local start time.
	Name string `json:"name"`
	Run  string `json:"run"`
	// ConfigurationDigest is the SHA-256 digest of the file, as sha256:<hex>.
	ConfigurationDigest string `json:"configurationDigest"`
}

// Item is the protected item or backup instance that was restored.
type Item struct {
	ID      string `json:"id"`
	VaultID string `json:"vaultId"`
	// Type is the datasource type, such as AzureFileShare.
	Type string            `json:"type"`
	Name string            `json:"name"`
	Tags map[string]string `json:"tags,omitempty"`
}

// Point is the recovery point.
type Point struct {
	ID   string    `json:"id"`
	Time time.Time `json:"time"`
	// Rule is the rule by which the point was chosen, such as latest.
	Rule string `json:"rule"`
}

// Target is the place that the drill made for the restored data.
type Target struct {
	ID string `json:"id"`
}

// PhaseName is the name of a phase.
type PhaseName string

// The phases of a drill, in their order.
const (
	ChoosePoint PhaseName = "ChoosePoint"
	MakeTarget  PhaseName = "MakeTarget"
	Restore     PhaseName = "Restore"
	CheckData   PhaseName = "CheckData"
	Validate    PhaseName = "Validate"
	CleanUp     PhaseName = "CleanUp"
)

// PhaseResult is the result of a phase.
type PhaseResult string

// The results of a phase.
const (
	PhaseSucceeded PhaseResult = "Succeeded"
	PhaseFailed    PhaseResult = "Failed"
)

// Phase is a phase that was started. Phases that were not reached are absent.
type Phase struct {
	Name    PhaseName   `json:"name"`
	Result  PhaseResult `json:"result"`
	Started time.Time   `json:"started"`
	Ended   time.Time   `json:"ended"`
	// JobID is Azure's job, CorrelationIDs the IDs of Azure's answers.
	JobID          string   `json:"jobId,omitempty"`
	CorrelationIDs []string `json:"correlationIds,omitempty"`
	// Error describes why the phase failed.
	Error string `json:"error,omitempty"`
}

// Objectives are the objectives of a restore. A nil objective was not measured.
type Objectives struct {
	// RTO is the duration of the phase Restore.
	RTO *Objective `json:"rto,omitempty"`
	// RPO is the age of the recovery point at the start of the drill.
	RPO *Objective `json:"rpo,omitempty"`
}

// Objective compares a measured duration with a maximum. Both are ISO 8601
// durations; the measured one is rounded up to a second.
type Objective struct {
	// Maximum is empty if none is declared. Then Met is nil.
	Maximum  string `json:"maximum,omitempty"`
	Measured string `json:"measured"`
	Met      *bool  `json:"met,omitempty"`
}

// CheckResult is the result of a built-in check.
type CheckResult string

// The results of a check.
const (
	CheckPassed CheckResult = "Passed"
	CheckFailed CheckResult = "Failed"
)

// Check is a built-in check of the restored data.
type Check struct {
	Name   string      `json:"name"`
	Result CheckResult `json:"result"`
	// Found describes what was found, NotChecked what this check cannot see.
	Found      string `json:"found"`
	NotChecked string `json:"notChecked"`
}

// ValidationResult is the result of the validation by a validator.
type ValidationResult string

// The results of a validation.
const (
	Successful   ValidationResult = "Successful"
	Unsuccessful ValidationResult = "Failed"
	TimedOut     ValidationResult = "TimedOut"
	// NotReached means that the drill failed before the validation.
	NotReached ValidationResult = "NotReached"
	// NotRequested means that the drill declares no validation.
	NotRequested ValidationResult = "NotRequested"
)

// Validation is the answer of the validator.
type Validation struct {
	Result ValidationResult `json:"result"`
	// By is the validator, At the time of its answer, Text its comment.
	By   string     `json:"by,omitempty"`
	At   *time.Time `json:"at,omitempty"`
	Text string     `json:"text,omitempty"`
}
