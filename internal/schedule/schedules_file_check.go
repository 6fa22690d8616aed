package schedule

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"azbackupflow/internal/duration"
	"azbackupflow/internal/request"
	"azbackupflow/internal/step"
)

// problem is a problem of one schedule, at a path below the schedule.
type problem struct {
	path       []string
	text, want string
}

// schedule converts the entry to a Schedule and checks what the JSON Schema
// cannot express.
func (e entry) schedule(check Check) (s Schedule, problems []problem) {
	s = Schedule{
		Kind: Backups, Name: e.Name, Enabled: e.Enabled == nil || *e.Enabled, Missed: e.Missed, MissedLimit: e.MissedLimit, Overlap: e.Overlap, Select: e.Select,
		Request: request.Request{Flow: e.Request.Flow, Parameters: e.Request.Parameters, Deadline: e.Request.Deadline, Labels: e.Request.Labels},
	}
	s.Timing, problems = e.timing()
	if s.Missed == "" {
		s.Missed = defaultMissed
	}
	if s.Overlap == "" {
		s.Overlap = defaultOverlap
	}
	switch {
	case s.MissedLimit != 0 && s.Missed != MissedAll:
		problems = append(problems, problem{[]string{"missedLimit"}, "is set with missed: " + string(s.Missed), "missed: all, or no missedLimit"})
	case s.MissedLimit == 0:
		s.MissedLimit = defaultMissedLimit
	}
	if s.Missed == MissedAll && s.Overlap != OverlapAllow {
		problems = append(problems, problem{[]string{"missed"}, "is all, which starts runs at the same time, with overlap: " + string(s.Overlap), "overlap: allow, or missed: one"})
	}
	if s.Select != nil {
		s.Jitter = defaultSelectionJitter
	}
	if e.Jitter != "" {
		d, ok := duration.Parse(e.Jitter)
		if !ok || d > maxJitter {
			problems = append(problems, problem{[]string{"jitter"}, fmt.Sprintf("%q is not a duration of at most 12 hours", e.Jitter), "one such as 10m, 2h or PT10M"})
		} else {
			s.Jitter = d
		}
	}
	return s, append(problems, s.checkRequest(check)...)
}

// timing parses the cron expression and the time zone.
func (e entry) timing() (t Timing, problems []problem) {
	if _, err := parseCron(e.Cron); err != nil {
		want := "five fields such as 30 2 * * *, or six with a single second first"
		if errors.Is(err, errNeverFires) {
			want = "days that the months have"
		}
		problems = append(problems, problem{[]string{"cron"}, fmt.Sprintf("%q %s", e.Cron, err), want})
	}
	if _, err := loadZone(e.TimeZone); err != nil {
		problems = append(problems, problem{[]string{"timeZone"}, err.Error(), "an IANA time zone such as Europe/Berlin or UTC"})
	}
	if len(problems) > 0 {
		return t, problems
	}
	t, err := NewTiming(e.Cron, e.TimeZone)
	if err != nil {
		problems = append(problems, problem{[]string{"cron"}, err.Error(), ""})
	}
	return t, problems
}

// checkRequest checks the request against its flow, with an example item if
// there is a selection.
func (s Schedule) checkRequest(check Check) (problems []problem) {
	item := Item{}
	if s.Select != nil {
		if s.Request.Flow != flowBackupNow {
			return []problem{{[]string{"select"}, "is set for flow " + s.Request.Flow, "flow " + flowBackupNow + ", or no selection"}}
		}
		example, err := s.Select.exampleItem()
		if err != nil {
			return []problem{{[]string{"select", "vaultId"}, err.Error(), "the resource ID of a Recovery Services vault or a Backup vault"}}
		}
		item = example
		if text, want := s.Select.typeProblem(item.Instance); text != "" {
			problems = append(problems, problem{[]string{"select", "type"}, text, want})
		}
		for _, field := range []string{"itemId", "fileShare", "backupInstanceId"} {
			if hasMember(s.Request.Parameters, field) {
				problems = append(problems, problem{[]string{"request", "parameters", field}, "is set together with a selection", "one of the two"})
			}
		}
	}
	if check == nil || len(problems) > 0 {
		return problems
	}
	r, err := s.requestFor("2025-01-01T00:00", item)
	if err == nil {
		err = check(r)
	}
	var invalid *step.Invalid
	switch {
	case errors.As(err, &invalid):
		for _, f := range invalid.Fields {
			problems = append(problems, problem{append([]string{"request"}, strings.Split(f.Field, ".")...), f.Problem, f.Want})
		}
	case err != nil:
		problems = append(problems, problem{[]string{"request"}, err.Error(), ""})
	}
	return problems
}

// hasMember reports whether a JSON object has a member. It ignores case, as
// encoding/json does.
func hasMember(object json.RawMessage, name string) bool {
	var members map[string]json.RawMessage
	if json.Unmarshal(object, &members) != nil {
		return false
	}
	for member := range members {
		if strings.EqualFold(member, name) {
			return true
		}
	}
	return false
}
