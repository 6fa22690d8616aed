package evidence

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Summary counts the drills of one vault that started in one month.
type Summary struct {
	// Month is the month in UTC, such as 2026-11.
	Month   string `json:"month"`
	VaultID string `json:"vaultId"`
	// Items is the number of different items.
	Items  int `json:"items"`
	Drills int `json:"drills"`
	// The number of drills by result.
	Proven           int `json:"proven"`
	ObjectivesMissed int `json:"objectivesMissed"`
	NotValidated     int `json:"notValidated"`
	Failed           int `json:"failed"`
	// CleanUpsFailed is the number of drills whose restored data may still exist.
	CleanUpsFailed int `json:"cleanUpsFailed"`
	// LongestRestore is an ISO 8601 duration; empty if nothing was restored.
	LongestRestore string `json:"longestRestore,omitempty"`

	longest time.Duration
	items   map[string]bool
}

// monthLayout is the format of Summary.Month.
const monthLayout = "2006-01"

// Month returns the month in UTC in which the drill started.
func (e Evidence) Month() string { return e.Started.UTC().Format(monthLayout) }

// Summarize returns the summaries of drills, sorted by month and vault.
func Summarize(drills []Evidence) []Summary {
	type key struct{ month, vault string }
	found := map[key]*Summary{}
	for _, e := range drills {
		k := key{e.Month(), normalized(e.Item.VaultID)}
		s := found[k]
		if s == nil {
			s = &Summary{Month: k.month, VaultID: e.Item.VaultID, items: map[string]bool{}}
			found[k] = s
		}
		s.add(e)
	}
	summaries := make([]Summary, 0, len(found))
	for _, s := range found {
		s.Items = len(s.items)
		summaries = append(summaries, *s)
	}
	slices.SortFunc(summaries, func(a, b Summary) int {
		return cmp.Or(strings.Compare(a.Month, b.Month), strings.Compare(normalized(a.VaultID), normalized(b.VaultID)))
	})
	return summaries
}

// normalized returns a resource ID in one casing, because Azure ignores it.
func normalized(id string) string { return strings.ToLower(strings.TrimRight(id, "/")) }

func (s *Summary) add(e Evidence) {
	s.Drills++
	s.items[normalized(e.Item.ID)] = true
	switch e.Result {
	case Proven:
		s.Proven++
	case ObjectivesMissed:
		s.ObjectivesMissed++
	case NotValidated:
		s.NotValidated++
	case Failed:
		s.Failed++
	}
	if slices.ContainsFunc(e.Phases, func(p Phase) bool { return p.Name == CleanUp && p.Result != PhaseSucceeded }) {
		s.CleanUpsFailed++
	}
	if d := e.restoreTime(); d != nil && *d >= s.longest {
		s.longest, s.LongestRestore = *d, format(*d)
	}
}
