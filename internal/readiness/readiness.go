// Package readiness decides, from the items of a vault and the evidence of restore
// drills, which items can be restored for certain.
//
// The package may not know how items are listed or how evidence is verified.
package readiness

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"azbackupflow/internal/api"
	"azbackupflow/internal/drill/evidence"
)

// State is how ready an item is to be restored.
type State string

// The states of an item.
const (
	// Proven means that the item is protected, and that its newest drill proved that
	// it can be restored.
	Proven State = "Proven"
	// NotProven means that the item is protected, and that nothing valid proves it.
	NotProven State = "NotProven"
	// ObjectivesMissed means that the item is protected, and that its recovery point
	// is too old, or that its newest drill missed an objective.
	ObjectivesMissed State = "ObjectivesMissed"
	// NotProtected means that Azure does not back the item up.
	NotProtected State = "NotProtected"
)

// Item is an item of a vault with its state.
type Item struct {
	VaultID string `json:"vaultId"`
	ID      string `json:"id"`
	Name    string `json:"name"`
	Type    string `json:"type,omitempty"`
	State   State  `json:"state"`
	// Reasons explain the state.
	Reasons           []string   `json:"reasons"`
	LastRecoveryPoint *time.Time `json:"lastRecoveryPoint,omitempty"`
	// LastDrill is the start of the newest drill.
	LastDrill *time.Time `json:"lastDrill,omitempty"`
}

// Config configures an Assessor. Now and MaxProofAge are required.
type Config struct {
	Now time.Time
	// MaxProofAge is the age from which a drill proves nothing.
	MaxProofAge time.Duration
	// MaxPointAge is the maximum age of the newest recovery point; 0 means unlimited.
	MaxPointAge time.Duration
	// Drills is verified evidence.
	Drills []evidence.Evidence
}

// Assessor decides about items.
type Assessor struct {
	c      Config
	newest map[string]evidence.Evidence // by key of the item
}

// New returns an Assessor.
func New(c Config) (*Assessor, error) {
	if c.Now.IsZero() || c.MaxProofAge <= 0 || c.MaxPointAge < 0 {
		return nil, errors.New("readiness: Now, a positive MaxProofAge and a MaxPointAge of at least 0 are required")
	}
	a := &Assessor{c: c, newest: map[string]evidence.Evidence{}}
	for _, e := range c.Drills {
		k := key(e.Item.ID)
		if earlier, known := a.newest[k]; !known || e.Started.After(earlier.Started) {
			a.newest[k] = e
		}
	}
	return a, nil
}

// key returns the key of an item: Azure ignores the casing of resource IDs.
func key(id string) string { return strings.ToLower(strings.TrimRight(id, "/")) }

// Assess decides about an item of a vault. Whatever is unknown counts against the
// item.
func (a *Assessor) Assess(vaultID string, entry api.InventoryEntry) Item {
	item := Item{VaultID: vaultID, ID: entry.ID, Name: entry.Name, Type: entry.Type, LastRecoveryPoint: entry.LastRecoveryPoint}
	drill, drilled := a.newest[key(entry.ID)]
	if drilled {
		item.LastDrill = &drill.Started
	}
	state := func(s State, format string, args ...any) {
		item.Reasons = append(item.Reasons, fmt.Sprintf(format, args...))
		if rank(s) > rank(item.State) {
			item.State = s
		}
	}
	switch entry.State {
	case "Protected", "ProtectionConfigured":
	case "":
		state(NotProtected, "Azure reports no protection state")
	default:
		state(NotProtected, "the protection state is %s", entry.State)
	}
	a.judgePoint(entry.LastRecoveryPoint, state)
	switch age := a.c.Now.Sub(drill.Started); {
	case !drilled:
		state(NotProven, "no evidence of a drill was given")
	case age < 0:
		state(NotProven, "the newest drill starts in the future")
	case age > a.c.MaxProofAge:
		state(NotProven, "the newest drill started %s ago", days(age))
	case drill.Result == evidence.Proven:
		state(Proven, "the newest drill is Proven")
	case drill.Result == evidence.ObjectivesMissed:
		state(ObjectivesMissed, "the newest drill missed an objective")
	default:
		state(NotProven, "the newest drill is %s", drill.Result)
	}
	return item
}

// judgePoint compares the age of the newest recovery point with its maximum.
func (a *Assessor) judgePoint(point *time.Time, state func(State, string, ...any)) {
	switch {
	case a.c.MaxPointAge == 0:
	case point == nil:
		state(NotProven, "the time of the last recovery point is unknown")
	case a.c.Now.Sub(*point) > a.c.MaxPointAge:
		state(ObjectivesMissed, "the last recovery point is %s old", days(a.c.Now.Sub(*point)))
	}
}

// rank orders the states: of several, the highest counts.
func rank(s State) int {
	switch s {
	case Proven:
		return 1
	case NotProven:
		return 2
	case ObjectivesMissed:
		return 3
	case NotProtected:
		return 4
	}
	return 0
}

func days(d time.Duration) string {
	if hours := int(d.Hours()); hours < 48 {
		return fmt.Sprintf("%d hours", hours)
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}

// Score counts the items of one vault by state.
type Score struct {
	VaultID          string `json:"vaultId"`
	Items            int    `json:"items"`
	Proven           int    `json:"proven"`
	NotProven        int    `json:"notProven"`
	ObjectivesMissed int    `json:"objectivesMissed"`
	NotProtected     int    `json:"notProtected"`
}

// Count returns the score of a vault.
func Count(vaultID string, items []Item) Score {
	s := Score{VaultID: vaultID, Items: len(items)}
	for _, i := range items {
		switch i.State {
		case Proven:
			s.Proven++
		case NotProven:
			s.NotProven++
		case ObjectivesMissed:
			s.ObjectivesMissed++
		case NotProtected:
			s.NotProtected++
		}
	}
	return s
}
