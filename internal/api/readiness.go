package api

import (
	"strings"
	"time"
)

// ReadinessVersion is the version of the format of the readiness report.
const ReadinessVersion = 1

// ReadinessState is how ready a resource is to be restored.
type ReadinessState string

// The states of a resource.
const (
	// ReadinessProven means that it is protected, and that its newest drill proved
	// that it can be restored.
	ReadinessProven ReadinessState = "Proven"
	// ReadinessNotProven means that it is protected, and that nothing valid proves it.
	ReadinessNotProven ReadinessState = "NotProven"
	// ReadinessObjectivesMissed means that it is protected, and that its newest
	// backup is too old, or that its newest drill missed an objective.
	ReadinessObjectivesMissed ReadinessState = "ObjectivesMissed"
	// ReadinessNotProtected means that Azure does not back it up.
	ReadinessNotProtected ReadinessState = "NotProtected"
	// ReadinessExcluded means that Azure does not back it up on purpose: a protection
	// rule excludes it, or an operator ended its protection.
	ReadinessExcluded ReadinessState = "Excluded"
)

// Listed returns the values as a text for people, such as "Proven, NotProven".
func Listed[T ~string](values []T) string {
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = string(v)
	}
	return strings.Join(texts, ", ")
}

// ReadinessStates returns all states.
func ReadinessStates() []ReadinessState {
	return []ReadinessState{ReadinessProven, ReadinessNotProven, ReadinessObjectivesMissed, ReadinessNotProtected, ReadinessExcluded}
}

// Readiness is one page of the readiness report. The first page has the scores and
// the vaults.
type Readiness struct {
	Version int `json:"version"`
	// At is when the report was made; ages are measured up to it.
	At         time.Time           `json:"at"`
	Objectives ReadinessObjectives `json:"objectives"`
	Scan       ReadinessScan       `json:"scan"`
	Scores     []ReadinessScore    `json:"scores"`
	Vaults     []ReadinessVault    `json:"vaults"`
	// Items are ordered by vault and ID; resources without a vault come first.
	Items []ReadinessItem `json:"items"`
	// Continue is the value of the query parameter continue for the next page; empty
	// on the last one.
	Continue string `json:"continue,omitempty"`
}

// ReadinessObjectives are the limits by which the resources are judged.
type ReadinessObjectives struct {
	// MaxPointAge is the maximum age of the newest backup (RPO), in ISO 8601; empty
	// means that the age is not judged.
	MaxPointAge string `json:"maxPointAge,omitempty"`
	// MaxProofAge is the age from which a drill proves nothing, in ISO 8601.
	MaxProofAge string `json:"maxProofAge"`
}

// ReadinessScan reports how complete and how old the data of the report is, and the
// calls that it cost.
type ReadinessScan struct {
	// Complete reports that every part was read, or cannot be read; repeat the
	// request otherwise. Without it, resources may be missing or older than allowed.
	Complete bool `json:"complete"`
	// Parts counts the vaults, the subscriptions of rules and the other lists that the
	// report is made of; Read those that are new enough, Failed those that cannot be
	// read.
	Parts  int `json:"parts"`
	Read   int `json:"read"`
	Failed int `json:"failed"`
	// Calls counts the calls of Azure Resource Manager that the data of the report
	// cost, also by earlier requests. CallsNow counts those of this request.
	Calls    int `json:"calls"`
	CallsNow int `json:"callsNow"`
	// Oldest is when the oldest part was read.
	Oldest time.Time `json:"oldest,omitzero"`
	// RetryAfterSeconds is when to repeat the request; 0 if the scan is complete.
	RetryAfterSeconds int `json:"retryAfterSeconds,omitempty"`
	// Problems are the parts that cannot be read.
	Problems []ReadinessProblem `json:"problems"`
}

// ReadinessProblem is a part of the report that cannot be read.
type ReadinessProblem struct {
	// Part is vault, rules, tags or drills. Subject is the vault, the subscription or
	// empty.
	Part              string   `json:"part"`
	Subject           string   `json:"subject,omitempty"`
	Code              string   `json:"code"`
	Message           string   `json:"message"`
	RecommendedAction []string `json:"recommendedAction,omitempty"`
}

// ReadinessScore counts the resources of a group by state.
type ReadinessScore struct {
	// Group is total, vault, subscription or tag. Name is the resource ID of the
	// vault, the ID of the subscription or the value of the tag; empty for total, and
	// for resources without a vault or tag.
	Group            string `json:"group"`
	Name             string `json:"name"`
	Items            int    `json:"items"`
	Proven           int    `json:"proven"`
	NotProven        int    `json:"notProven"`
	ObjectivesMissed int    `json:"objectivesMissed"`
	NotProtected     int    `json:"notProtected"`
	Excluded         int    `json:"excluded"`
	// ProvenPercent is the share of proven resources among those that are not
	// excluded, rounded down; 0 if there are none.
	ProvenPercent int `json:"provenPercent"`
	// FailingBackups counts protected resources whose last backup failed.
	FailingBackups int `json:"failingBackups"`
}

