package render

import (
	"strings"

	"azbackupflow/internal/api"
)

// RejectedFacts returns a rejected request with the reasons.
func RejectedFacts(r api.RejectedRequest) []Fact {
	facts := []Fact{{"ID", Plain(r.ID)}, {"Rejected", Time(r.At) + " UTC"}, {"Source", Plain(r.Source)}}
	add := func(name, value string) {
		if value != "" {
			facts = append(facts, Fact{name, Plain(value)})
		}
	}
	add("Message ID", r.MessageID)
	add("Flow", r.Flow)
	add("Key", r.Key)
	if len(r.Fields) == 0 {
		add("Reason", r.Reason)
	}
	for _, f := range r.Fields {
		reason := f.Field + ": " + f.Problem
		if f.Want != "" {
			reason += "; want " + f.Want
		}
		add("Reason", reason)
	}
	if r.Redacted {
		add("Redacted", "yes; replay it with -f FILE and the complete request")
	}
	add("Reply to", r.ReplyTo)
	if !r.ReplayedAt.IsZero() {
		add("Replayed", Time(r.ReplayedAt)+" UTC, as message "+r.ReplayedAs)
	}
	return facts
}

// DecisionFacts returns a decision of automatic protection.
func DecisionFacts(d api.Decision) []Fact {
	outcome := Plain(d.Outcome)
	if d.Rule != "" {
		outcome += ", by rule " + Plain(d.Rule)
	}
	facts := []Fact{
		{"Resource", Plain(d.ResourceID)},
		{"Decision", outcome},
		{"Reason", Plain(d.Reason)},
		{"Decided", Time(d.At) + " UTC, by " + Plain(d.Source)},
	}
	if len(d.DryRunMatches) > 0 {
		facts = append(facts, Fact{"Dry run", Plain(strings.Join(d.DryRunMatches, "; "))})
	}
	if d.OperationID != "" {
		facts = append(facts, Fact{"Operation", Plain(d.OperationID)})
	}
	return facts
}
