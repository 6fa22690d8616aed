package schedule

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/sosodev/duration"

	"azbackupflow/docs/schemas"
	"azbackupflow/internal/declaration"
	"azbackupflow/internal/request"
	"azbackupflow/internal/step"
)

// FileName is the file beside host.json that declares the schedules.
const FileName = "schedules.yaml"

// What a schedule has where its file says nothing.
const (
	defaultMissed      = MissedOne
	defaultMissedLimit = 10
	defaultOverlap     = OverlapSkip
	// selectionJitter spreads the runs of a selection: messages that are due at
	// one instant are throttled.
	selectionJitter = 5 * time.Minute
	longestJitter   = 12 * time.Hour
)

// entry is a schedule as the file has it.
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

// Check says whether a request could be started; its error is a *step.Invalid.
type Check func(request.Request) error

// Read reads schedules.yaml. A schedule that is wrong is left out and the
// others are given all the same; the error, an *declaration.Invalid, says what
// was left out and why. A file that is no list of schedules gives none. check
// may be nil: the flows' parameters are not looked at then.
func Read(file string, raw []byte, check Check) ([]Schedule, error) {
	document, err := declaration.Parse(file, raw)
	if err != nil {
		return nil, err
	}
	schema, err := declaration.Compile(schemas.Schedules())
	if err != nil {
		return nil, err
	}
	var problems []declaration.Problem
	wrong := map[string]bool{} // indexes of schedules
	for _, violation := range schema.Validate(document) {
		problems = append(problems, violation.Problem)
		if len(violation.At) < 2 || violation.At[0] != "schedules" {
			return nil, &declaration.Invalid{File: file, Problems: problems}
		}
		wrong[violation.At[1]] = true
	}
	var all struct {
		Schedules []json.RawMessage `json:"schedules"`
	}
	if err := document.Decode(&all); err != nil {
		return nil, err
	}
	var schedules []Schedule
	for i := range all.Schedules {
		at := strconv.Itoa(i)
		if wrong[at] {
			continue
		}
		var e entry
		if err := document.Decode(&e, "schedules", at); err != nil {
			return nil, err
		}
		s, found := e.schedule(check)
		if slices.ContainsFunc(schedules, func(other Schedule) bool { return other.Name == e.Name }) {
			found = append(found, finding{[]string{"name"}, fmt.Sprintf("%q is the name of a schedule above", e.Name), "a name of its own"})
		}
		for _, f := range found {
			problems = append(problems, document.Problem(append([]string{"schedules", at}, f.at...), f.problem, f.want))
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

// finding is a problem of one schedule, with the path below it.
type finding struct {
	at            []string
	problem, want string
}

// schedule checks what a schema cannot.
func (e entry) schedule(check Check) (s Schedule, found []finding) {
	add := func(problem, want string, at ...string) {
		found = append(found, finding{at, problem, want})
	}
	s = Schedule{
		Name: e.Name, Enabled: e.Enabled == nil || *e.Enabled, Missed: e.Missed, MissedLimit: e.MissedLimit, Overlap: e.Overlap, Select: e.Select,
		Request: request.Request{Flow: e.Request.Flow, Parameters: e.Request.Parameters, Deadline: e.Request.Deadline, Labels: e.Request.Labels},
	}
	if _, err := parseCron(e.Cron); err != nil {
		want := "five fields such as 30 2 * * *, or six with one second before them"
		if errors.Is(err, errNeverFires) {
			want = "days that its months have"
		}
		add(fmt.Sprintf("%q %s", e.Cron, err), want, "cron")
	}
	if _, err := loadZone(e.TimeZone); err != nil {
		add(err.Error(), "an IANA name such as Europe/Berlin or UTC", "timeZone")
	}
	if len(found) == 0 {
		var err error
		if s.Timing, err = NewTiming(e.Cron, e.TimeZone); err != nil {
			add(err.Error(), "", "cron")
		}
	}
	if s.Missed == "" {
		s.Missed = defaultMissed
	}
	if s.Overlap == "" {
		s.Overlap = defaultOverlap
	}
	switch {
	case s.MissedLimit != 0 && s.Missed != MissedAll:
		add("is given with missed: "+string(s.Missed), "missed: all beside it, or nothing", "missedLimit")
	case s.MissedLimit == 0:
		s.MissedLimit = defaultMissedLimit
	}
	if s.Missed == MissedAll && s.Overlap != OverlapAllow {
		add("is all, whose runs start together, with overlap: "+string(s.Overlap), "overlap: allow beside it, or missed: one", "missed")
	}
	if s.Select != nil {
		s.Jitter = selectionJitter
	}
	if e.Jitter != "" {
		d, err := duration.Parse(e.Jitter)
		if err != nil || d.ToTimeDuration() > longestJitter {
			add(fmt.Sprintf("%q is no duration of at most 12 hours", e.Jitter), "an ISO 8601 duration such as PT10M", "jitter")
		} else {
			s.Jitter = d.ToTimeDuration()
		}
	}
	found = append(found, s.checkRequest(check)...)
	return s, found
}

// checkRequest holds the request against its flow, with an item as the
// selection would give it.
func (s Schedule) checkRequest(check Check) (found []finding) {
	item := Item{}
	if s.Select != nil {
		if s.Request.Flow != selectable {
			return []finding{{[]string{"select"}, "is given for flow " + s.Request.Flow, "flow " + selectable + ", or no selection"}}
		}
		sample, err := s.Select.sample()
		if err != nil {
			return []finding{{[]string{"select", "vaultId"}, err.Error(), "the resource id of a Recovery Services vault or a Backup vault"}}
		}
		item = sample
		if item.Instance && s.Select.Type != "" {
			found = append(found, finding{[]string{"select", "type"}, "is given for a Backup vault", "nothing: types are for Recovery Services vaults"})
		}
		for _, field := range []string{"itemId", "fileShare", "backupInstanceId"} {
			if hasMember(s.Request.Parameters, field) {
				found = append(found, finding{[]string{"request", "parameters", field}, "is given beside a selection", "one of them"})
			}
		}
	}
	if check == nil || len(found) > 0 {
		return found
	}
	r, err := s.requestFor("2025-01-01T00:00", item)
	if err == nil {
		err = check(r)
	}
	var invalid *step.Invalid
	switch {
	case errors.As(err, &invalid):
		for _, f := range invalid.Fields {
			found = append(found, finding{append([]string{"request"}, splitField(f.Field)...), f.Problem, f.Want})
		}
	case err != nil:
		found = append(found, finding{[]string{"request"}, err.Error(), ""})
	}
	return found
}
