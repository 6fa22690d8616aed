package api

// Preflight is the result of a preflight: whether the app can reach everything
// that it needs.
type Preflight struct {
	OK       bool      `json:"ok"`
	Findings []Finding `json:"findings"`
}

// Finding is the result of one check.
type Finding struct {
	// Check names the check, Subject the setting, queue or resource id.
	Check   string `json:"check"`
	Subject string `json:"subject"`
	OK      bool   `json:"ok"`
	// NotChecked is set if the check could not be made. Such a finding does not
	// fail the preflight.
	NotChecked bool   `json:"notChecked,omitempty"`
	Problem    string `json:"problem,omitempty"`
	// Missing lists the actions or roles that the identity lacks.
	Missing []string `json:"missing,omitempty"`
	// Do is the remedy.
	Do string `json:"do,omitempty"`
}
