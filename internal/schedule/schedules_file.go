package schedule

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"azbackupflow/docs/schemas"
	"azbackupflow/internal/declaration"
	"azbackupflow/internal/request"
)

// FileName is the name of the file next to host.json that declares the
// schedules.
const FileName = "schedules.yaml"

// The defaults of a schedule.
const (
	defaultMissed      = MissedOne
	defaultMissedLimit = 10
	defaultOverlap     = OverlapSkip
	// defaultSelectionJitter spreads the runs of a selection: Azure throttles
	// calls that arrive at the same instant.
	defaultSelectionJitter = 5 * time.Minute
)

// maxJitter bounds the jitter of a schedule.
const maxJitter = 12 * time.Hour

// entry is a schedule as the file declares it.
type entry struct {
	Name        string     `json:"name"`
	Cron        string     `json:"cron"`
	TimeZone    string     `json:"timeZone"`
	Enabled     *bool      `json:"enabled"`
	Missed      Missed     `json:"missed"`
	MissedLimit int        `json:"missedLimit"`
	Overlap     Overlap    `json:"overlap"`
	Jitter      string     `json:"jitter"`
	Select      *Selection `json:"select"`
	Request     struct {
		Flow       string            `json:"flow"`
		Parameters json.RawMessage   `json:"parameters"`
		Deadline   string            `json:"deadline"`
		Labels     map[string]string `json:"labels"`
	} `json:"request"`
}

// Check reports whether the engine would accept a request; its error is a
// *step.Invalid.
type Check func(request.Request) error

// Parse parses schedules.yaml. It omits schedules with errors and returns the
// others; the error, a *declaration.Invalid, lists all problems. If the file is
// not a list of schedules, it returns none. A nil check skips the check of the
// flows' parameters.
func Parse(file string, raw []byte, check Check) ([]Schedule, error) {
	document, err := declaration.Parse(file, raw)
	if err != nil {
		return nil, err
	}
	schema, err := declaration.Compile(schemas.Schedules())
	if err != nil {
		return nil, err
	}
	var problems []declaration.Problem
	invalid := map[string]bool{} // indexes of schedules that violate the schema
	for _, v := range schema.Validate(document) {
		problems = append(problems, v.Problem)
		if len(v.At) < 2 || v.At[0] != "schedules" {
			return nil, &declaration.Invalid{File: file, Problems: problems}
		}
		invalid[v.At[1]] = true
	}
	var all struct {
		Schedules []json.RawMessage `json:"schedules"`
	}
	if err := document.Decode(&all); err != nil {
		return nil, err
	}
	var schedules []Schedule
	for i := range all.Schedules {
		index := strconv.Itoa(i)
		if invalid[index] {
			continue
		}
		var e entry
		if err := document.Decode(&e, "schedules", index); err != nil {
			return nil, err
		}
		s, found := e.schedule(check)
		if slices.ContainsFunc(schedules, func(other Schedule) bool { return other.Name == e.Name }) {
			found = append(found, problem{[]string{"name"}, fmt.Sprintf("%q is the name of an earlier schedule", e.Name), "a unique name"})
		}
		for _, p := range found {
			problems = append(problems, document.Problem(append([]string{"schedules", index}, p.path...), p.text, p.want))
		}
		if len(found) == 0 {
			schedules = append(schedules, s)
		}
	}
	if len(problems) > 0 {
		return schedules, &declaration.Invalid{File: file, Problems: problems}
	}
	return schedules, nil
}
