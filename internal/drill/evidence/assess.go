package evidence

import (
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/sosodev/duration"
)

// Assess returns the evidence with its measured objectives and its result, which
// follow from everything else. It returns an error if a maximum is not a duration.
func Assess(e Evidence) (Evidence, error) {
	var err error
	missed := false
	assess := func(o *Objective, measured *time.Duration, name string) *Objective {
		if measured == nil {
			return nil
		}
		result := Objective{Measured: format(*measured)}
		if o != nil && o.Maximum != "" {
			maximum, parseErr := parse(o.Maximum)
			if parseErr != nil {
				err = fmt.Errorf("objectives.%s.maximum: %w", name, parseErr)
				return nil
			}
			met := *measured <= maximum
			missed = missed || !met
			result.Maximum, result.Met = o.Maximum, &met
		}
		return &result
	}
	e.Objectives = Objectives{
		RTO: assess(e.Objectives.RTO, e.restoreTime(), "rto"),
		RPO: assess(e.Objectives.RPO, e.pointAge(), "rpo"),
	}
	switch {
	case !e.usable():
		e.Result = Failed
	case e.Validation.Result == TimedOut:
		e.Result = NotValidated
	case missed:
		e.Result = ObjectivesMissed
	default:
		e.Result = Proven
	}
	return e, err
}

// usable reports whether something was restored and nothing found a fault in it. A
// clean-up that failed does not change that.
func (e Evidence) usable() bool {
	restored := slices.ContainsFunc(e.Phases, func(p Phase) bool { return p.Name == Restore && p.Result == PhaseSucceeded })
	failed := slices.ContainsFunc(e.Phases, func(p Phase) bool { return p.Name != CleanUp && p.Result != PhaseSucceeded })
	faulty := slices.ContainsFunc(e.Checks, func(c Check) bool { return c.Result != CheckPassed })
	answered := slices.Contains([]ValidationResult{Successful, TimedOut, NotRequested}, e.Validation.Result)
	return restored && !failed && len(e.Checks) > 0 && !faulty && answered
}

// restoreTime returns how long a successful restore took; nil without one.
func (e Evidence) restoreTime() *time.Duration {
	i := slices.IndexFunc(e.Phases, func(p Phase) bool { return p.Name == Restore && p.Result == PhaseSucceeded })
	if i < 0 {
		return nil
	}
	return roundedUp(e.Phases[i].Ended.Sub(e.Phases[i].Started))
}

// pointAge returns the age of the recovery point at the start of the drill.
func (e Evidence) pointAge() *time.Duration {
	if e.Point == nil {
		return nil
	}
	return roundedUp(e.Started.Sub(e.Point.Time))
}

// roundedUp rounds up to a second, so that an objective is never met by rounding.
func roundedUp(d time.Duration) *time.Duration {
	d = (d + time.Second - 1).Truncate(time.Second)
	return &d
}

func format(d time.Duration) string {
	if d == 0 {
		return "PT0S"
	}
	return fmt.Sprintf("PT%dH%dM%dS", int(d.Hours()), int(d.Minutes())%60, int(d.Seconds())%60)
}

func parse(text string) (time.Duration, error) {
	d, err := duration.Parse(text)
	if err != nil {
		return 0, fmt.Errorf("%q is not an ISO 8601 duration such as PT4H", text)
	}
	return d.ToTimeDuration(), nil
}

// contradictions returns what cannot be true of one drill at the same time.
func (e Evidence) contradictions() (found []string) {
	report := func(format string, args ...any) { found = append(found, fmt.Sprintf(format, args...)) }
	if e.Ended.Before(e.Started) {
		report("ended is before started")
	}
	if e.Point != nil && e.Point.Time.After(e.Started) {
		report("point.time is after started")
	}
	order := []PhaseName{ChoosePoint, MakeTarget, Restore, CheckData, Validate, CleanUp}
	previous := -1
	for i, p := range e.Phases {
		position := slices.Index(order, p.Name)
		if position <= previous {
			report("phases[%d] is %s, which does not follow the phase before it", i, p.Name)
		}
		previous = position
		if p.Ended.Before(p.Started) || p.Started.Before(e.Started) || p.Ended.After(e.Ended) {
			report("phases[%d] (%s) is not within the time of the drill", i, p.Name)
		}
		if p.Name == Restore && (e.Point == nil || e.Target == nil) {
			report("phases[%d] is Restore, without a recovery point and a target", i)
		}
	}
	answered := e.Validation.Result == Successful || e.Validation.Result == Unsuccessful
	if answered != (e.Validation.At != nil && e.Validation.By != "") {
		report("validation is %s; by and at are set exactly if a validator answered", e.Validation.Result)
	}
	assessed, err := Assess(e)
	switch {
	case err != nil:
		report("%s", err.Error())
	case assessed.Result != e.Result:
		report("result is %s, but the rest of the document makes it %s", e.Result, assessed.Result)
	case !reflect.DeepEqual(assessed.Objectives, e.Objectives):
		report("objectives differ from what the phases and the recovery point show")
	}
	return found
}
