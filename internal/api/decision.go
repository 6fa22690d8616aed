package api

import "time"

// Decision is the last decision of automatic protection about a resource.
type Decision struct {
	// ResourceID is the resource id of the file share or the server. It is the
	// storage account's id if the account's shares could not be read.
	ResourceID string    `json:"resourceId"`
	At         time.Time `json:"at"`
	// Outcome is a word such as protect, exclude or none.
	Outcome string `json:"outcome"`
	// Rule names the rule that decided.
	Rule   string `json:"rule,omitempty"`
	Reason string `json:"reason"`
	// DryRunMatches holds the dry-run rules that matched, each with its outcome.
	DryRunMatches []string `json:"dryRunMatches,omitempty"`
	// OperationID is the id of the last operation that protects the resource.
	OperationID string `json:"operationId,omitempty"`
	// Created is the time of the resource's creation. A decision about a deleted
	// resource does not apply to a new resource with the same id.
	Created time.Time `json:"created,omitzero"`
	// Source is event or sweep. EventID is the id of the event.
	Source  string `json:"source"`
	EventID string `json:"eventId,omitempty"`
}

// DecisionPage is one page of decisions, ordered by resource.
type DecisionPage struct {
	Decisions []Decision `json:"decisions"`
	// Unreadable holds the keys of decisions whose rows cannot be read.
	Unreadable []string `json:"unreadable,omitempty"`
	// Continue requests the next page; empty on the last page.
	Continue string `json:"continue,omitempty"`
}

// ExplanationList holds what the rules of automatic protection decide about a
// resource, or about each file share of a storage account.
type ExplanationList struct {
	Resources []Explanation `json:"resources"`
}

// Explanation is the decision of the rules about one resource, as it is now.
type Explanation struct {
	ResourceID string `json:"resourceId"`
	// Type is the word of the rules for the type of the resource, such as file-share.
	Type    string `json:"type"`
	Outcome string `json:"outcome"`
	// Rule names the rule that decides; empty if none does.
	Rule          string   `json:"rule,omitempty"`
	Reason        string   `json:"reason"`
	DryRunMatches []string `json:"dryRunMatches,omitempty"`
	// Rules holds the evaluated rules in the order of the file, up to the one that
	// decides.
	Rules []RuleResult `json:"rules"`
	// PolicyGaps are the reasons for which Azure Policy may not have protected the
	// resource.
	PolicyGaps []string `json:"policyGaps,omitempty"`
}

// RuleResult is the result of one rule for a resource.
type RuleResult struct {
	Rule    string `json:"rule"`
	Matches bool   `json:"matches"`
	DryRun  bool   `json:"dryRun,omitempty"`
	// Reason is why the rule does not match, or what it does.
	Reason string `json:"reason"`
}
