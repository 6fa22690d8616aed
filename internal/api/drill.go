package api

import "time"

// Drill is a declared restore drill: its times, how far it has run, and the results of
// its last run.
type Drill struct {
	Schedule
	VaultID  string `json:"vaultId"`
	ItemType string `json:"itemType"`
	// LastResults counts the evidence of the newest run that has any.
	LastResults *DrillResults `json:"lastResults,omitempty"`
}

// DrillResults counts the drills of a run by their result.
type DrillResults struct {
	// Run is the local start time of the run, or the name of a requested one.
	Run string `json:"run"`
	// Started is when its last drill started.
	Started          time.Time `json:"started"`
	Proven           int       `json:"proven"`
	ObjectivesMissed int       `json:"objectivesMissed"`
	NotValidated     int       `json:"notValidated"`
	Failed           int       `json:"failed"`
	// CleanUpsFailed is the number of drills whose restored data may still exist.
	CleanUpsFailed int `json:"cleanUpsFailed"`
}

// DrillList lists the drills in the order of the file.
type DrillList struct {
	Drills []Drill `json:"drills"`
	// Incomplete reports that the file has errors, or that no key is set, so that
	// drills may be missing.
	Incomplete bool `json:"incomplete,omitempty"`
	// EvidenceError is why the results are missing.
	EvidenceError string `json:"evidenceError,omitempty"`
}

// Results of a drill.
const (
	DrillProven           = "Proven"
	DrillObjectivesMissed = "ObjectivesMissed"
	DrillNotValidated     = "NotValidated"
	DrillFailed           = "Failed"
)

// DrillResultNames returns every result of a drill.
func DrillResultNames() []string {
	return []string{DrillProven, DrillObjectivesMissed, DrillNotValidated, DrillFailed}
}

// Evidence describes the evidence of a drill. The description is not signed: the
// document is.
type Evidence struct {
	// ID is the ID of the drill.
	ID       string    `json:"id"`
	Drill    string    `json:"drill"`
	Run      string    `json:"run"`
	VaultID  string    `json:"vaultId"`
	ItemID   string    `json:"itemId"`
	ItemType string    `json:"itemType"`
	ItemName string    `json:"itemName"`
	Started  time.Time `json:"started"`
	Ended    time.Time `json:"ended"`
	Result   string    `json:"result"`
	// RestoreTime and PointAge are ISO 8601 durations; empty if not measured.
	RestoreTime   string `json:"restoreTime,omitempty"`
	PointAge      string `json:"pointAge,omitempty"`
	CleanUpFailed bool   `json:"cleanUpFailed,omitempty"`
	// KeepUntil is when the app may delete the document.
	KeepUntil time.Time `json:"keepUntil,omitzero"`
	// Location is the URL of the stored document. Reading it needs rights on the
	// storage account.
	Location string `json:"location"`
}

// EvidencePage is one page of evidence, newest drill first.
type EvidencePage struct {
	Evidence []Evidence `json:"evidence"`
	// Continue is empty on the last page.
	Continue string `json:"continue,omitempty"`
}

// EvidenceQuery filters a list of evidence. Zero fields match everything.
type EvidenceQuery struct {
	// Vault and Item are resource IDs.
	Vault, Item   string
	Drill, Result string
	// Since and Until limit the start of the drill; Until is exclusive.
	Since, Until time.Time
	PageSize     int
	// Continue is the value of Continue on the page before.
	Continue string
}

// EvidenceKey is the key that signs the evidence of the app.
type EvidenceKey struct {
	// ID is the JWK thumbprint of the key (RFC 7638), as signatures name it.
	ID        string `json:"id"`
	Algorithm string `json:"algorithm"`
	// PublicKey is a PEM block PUBLIC KEY.
	PublicKey string `json:"publicKey"`
}