// ReadinessVault has the settings of a vault that keep its backups from being
// deleted.
type ReadinessVault struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Location string `json:"location,omitempty"`
	// SoftDelete is On, AlwaysOn or Off; empty if unknown. SoftDeleteDays is how long
	// deleted items are kept.
	SoftDelete     string `json:"softDelete,omitempty"`
	SoftDeleteDays int    `json:"softDeleteDays,omitempty"`
	// Immutability is Disabled, Unlocked or Locked.
	Immutability string `json:"immutability,omitempty"`
	// MultiUserAuthorization reports that a Resource Guard protects the vault.
	MultiUserAuthorization bool `json:"multiUserAuthorization"`
	// At is when the vault was read.
	At time.Time `json:"at,omitzero"`
	// Findings are settings that let backups be deleted.
	Findings []string `json:"findings"`
}

// ReadinessItem is a resource with its state, and the facts behind it. A fact that
// is unknown is missing.
type ReadinessItem struct {
	// ResourceID is the resource that is backed up: the file share, server, disk or
	// machine. That of a database is below its machine.
	ResourceID string `json:"resourceId,omitempty"`
	// ItemID is the resource ID of the protected item or backup instance, and VaultID
	// that of its vault; empty if no vault of the report knows the resource.
	ItemID       string         `json:"itemId,omitempty"`
	VaultID      string         `json:"vaultId,omitempty"`
	Name         string         `json:"name"`
	Type         string         `json:"type,omitempty"`
	Subscription string         `json:"subscription,omitempty"`
	Tag          string         `json:"tag,omitempty"`
	State        ReadinessState `json:"state"`
	// Reasons explain the state, the most important one first.
	Reasons []string `json:"reasons"`
	// Next are commands that improve the state.
	Next []string `json:"next"`

	// ProtectionState is Azure's word.
	ProtectionState string `json:"protectionState,omitempty"`
	Policy          string `json:"policy,omitempty"`
	// Retention is how long the policy keeps backups.
	Retention string `json:"retention,omitempty"`
	// Rule is the protection rule that decides about the resource, and RuleOutcome
	// its decision: protect, exclude or none. ProtectCommand protects the resource as
	// the rule would.
	Rule           string `json:"rule,omitempty"`
	RuleOutcome    string `json:"ruleOutcome,omitempty"`
	ProtectCommand string `json:"protectCommand,omitempty"`
	// ExcludedBy is the operation that ended the protection on request of a user.
	ExcludedBy string `json:"excludedBy,omitempty"`
	// LastBackup is the time of the last backup that succeeded.
	LastBackup *time.Time `json:"lastBackup,omitempty"`
	// BackupFailed is Azure's word for why the last backup failed. FailedBackups is
	// how many failed since the last one that succeeded.
	BackupFailed  string `json:"backupFailed,omitempty"`
	FailedBackups int    `json:"failedBackups,omitempty"`
	// LastRecoveryPoint is the time of the newest recovery point. Tier is where it is
	// stored, if the recovery points were read.
	LastRecoveryPoint *time.Time `json:"lastRecoveryPoint,omitempty"`
	Tier              string     `json:"tier,omitempty"`
	// Drill is the newest drill.
	Drill *ReadinessDrill `json:"drill,omitempty"`
}

// ReadinessDrill is a restore drill.
type ReadinessDrill struct {
	ID      string    `json:"id"`
	Started time.Time `json:"started"`
	// Result is Proven, ObjectivesMissed, NotValidated or Failed.
	Result string `json:"result"`
	// RestoreTime is how long the restore took, in ISO 8601.
	RestoreTime string `json:"restoreTime,omitempty"`
	// Verified reports that the signature of the evidence was verified. Evidence that
	// was changed, or that an earlier key signed, is not.
	Verified bool `json:"verified"`
}

// ReadinessQuery selects a page of the readiness report.
type ReadinessQuery struct {
	// Vaults are the resource IDs of the vaults to report on; none means every vault
	// that the app knows, and every resource that protection rules decide about.
	Vaults []string
	// States selects resources in these states; none selects all.
	States []ReadinessState
	// Tag is the name of the tag to score by; empty scores by no tag.
	Tag string
	// MaxPointAge, MaxProofAge and MaxAge are durations in ISO 8601; empty means the
	// default. MaxAge is the maximum age of the data.
	MaxPointAge, MaxProofAge, MaxAge string
	// Points also reads the recovery points of each item.
	Points bool
	// PageSize and Continue are as in Query.
	PageSize int
	Continue string
}
